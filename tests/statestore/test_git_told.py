"""What a commit of many change sets says: a subject that counts, and a list above the receipts."""

import pytest
from support.repositories import OpenStore, Remote

from troth_statestore import ChangeSet, Deed
from troth_statestore.git import GitSettings
from troth_statestore.git._told import Told


def told(**numbers: int) -> Told:
    """Deeds on requests; ``of_promises_`` before the verb makes it one on Promises."""
    done: list[tuple[Deed, str]] = []
    for name, number in numbers.items():
        verb = name.removeprefix("of_promises_").replace("_", " ")
        noun = "Promise" if name.startswith("of_promises_") else "request"
        done += [(Deed(verb, noun), f"{verb} {noun} {one}") for one in range(number)]
    return Told(done)


@pytest.mark.parametrize(
    ("numbers", "subject"),
    [
        ({"Create": 2}, "Create 2 requests"),
        ({"Remove": 1, "Create": 1}, "Create 1 request and remove 1"),
        ({"Remove": 1, "Update": 2, "Create": 3}, "Create 3 requests, update 2 and remove 1"),
        (
            {"of_promises_Create": 2, "Create": 1, "Put_back": 2},
            "Put back 2 requests, create 1 and create 2 Promises",
        ),
        ({"of_promises_Update": 1, "Take_back": 1}, "Update 1 Promise and take back 1 request"),
    ],
)
def test_a_subject_counts_what_was_done_most_first(numbers: dict[str, int], subject: str) -> None:
    assert told(**numbers).subject == subject


def test_what_has_no_room_in_a_subject_is_counted_together() -> None:
    numbers = {"Create": 1000, "Update": 900, "Put_back": 800, "Adopt": 700, "Move": 600, "Bury": 1}

    assert told(**numbers).subject == "Create 1000 requests, update 900 and make 2101 other changes"


def test_a_verb_that_is_a_sentence_is_only_counted() -> None:
    assert told(**{"Think very " * 9: 2}).subject == "Make 2 changes"


def test_a_few_are_not_listed() -> None:
    assert told(Create=3, Remove=2).listing == ""


def test_of_many_a_few_of_each_deed_are_listed_and_the_others_counted() -> None:
    assert told(Remove=1, Create=7).listing.splitlines() == [
        *(f"* Create request {number}" for number in range(5)),
        "* Create 2 more",
        "* Remove request 0",
    ]


def change(number: int, verb: str) -> ChangeSet:
    key = f"k{number}"
    return ChangeSet(
        key,
        None,
        {f"{key}/f": b"1"},
        title=f"{verb} {key}",
        deed=Deed(verb, "request"),
        trailers=(("Troth-Request", key),),
    )


def test_the_list_stands_between_the_subject_and_the_receipts_none_of_which_is_left_out(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store(settings=GitSettings(one_commit_a_flush=True))

    store.commit([change(number, "Update" if number else "Create") for number in range(7)])

    [message] = remote.messages()
    first, listing, *receipts = message.split("\n\n")
    assert first == "Update 6 requests and create 1"
    assert listing.splitlines()[-2:] == ["* Update 1 more", "* Create k0"]
    assert receipts[:2] == ["Create k0", "Troth-Request: k0"]
    assert len(receipts) == 2 * 7


@pytest.mark.parametrize("deed", [Deed("Create\n", "request"), Deed("Create", "a\u2028b")])
def test_a_deed_is_told_in_a_single_line(open_store: OpenStore, deed: Deed) -> None:
    with pytest.raises(ValueError, match="no single line"):
        open_store().commit([ChangeSet("k", None, {"f": b"1"}, deed=deed)])
