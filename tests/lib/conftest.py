"""The platform over Git that tests of engine and driver share."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from support.git_platform import GitPlatform
from support.platform import Platform


@pytest.fixture
def git(tmp_path: Path, exits: ExitStack) -> GitPlatform:
    """A platform with one Git store, and nothing in it."""
    return GitPlatform.make(tmp_path, exits, Platform)
