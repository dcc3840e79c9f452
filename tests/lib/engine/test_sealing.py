"""For whom secrets are sealed, what of it an output depends on, and that nothing goes astray."""

from dataclasses import replace

import pytest
from support.platform import config_map, destination, promise

from troth.api import Destination, Json, Promise, Reader, dump_documents
from troth.engine import World
from troth.engine.sealing import refuse_misdirected, same_cluster, sealing_digest, seals_for
from troth.errors import OutputRefusedError, Reason


def place(name: str, certificate: str | None = "west.pem", epoch: str = "") -> Destination:
    return replace(destination(name), certificate=certificate, sealing_epoch=epoch)


def world(*places: Destination) -> World:
    return World({}, {one.name: one for one in places}, ("",))


def asked(name: str | None = None) -> Promise:
    return promise(annotations={"troth.dev/seals-for": name} if name else {})


@pytest.mark.parametrize(
    ("places", "named", "expected"),
    [
        ([place("plain", None)], None, None),
        ([place("plain", None), place("west")], None, "west"),
        ([place("west"), place("backup")], None, "backup"),
        ([place("west"), place("east", "east.pem")], None, None),
        ([place("west"), place("west-2", epoch="2")], None, None),
        ([place("west"), place("east", "east.pem")], "west", "west"),
        ([place("west")], "gone", None),
    ],
)
def test_it_is_sealed_for_the_cluster_that_is_clear(
    places: list[Destination], named: str | None, expected: str | None
) -> None:
    found = seals_for(world(*places), asked(named))

    assert (found.name if found else None) == expected


def test_one_cluster_are_those_with_one_certificate_and_one_life_of_its_keys() -> None:
    places = place("west"), place("backup"), place("east", "east.pem"), place("west-2", epoch="2")

    assert same_cluster(world(*places), places[0]) == ("backup", "west")


def test_a_digest_counts_whose_keys_and_all_their_names_but_no_certificate() -> None:
    alone = sealing_digest(world(place("west")), asked())

    assert alone == ("west", "")
    assert sealing_digest(world(place("west", "renewed.pem")), asked()) == alone
    assert sealing_digest(world(place("west", epoch="2")), asked()) == ("west", "2")
    assert sealing_digest(world(place("west"), place("z")), asked()) == ("west", "", "z")
    assert sealing_digest(world(place("plain", None)), asked()) == ()
    assert sealing_digest(world(place("a", None), place("b", None)), asked("a")) == ("a", "")


def files(meant: str | None) -> dict[str, bytes]:
    manifest = config_map("orders")
    metadata: dict[str, Json] = {"name": "orders"}
    if meant is not None:
        metadata["annotations"] = {"troth.dev/sealed-for": meant}
    return {"a.yaml": dump_documents([config_map("other"), {**manifest, "metadata": metadata}])}


@pytest.mark.parametrize("meant", [None, "west", "backup", "(known after apply)"])
def test_what_is_sealed_for_a_cluster_may_go_to_each_of_its_names(meant: str | None) -> None:
    refuse_misdirected(files(meant), place("west"), world(place("west"), place("backup")))


@pytest.mark.parametrize("meant", ["east", "gone"])
def test_what_is_sealed_for_another_cluster_is_refused_and_both_are_named(meant: str) -> None:
    places = place("west"), place("east", "east.pem")

    with pytest.raises(OutputRefusedError) as caught:
        refuse_misdirected(files(meant), places[0], world(*places))

    assert caught.value.reason is Reason.SEALED_FOR_ANOTHER
    assert f"orders is sealed for Destination {meant} and would go to west" in caught.value.message


def test_two_destinations_without_a_certificate_are_not_one_cluster() -> None:
    places = place("west", None), place("east", None)

    with pytest.raises(OutputRefusedError):
        refuse_misdirected(files("east"), places[0], world(*places))


def test_where_nobody_opens_anything_everything_may_go() -> None:
    archive = replace(place("archive", None), reader=Reader.FILES)

    refuse_misdirected(files("west"), archive, world(archive, place("west")))
