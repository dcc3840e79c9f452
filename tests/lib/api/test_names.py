"""Kubernetes' rules for names, at their edges."""

from collections.abc import Callable

import pytest

from troth.api.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
    path_segment_problem,
)

GOOD: list[tuple[Callable[[str], str | None], list[str]]] = [
    (dns_label_problem, ["a", "0", "a-b", "a--b", "a" * 63]),
    (dns_subdomain_problem, ["a", "a.b-c.0", "a" * 253, "a." * 126 + "a"]),
    (path_segment_problem, ["system:node", "A B", "...", "a.b"]),
    (label_value_problem, ["", "a", "A_b.c-d", "1", "a" * 63]),
    (label_key_problem, ["a", "A_b.c", "example.com/a", "a" * 63, "a.b/" + "a" * 63]),
]
BAD: list[tuple[Callable[[str], str | None], list[str]]] = [
    (dns_label_problem, ["", "A", "a.b", "-a", "a-", "a_b", "a" * 64, "a\n", "é", "a/b"]),
    (dns_subdomain_problem, ["", "a..b", ".a", "a.", "a.-b", "A", "a" * 254, "a\n"]),
    (path_segment_problem, ["", ".", "..", "a/b", "a%b"]),
    (label_value_problem, ["-a", "a-", "a b", "a:b", "a@b.c", "a" * 64, "a\n", "é"]),
    (label_key_problem,
     ["", "/a", "a/", "a/b/c", "A.com/a", "a b", "_a", "a" * 64, "a.b/" + "a" * 64,
      "a" * 254 + "/a"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "name"), [(check, name) for check, names in GOOD for name in names]
)
def test_a_good_name_passes(check: Callable[[str], str | None], name: str) -> None:
    assert check(name) is None


@pytest.mark.parametrize(
    ("check", "name"), [(check, name) for check, names in BAD for name in names]
)
def test_a_bad_name_is_quoted_in_what_is_said_of_it(
    check: Callable[[str], str | None], name: str
) -> None:
    problem = check(name)

    assert problem is not None
    assert repr(name)[1:40].rstrip("'") in problem


@pytest.mark.parametrize("check", [check for check, _ in BAD[:2]] + [label_value_problem])
def test_a_name_of_any_length_is_cut_in_what_is_said_of_it(
    check: Callable[[str], str | None],
) -> None:
    problem = check("x" * 100_000)

    assert problem is not None
    assert "100000 characters" in problem
    assert len(problem) < 200
