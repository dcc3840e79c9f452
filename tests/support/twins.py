"""Every kind of state store, made in a folder: what the same tests run over."""

from collections.abc import Callable
from pathlib import Path

from support.repositories import Remote

from troth_statestore import StateStore
from troth_statestore.directory import DirectoryStore
from troth_statestore.git import GitSettings, GitStore
from troth_statestore.memory import MemoryStore


def _git(folder: Path, path: str = "", settings: GitSettings | None = None) -> StateStore:
    return GitStore(str(Remote.create(folder / "store.git").folder), path=path, settings=settings)


TWINS: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStore(),
    "directory": lambda folder: DirectoryStore(folder / "store"),
    "git": _git,
    "git otherwise": lambda folder: _git(
        folder, "a/b", GitSettings(borrow=False, one_commit_a_flush=True)
    ),
}
