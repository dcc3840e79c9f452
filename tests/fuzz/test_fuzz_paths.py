"""Paths: whatever they are, they are judged, and what is called safe is safe to Git as well."""

import os
import posixpath
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from support.fuzzing import fuzz, pieces

from troth_statestore.paths import RESERVED_FOLDER, ancestors, why_unsafe

PATHS = st.lists(pieces, max_size=5).map("/".join)


@fuzz(PATHS)
def test_every_path_is_judged(path: str) -> None:
    why = why_unsafe(path)

    assert why is None or why


@fuzz(PATHS)
def test_a_safe_path_stays_below_the_root_as_it_is_spelled(path: str) -> None:
    if why_unsafe(path) is None:
        assert not path.startswith("/")
        assert posixpath.normpath(path) == path
        assert not path.startswith("../")
        assert "\0" not in path
        assert path.split("/", maxsplit=1)[0] != RESERVED_FOLDER
        assert all(len(segment.encode()) <= 255 for segment in path.split("/"))


@fuzz(PATHS)
def test_the_folders_above_a_path_are_its_beginnings(path: str) -> None:
    parts = path.split("/")

    assert ancestors(path) == ["/".join(parts[:count]) for count in range(1, len(parts))]


_GIT = ("git", "-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
_EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


@fuzz(st.lists(PATHS, max_size=30))
def test_git_takes_every_safe_path_on_every_file_system(paths: list[str]) -> None:
    entries = [f"100644 {_EMPTY}\t{path}\0" for path in paths if why_unsafe(path) is None]
    with TemporaryDirectory() as folder:
        for name in ("objects", "refs"):
            Path(folder, name).mkdir()
        Path(folder, "HEAD").write_text("ref: refs/heads/main\n")

        done = subprocess.run(
            [*_GIT, "update-index", "--add", "-z", "--index-info"],
            input="".join(entries).encode(),
            env={**os.environ, "GIT_DIR": folder},
            capture_output=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, b"")  # it says which paths it ignores
