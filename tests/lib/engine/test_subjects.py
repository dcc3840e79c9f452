"""A commit's subject begins with what happened."""

from dataclasses import replace

import pytest
from support.platform import Platform, config_map, destination, promise, request

from troth_statestore.memory import MemoryStore


def titles(platform: Platform) -> list[str]:
    return [one.title for one in platform.handed_in if not one.key.startswith("revisions/")]


def test_each_change_is_called_what_it_is() -> None:
    platform = Platform()
    said: list[str] = []
    platform.sync(request(value="a"))
    said += titles(platform)
    platform.sync(request(value="b"))
    said += titles(platform)
    [path] = platform.files
    platform.tamper({path: b"by: hand\n"})
    platform.sync(request(value="b"))
    said += titles(platform)
    platform.destinations = [replace(platform.destinations[0], path="moved")]
    platform.sync(request(value="b"))
    said += titles(platform)
    platform.sync()
    said += titles(platform)

    verbs = ["Create", "Update", "Put back", "Move", "Remove"]
    assert said == [f"{verb} team/one (thing)" for verb in verbs]


def test_what_stood_there_before_is_adopted() -> None:
    platform = Platform(destinations=[destination("cluster")])
    platform.tamper({"cluster/resources/team/thing/one/configure/5058f/old.yaml": b"old: 1\n"})

    platform.sync(request())

    assert titles(platform) == ["Adopt team/one (thing)"]


def deeds(platform: Platform) -> list[tuple[str, str]]:
    return [(one.deed.verb, one.deed.noun) for one in platform.handed_in if one.files or one.delete]


def test_each_change_is_counted_by_its_verb_and_by_what_it_is_done_to() -> None:
    platform = Platform(
        promises=[promise(dependencies=[config_map("operator", "operator")])],
        destinations=[replace(destination("cluster"), canaries=True)],
    )

    platform.sync(request())
    created = deeds(platform)
    platform.sync()

    assert sorted(created) == [
        ("Create", "Promise"),
        ("Create", "request"),
        ("Write the canaries of", "Destination"),
    ]
    assert deeds(platform) == [("Remove", "request")]


@pytest.mark.parametrize("verb", ["Update", "Put back"])
def test_a_change_is_counted_by_the_verb_of_its_subject(verb: str) -> None:
    platform = Platform()
    platform.sync(request(value="a"))
    [path] = platform.files
    platform.tamper({path: b"by: hand\n"})

    platform.sync(request(value="a" if verb == "Put back" else "b"))

    [change] = platform.handed_in
    assert change.title.startswith(f"{verb} ")
    assert change.deed == (verb, "request")


def test_what_moves_between_stores_is_counted_as_moved_where_it_leaves() -> None:
    platform = Platform(
        destinations=[destination("cluster", store="main"), destination("far", store="other")],
        others={"other": MemoryStore()},
    )
    platform.destinations[1] = replace(platform.destinations[1], labels={"no": "one"})
    platform.sync(request())
    platform.destinations[0] = destination("cluster", store="other")
    platform.sync(request())
    platform.destinations[0] = destination("cluster", "moved", store="main")

    platform.sync(request())

    assert {title.partition(" team")[0] for title in titles(platform)} == {"Move"}
    assert {deed for deed, _ in deeds(platform)} == {"Move"}
