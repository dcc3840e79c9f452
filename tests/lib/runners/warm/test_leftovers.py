"""Leftovers: what killed runners left is swept by the next, and nothing of those that live."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from troth.runners.warm._folders import Workspace, remove_tree
from troth.runners.warm._leftovers import hold, sweep

_OTHER = """
import sys
from troth.runners.warm._folders import Workspace
print(Workspace().path, flush=True)
sys.stdin.read()
"""


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start a process with a folder of its own; it is killed in the end, as runners are."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "troth-one"
    (found / "1/output").mkdir(parents=True)
    return found


def test_what_a_killed_runner_left_is_swept_by_the_next_and_what_lives_stays() -> None:
    with another() as (_, alive):
        with another() as (_, killed):
            assert killed.is_dir()
        assert killed.is_dir()  # it was killed: nobody removed it

        workspace = Workspace()
        try:
            assert not killed.exists()
            assert alive.is_dir()
        finally:
            workspace.remove()
        assert not Path(workspace.path).exists()
    sweep(str(alive.parent), "troth-", remove_tree)
    assert not alive.exists()


def test_a_folder_that_is_held_stays(folder: Path) -> None:
    descriptor = hold(str(folder))

    sweep(str(folder.parent), "troth-", remove_tree)
    assert folder.is_dir()

    os.close(descriptor)
    sweep(str(folder.parent), "troth-", remove_tree)
    assert not folder.exists()


def test_a_folder_that_was_never_held_stays(folder: Path) -> None:
    sweep(str(folder.parent), "troth-", remove_tree)

    assert folder.is_dir()


def test_another_name_and_a_link_stay(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    os.close(hold(str(other)))
    (tmp_path / "troth-link").symlink_to(other)
    (tmp_path / "troth-file").write_text("")

    sweep(str(tmp_path), "troth-", remove_tree)

    assert other.is_dir()
    assert (tmp_path / "troth-link").is_symlink()


def test_a_lock_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "free").write_text("")
    (folder / ".held").symlink_to(tmp_path / "free")

    sweep(str(tmp_path), "troth-", remove_tree)

    assert folder.is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="platform: root may read every folder")
def test_a_folder_that_cannot_be_listed_is_not_swept(folder: Path) -> None:
    folder.parent.chmod(0o300)
    try:
        sweep(str(folder.parent), "troth-", remove_tree)
    finally:
        folder.parent.chmod(0o700)


def test_a_runner_lets_go_of_its_folder_once() -> None:
    workspace = Workspace()

    workspace.remove()
    workspace.remove()

    assert not Path(workspace.path).exists()
