"""A disk that is full: the host's, or the one with the cache. It is said, and nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

TESTS = Path(__file__).parent.parent
ROOM = ("unshare", "--map-root-user", "--mount")


@pytest.fixture(scope="module")
def own_mounts(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("room")
    mount = ("mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder))
    try:
        tried = subprocess.run([*ROOM, *mount], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("platform: there is no unshare")
    if tried.returncode != 0:
        pytest.skip(f"platform: no mounts of one's own here: {tried.stderr.strip()}")


@pytest.mark.parametrize(
    ("full", "words"),
    [
        ("cache", "no space is left"),
        ("remote", "No space left on device"),
    ],
)
def test_a_full_disk_is_told_as_such_and_when_there_is_room_it_goes_on(
    own_mounts: None, tmp_path: Path, full: str, words: str
) -> None:
    done = subprocess.run(
        [*ROOM, sys.executable, "-m", "support.drill_disk", str(tmp_path), full],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert done.returncode == 0, done.stderr
    lines = (json.loads(line) for line in done.stdout.splitlines())
    first, large, small, again = cast("list[list[object]]", list(lines))

    assert first == ["written True", ["Update a"], ["a"]]
    assert str(large[0]).startswith("StoreError StateStore")
    assert words in str(large[0])
    assert large[1:] == [["Update a"], ["a"]]
    assert small == ["written True", ["Update a", "Update b"], ["a", "b"]]
    assert again == [
        "written True",
        ["Update a", "Update b", "Update large"],
        ["a", "b", "large"],
    ]
