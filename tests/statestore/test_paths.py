"""Which paths a store takes."""

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth_statestore.paths import ancestors, why_unsafe


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "default/resources/team/namespace/one/configure/5058f/files.yaml",
        ".hidden/.x",
        ".github/workflows/x.yaml",
        ".gitignore",
        "git",
        "a.git",
        "git~10",
        "..a/a../...",
        "with space/ümlaut/漢字",
        "a/.troth",
        "x" * 255,
    ],
)
def test_ordinary_paths_are_safe(path: str) -> None:
    assert why_unsafe(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "a/./b",
        "..",
        "a/../b",
        "a\\b",
        "a\nb",
        "a\0b",
        "a\x7fb",
        "a\x85b",
        "a\udc80",
        ".git",
        "a/.git/config",
        "a/.GIT/config",
        "a/.Git",
        ".git./x",
        ".git /x",
        ".git . . /x",
        ".git::$INDEX_ALLOCATION/x",
        ".git:stream",
        "git~1/x",
        "GIT~1",
        "git~1 .",
        ".g\u200cit/x",
        "\ufeff.git",
        ".gi\u206ft",
        ".troth/records/x",
        ".TROTH/x",
        "x" * 256,
        "a/" + "ü" * 128,
    ],
)
def test_what_escapes_or_enters_git_is_unsafe(path: str) -> None:
    assert why_unsafe(path)


SEGMENTS = st.one_of(
    st.sampled_from(["..", ".", "", ".git", ".GIT", "git~1", "~", "a", "b.yaml", " ", "-"]),
    st.text(max_size=5),
)
PATHS = st.one_of(st.text(), st.lists(SEGMENTS).map("/".join))


@given(PATHS)
def test_a_safe_path_stays_below_every_root(path: str) -> None:
    if why_unsafe(path) is None:
        assert posixpath.normpath(posixpath.join("/base", path)) == f"/base/{path}"
        assert posixpath.dirname(f"/base/{path}").startswith("/base")


@given(PATHS)
def test_a_safe_path_is_text_on_one_line_and_has_no_git_in_it(path: str) -> None:
    if why_unsafe(path) is None:
        assert path.encode()
        assert not any(unicodedata.category(character) == "Cc" for character in path)
        assert not {".git", ".."} & set(path.casefold().split("/"))


@given(PATHS, st.sampled_from(["..", ".git", ".", "", "a\nb", "git~1", ".Git "]), PATHS)
def test_one_bad_segment_makes_a_path_unsafe(before: str, bad: str, after: str) -> None:
    assert why_unsafe(f"{before}/{bad}/{after}")


@pytest.mark.parametrize(("path", "expected"), [("a", []), ("a/b", ["a"]), ("a/b/c", ["a", "a/b"])])
def test_ancestors_are_the_folders_above(path: str, expected: list[str]) -> None:
    assert ancestors(path) == expected
