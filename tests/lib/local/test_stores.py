"""Which state store a command means."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from troth.api import AuthMethod, Destination, GitStateStore, SecretRef, StoreRef
from troth.errors import InvalidInputError, NotServedError, PermanentError, Reason
from troth.local import CommitPolicy
from troth.local.stores import StoreChoice, choose
from troth_statestore.git import Author


def store(name: str = "main", *, secret: bool = False, email: str = "") -> GitStateStore:
    return GitStateStore(
        name=name,
        url=f"https://example.com/{name}.git",
        branch="trunk",
        path="platform",
        author_name="A Bot",
        author_email=email,
        auth_method=AuthMethod.BASIC,
        secret=SecretRef("platform", "login") if secret else None,
    )


def destination(
    name: str, reference: str | None = "main", kind: str = "GitStateStore"
) -> Destination:
    found = StoreRef(kind, reference) if reference else None
    return Destination(name=name, labels={}, path=name, store=found)


def stores(*given: GitStateStore) -> dict[str, GitStateStore]:
    return {one.name: one for one in given}


def only(
    option: str | None,
    branch: str | None,
    destinations: list[Destination],
    known: dict[str, GitStateStore],
) -> StoreChoice:
    chosen = choose(option, branch, destinations, known)
    assert list(chosen) == [""]
    return chosen[""]


def test_an_option_wins_over_every_object() -> None:
    chosen = only("dir:out", None, [destination("a")], stores(store(secret=True)))

    assert chosen == StoreChoice("dir:out", "main")


def test_an_option_may_bring_its_branch() -> None:
    assert only("repo.git", "live", [], {}) == StoreChoice("repo.git", "live")


def test_without_an_option_it_is_the_store_that_destinations_refer_to() -> None:
    chosen = only(
        None,
        None,
        [destination("a"), destination("b")],
        stores(store(), store("unused", secret=True)),
    )

    assert chosen == StoreChoice(
        "https://example.com/main.git",
        "trunk",
        "platform",
        CommitPolicy(Author("A Bot", Author().email)),
        name="main",
    )


def test_the_authors_address_is_the_stores() -> None:
    chosen = only(None, None, [destination("a")], stores(store(email="bot@example.com")))

    assert chosen.commits.author == Author("A Bot", "bot@example.com")


def test_a_branch_option_wins_over_the_stores() -> None:
    assert only(None, "live", [destination("a")], stores(store())).branch == "live"


@pytest.mark.parametrize("destinations", [[], [destination("a", None)]])
def test_the_only_store_there_is_needs_no_destination(destinations: list[Destination]) -> None:
    assert only(None, None, destinations, stores(store())).location.endswith("main.git")


def test_several_stores_are_opened_by_name() -> None:
    destinations = [destination("a"), destination("b", "other")]

    chosen = choose(None, None, destinations, stores(store(), store("other"), store("unused")))

    assert {name: one.location for name, one in chosen.items()} == {
        "main": "https://example.com/main.git",
        "other": "https://example.com/other.git",
        "unused": "https://example.com/unused.git",
    }


REFUSED: list[tuple[Callable[[], StoreChoice], type[PermanentError], str]] = [
    (lambda: only(None, None, [], {}), InvalidInputError, "give --state-store"),
    (lambda: only(None, None, [], stores(store("b"), store("a"))), InvalidInputError,
     r"several state stores \(a, b\) and no Destination refers to one"),
    (lambda: only(None, None, [destination("a"), destination("b", "twin")],
                  stores(store(), replace(store(), name="twin"))), InvalidInputError,
     "GitStateStores main and twin are the same place"),
    (lambda: only(None, None, [destination("a", "gone")], stores(store())), InvalidInputError,
     "'gone' that Destinations refer to is not among the files"),
    (lambda: only(None, None, [destination("a")], stores(store(secret=True))), InvalidInputError,
     "GitStateStore main has a secretRef, to Secret platform/login: say with --secrets-dir"),
    (lambda: only(None, None, [destination("a")],
                  stores(replace(store(), auth_method=AuthMethod.GITHUB_APP))), NotServedError,
     "GitStateStore main has the authMethod githubApp, which comes later"),
    (lambda: only(None, None, [destination("a", kind="BucketStateStore")], stores(store())),
     NotServedError, "refer to a BucketStateStore"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[r[2] for r in REFUSED])
def test_a_store_that_cannot_be_meant_is_refused_with_what_to_do(
    call: Callable[[], StoreChoice], error: type[PermanentError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        call()

    unserved = error is NotServedError
    assert (caught.value.reason == Reason.STATE_STORE_UNSUPPORTED) is unserved
