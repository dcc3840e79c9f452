"""Which files a command means."""

import os
from pathlib import Path

import pytest

from troth.errors import InvalidInputError
from troth.local.files import walk


def lay(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


def found(root: Path) -> list[str]:
    return [str(one.path.relative_to(root)) for one in walk(root).files]


def test_a_folder_is_read_recursively_in_the_order_of_its_paths(tmp_path: Path) -> None:
    lay(tmp_path, "b.yaml", "a.yml", "c.json", "b/z.yaml", "a/b/c.yaml")

    assert found(tmp_path) == ["a.yml", "b.yaml", "c.json", "a/b/c.yaml", "b/z.yaml"]


def test_other_names_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    lay(tmp_path, "a.txt", "a.yaml~", "yaml", ".a.yaml", ".git/a.yaml", ".x/y/a.yaml", "a.YAML")

    assert found(tmp_path) == []


def test_of_a_bundle_only_the_promise_and_its_requests_are_read(tmp_path: Path) -> None:
    bundle = "things/thing"
    lay(
        tmp_path,
        f"{bundle}/promise.yaml",
        f"{bundle}/resource-request.yaml",
        f"{bundle}/resource-request-large.yaml",
        f"{bundle}/values.yaml",
        f"{bundle}/expected/one.yaml",
        "things/other.yaml",
    )

    assert found(tmp_path) == [
        "things/other.yaml",
        f"{bundle}/promise.yaml",
        f"{bundle}/resource-request-large.yaml",
        f"{bundle}/resource-request.yaml",
    ]


def test_a_bundle_that_is_named_itself_is_read_by_the_same_rule(tmp_path: Path) -> None:
    lay(tmp_path, "promise.yaml", "resource-request.yaml", "expected/one.yaml", "other.yaml")

    assert found(tmp_path) == ["promise.yaml", "resource-request.yaml"]


def test_a_named_file_and_a_bundles_request_have_to_be_understood(tmp_path: Path) -> None:
    lay(tmp_path, "a/promise.yaml", "a/resource-request.yaml", "b.yaml", "named.txt")

    [named] = walk(tmp_path / "named.txt").files

    assert named.named
    assert {one.path.name: one.named for one in walk(tmp_path).files} == {
        "promise.yaml": False,
        "resource-request.yaml": True,
        "b.yaml": False,
    }


@pytest.mark.parametrize("spelling", ["x", "./x", "x/", "x/../x", "x/."])
def test_a_root_is_the_same_however_it_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    lay(tmp_path, "x/a.yaml")
    monkeypatch.chdir(tmp_path)

    walked = walk(Path(spelling))

    assert walked.root == str(tmp_path / "x")
    assert [one.root for one in walked.files] == [walked.root]


def test_a_path_where_nothing_is_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="missing: there is no such file or folder"):
        walk(tmp_path / "missing")


def test_a_linked_folder_is_told_of_since_it_is_not_followed(tmp_path: Path) -> None:
    lay(tmp_path, "root/a.yaml", "target/b.yaml")
    (tmp_path / "root/linked").symlink_to(tmp_path / "target")
    (tmp_path / "root/.hidden").symlink_to(tmp_path / "target")

    walked = walk(tmp_path / "root")

    assert [one.path.name for one in walked.files] == ["a.yaml"]
    [problem] = walked.problems
    assert "root/linked: this folder cannot be read: it is a symlink" in problem.message


def test_a_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    lay(tmp_path, "target/a.yaml")
    (tmp_path / "root").symlink_to("target")

    walked = walk(tmp_path / "root")

    assert [one.path.name for one in walked.files] == ["a.yaml"]
    assert walked.problems == ()


def test_a_folder_that_cannot_be_opened_is_told_of_and_the_rest_is_read(tmp_path: Path) -> None:
    lay(tmp_path, "a.yaml", "b/b.yaml")
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):  # deeper than the 4096 bytes that a path may have
        os.mkdir("x" * 200, dir_fd=folder)
        deeper = os.open("x" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    os.close(folder)

    walked = walk(tmp_path)

    assert [one.path.name for one in walked.files] == ["a.yaml", "b.yaml"]
    [problem] = walked.problems
    assert problem.message.endswith("this folder cannot be read: File name too long.")


def test_a_folder_by_the_name_of_a_file_is_a_folder(tmp_path: Path) -> None:
    lay(tmp_path, "a.yaml/b.yaml")

    assert found(tmp_path) == ["a.yaml/b.yaml"]
