"""Subjects of permissions are taken when a server reads them as they are meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import InvalidInputError
from troth_pipelines.nats.permissions import Permissions, SubjectRules
from troth_pipelines.nats.subjects import SUBJECT_LIMIT, check_subjects, subject_problem

tokens = st.text("abz-_$:/é0", min_size=1, max_size=6) | st.just("*")
subjects = st.builds(
    lambda parts, tail: ".".join([*parts, *tail]),
    st.lists(tokens, min_size=1, max_size=5),
    st.sampled_from([[], [">"]]),
)


@given(subject=subjects)
def test_tokens_with_whole_wildcards_are_a_subject(subject: str) -> None:
    assert subject_problem(subject) is None
    assert subject_problem(subject, queue=True) is None


@given(subject=subjects, queue=subjects)
def test_a_queue_is_allowed_where_a_subscription_is_meant(subject: str, queue: str) -> None:
    assert subject_problem(f"{subject} {queue}", queue=True) is None
    assert subject_problem(f"{subject} {queue}") is not None


@given(
    subject=subjects,
    place=st.integers(0, 40),
    character=st.sampled_from("\0\t\n\r\x7f\u00a0\u2028\u200b\ud800"),
)
def test_no_subject_holds_what_cannot_be_seen(subject: str, place: int, character: str) -> None:
    problem = subject_problem(subject[:place] + character + subject[place:], queue=True)

    assert problem is not None
    assert problem.isprintable()


@pytest.mark.parametrize("subject", ["a", ">", "*", "a.*.b.>", "$SYS.>", "_INBOX.>", "ü.ß"])
def test_a_subject_that_nats_takes_has_no_problem(subject: str) -> None:
    assert subject_problem(subject) is None


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("", "'>' stands for all of them"),
        (".", "an empty token"),
        (".a", "an empty token"),
        ("a.", "an empty token"),
        ("a..b", "an empty token"),
        (">.a", "has '>' before its end"),
        ("a.>.b", "has '>' before its end"),
        ("a*", "holds '*' within 'a*'"),
        ("a.**", "within '**'"),
        ("a>", "holds '>' within 'a>'"),
        ("a b", "holds a blank"),
        ("a\tb", "a control character"),
        ("orders.{{name()}}", "scoped signing keys only"),
        ("a" * (SUBJECT_LIMIT + 1), "1025 characters"),
    ],
)
def test_a_subject_that_would_not_mean_what_it_says_is_refused(subject: str, words: str) -> None:
    problem = subject_problem(subject)

    assert problem is not None
    assert words in problem
    assert len(problem) < 300


@pytest.mark.parametrize(
    "subject", ["a ", " a", "a  b", "a b c", "a b.", "a .b", "a b*", "a.* b.>.c"]
)
def test_a_queue_is_one_subject_after_one_blank(subject: str) -> None:
    assert subject_problem(subject, queue=True) is not None


def test_an_error_names_field_and_subject() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_subjects(["fine", "not..fine"], ("spec", "publish", "allow"))

    assert caught.value.message.startswith("spec.publish.allow[1]: 'not..fine' has an empty token")
    assert caught.value.field == ("spec", "publish", "allow", 1)


def test_a_subject_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"allow\[2\]: 'a' stands here twice"):
        check_subjects(["a", "b", "a"], ("allow",))


@pytest.mark.parametrize(
    ("permissions", "place"),
    [
        (Permissions(publish=SubjectRules(allow=("a q",))), "spec.publish.allow[0]"),
        (Permissions(publish=SubjectRules(deny=("a", "a."))), "spec.publish.deny[1]"),
        (Permissions(subscribe=SubjectRules(allow=("a q", "b c d"))), "spec.subscribe.allow[1]"),
        (Permissions(subscribe=SubjectRules(deny=("",))), "spec.subscribe.deny[0]"),
    ],
)
def test_every_side_of_the_permissions_is_checked(permissions: Permissions, place: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        permissions.check(("spec",))

    assert caught.value.message.startswith(f"{place}: ")
