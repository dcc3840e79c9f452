"""Paths have one spelling, and only those that the Gateway API takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth_pipelines.gateway.paths import (
    PATH_LIMIT,
    PATH_PATTERN,
    PathType,
    normal_path,
    path_problem,
    regular_expression_problem,
)

_ALPHABET = "ab/.%2fFeE{}#? ~é"


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/a.b/...", "/.well-known", "/%C3%A9", "/%23", "/a:b;c=d,(e)'!*+$&@~_"],
)
def test_a_path_that_the_api_takes_has_no_problem(path: str) -> None:
    assert path_problem(path) is None
    assert re.fullmatch(PATH_PATTERN, path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "does not begin with '/'"),
        ("v1", "does not begin with '/'"),
        ("/a//b", "'//'"),
        ("//", "'//'"),
        ("/a/./b", "the step '.'"),
        ("/a/.", "the step '.'"),
        ("/a/../b", "the step '..'"),
        ("/..", "the step '..'"),
        ("/a%2fb", "an escaped '/'"),
        ("/a%2Fb", "an escaped '/'"),
        ("/a%2e%2E/b", "write the character '.' itself"),
        ("/%61", "write the character 'a' itself"),
        ("/a#b", "no fragment"),
        ("/a?b", "no query"),
        ("/{id}", "before the placeholder"),
        ("/a b", "two hex digits"),
        ("/é", "two hex digits"),
        ("/100%", "two hex digits"),
        ("/%zz", "two hex digits"),
        ("/a\n", "two hex digits"),
        ("/" + "a" * PATH_LIMIT, "1025 characters"),
    ],
)
def test_a_path_that_the_api_refuses_is_refused_with_what_to_do(path: str, words: str) -> None:
    problem = path_problem(path)
    assert problem is not None
    assert words in problem


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/v1/", PathType.PREFIX, "/v1"),
        ("/", PathType.PREFIX, "/"),
        ("/v1/", PathType.EXACT, "/v1/"),
        ("/caf%c3%a9", PathType.EXACT, "/caf%C3%A9"),
        ("/%c3/", PathType.REGULAR_EXPRESSION, "/%c3/"),
    ],
)
def test_a_path_is_spelled_in_one_way(path: str, kind: PathType, expected: str) -> None:
    assert normal_path(path, kind) == expected


@given(path=st.text(_ALPHABET, max_size=12).map("/{}".format))
def test_a_good_path_stays_good_and_the_same_when_normalised_again(path: str) -> None:
    if path_problem(path) is not None:
        return
    for kind in (PathType.PREFIX, PathType.EXACT):
        normal = normal_path(path, kind)
        assert path_problem(normal) is None
        assert normal_path(normal, kind) == normal


@given(path=st.text(_ALPHABET, max_size=12))
def test_what_the_schema_refuses_has_a_problem(path: str) -> None:
    if path_problem(path) is None:
        assert re.fullmatch(PATH_PATTERN, path)


def test_an_expression_of_re2_is_taken() -> None:
    assert regular_expression_problem(r"(?i)/v\d+/(?P<rest>.*)") is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "invalid perl operator: (?="),
        ("(a", "missing ): (a"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("a{1001}", "invalid repetition size: {1001}"),
    ],
)
def test_an_expression_that_re2_refuses_is_refused_with_its_reason(
    pattern: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    problem = regular_expression_problem(pattern)
    assert problem is not None
    assert problem.endswith(reason)
    assert capfd.readouterr().err == ""
