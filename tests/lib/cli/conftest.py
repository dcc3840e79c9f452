"""The workspace that tests of commands share."""

from pathlib import Path

import pytest
from support.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder with the Promise, an empty requests folder, and no store yet."""
    return Workspace(tmp_path)
