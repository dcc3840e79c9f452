"""What the tests of state stores share: a remote, and stores that are closed at the end."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from support.repositories import OpenStore, Remote
from support.twins import TWINS

from troth_statestore import StateStore
from troth_statestore.git import GitSettings, GitStore


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote.create(tmp_path / "remote.git")


@pytest.fixture
def open_store(remote: Remote, exits: ExitStack) -> OpenStore:
    def opened(
        url: str | None = None,
        *,
        branch: str = "main",
        path: str = "",
        settings: GitSettings | None = None,
    ) -> GitStore:
        store = GitStore(url or str(remote.folder), branch, path, settings)
        exits.callback(store.close)
        return store

    return opened


@pytest.fixture(params=TWINS)
def store(request: pytest.FixtureRequest, tmp_path: Path, exits: ExitStack) -> StateStore:
    made = TWINS[request.param](tmp_path)
    exits.callback(made.close)
    return made
