"""Stores are tried in time, and Destinations and stores say how it is with them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.platform import destination
from support.repositories import Remote

from troth.api import Destination, GitStateStore, JsonObject, StoreRef
from troth.controller.catalogue import Catalogue
from troth.controller.inspection import DESTINATIONS, STORES, Inspection, Seams
from troth.controller.open_stores import OpenStores
from troth.controller.place_statuses import store_status
from troth.engine.conditions import Condition
from troth.errors import InvalidInputError, Reason, TransientError
from troth.local.ways_in import WaysIn


@dataclass
class Board:
    """Keeps what is told; with `trouble` it cannot be told so often."""

    told: list[tuple[str, str, str, str]] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    trouble: int = 0

    def post(self, plural: str, name: str, ready: Condition) -> int | None:
        if self.trouble:
            self.trouble -= 1
            raise TransientError(Reason.CLUSTER_UNREACHABLE, "not now.")
        self.told.append((plural, name, ready.status, ready.reason))
        self.messages[name] = ready.message
        return 0


@dataclass
class Place:
    """An inspection in a folder of its own, and a clock."""

    folder: Path
    now: float = 1000.0
    rises: int = 0
    board: Board = field(default_factory=Board)
    catalogue: Catalogue = field(default_factory=Catalogue)

    def __post_init__(self) -> None:
        self.stores = OpenStores(WaysIn())
        seams = Seams(self.catalogue, self.stores, self.board, self.rise, lambda: self.now)
        self.inspection = Inspection(seams)

    def rise(self) -> None:
        self.rises += 1

    def news(self) -> list[tuple[str, str, str, str]]:
        """Go round, and return what was told then."""
        self.board.told.clear()
        self.inspection.go_round()
        return list(self.board.told)

    def has_store(self, name: str, folder: str = "", **spec: str) -> None:
        kind = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "GitStateStore"}
        url = str(self.folder / (folder or f"{name}.git"))
        raw: JsonObject = {**kind, "metadata": {"name": name}, "spec": {"url": url, **spec}}
        self.catalogue.stores.put(name, GitStateStore.parse(raw))

    def has_destination(self, one: Destination) -> None:
        self.catalogue.destinations.put(one.name, one)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_store_and_its_destination_are_ready(place: Place) -> None:
    Remote.create(place.folder / "fleet.git")
    place.has_store("fleet")
    place.has_destination(destination("prod", store="fleet"))

    assert place.news() == [
        (STORES, "fleet", "True", "StateStoreReady"),
        (DESTINATIONS, "prod", "True", "DestinationReady"),
    ]
    assert place.board.messages == {
        "fleet": "State store is ready",
        "prod": "Destination is ready",
    }
    assert place.rises == 1


def test_nothing_is_told_twice(place: Place) -> None:
    Remote.create(place.folder / "fleet.git")
    place.has_store("fleet")
    place.news()
    place.now += 10_000

    assert place.news() == []
    assert place.rises == 1


def test_an_object_that_was_edited_is_told_of_its_newest_state(place: Place) -> None:
    Remote.create(place.folder / "fleet.git")
    place.has_store("fleet")
    place.news()
    place.catalogue.generations.put((STORES, "fleet"), 2)

    assert place.news() == [(STORES, "fleet", "True", "StateStoreReady")]


def test_a_store_that_is_not_there_is_tried_again_and_then_serves(place: Place) -> None:
    place.has_store("fleet")
    place.has_destination(destination("prod", store="fleet"))

    assert place.news() == [
        (STORES, "fleet", "False", "ErrorInitialisingWriter"),
        (DESTINATIONS, "prod", "False", "StateStoreNotReady"),
    ]
    assert place.board.messages["prod"] == "GitStateStore/fleet: not ready"
    Remote.create(place.folder / "fleet.git")
    place.now += 4.9
    assert place.news() == []
    place.now += 0.1
    assert place.inspection.go_round() == place.now + 300
    assert place.board.told == [
        (STORES, "fleet", "True", "StateStoreReady"),
        (DESTINATIONS, "prod", "True", "DestinationReady"),
    ]
    assert place.rises == 1


def test_a_store_whose_object_changes_is_tried_at_once(place: Place) -> None:
    Remote.create(place.folder / "other.git")
    place.has_store("fleet")
    place.news()
    place.has_store("fleet", "other.git")

    assert place.news() == [(STORES, "fleet", "True", "StateStoreReady")]


def test_a_store_that_goes_down_is_told_when_it_is_tried_next(place: Place) -> None:
    remote = Remote.create(place.folder / "fleet.git")
    place.has_store("fleet")
    place.news()
    remote.folder.rename(place.folder / "away.git")
    place.now += 300

    [(*_, status, _)] = place.news()
    assert status == "False"


def test_a_destination_whose_store_is_not_there_says_so(place: Place) -> None:
    place.has_destination(destination("prod", store="fleet"))

    assert place.news() == [(DESTINATIONS, "prod", "False", "StateStoreNotFound")]
    assert place.board.messages["prod"] == "GitStateStore/fleet: not found"


def test_a_bucket_is_said_not_to_be_served(place: Place) -> None:
    bucket = destination("prod", store="fleet")
    reference = StoreRef("BucketStateStore", "fleet")
    place.has_store("fleet")
    place.has_destination(
        Destination(bucket.name, bucket.labels, bucket.path, reference, bucket.layout)
    )

    assert (DESTINATIONS, "prod", "False", "StateStoreNotReady") in place.news()
    assert "BucketStateStore/fleet" in place.board.messages["prod"]


def test_the_second_in_one_place_is_told_who_was_first(place: Place) -> None:
    Remote.create(place.folder / "fleet.git")
    place.has_store("fleet")
    place.has_store("twin", "fleet.git")
    for name in ("a", "b"):
        place.has_destination(destination(name, "same", store="fleet"))

    assert [(name, status) for _, name, status, _ in place.news()] == [
        ("fleet", "True"),
        ("twin", "False"),
        ("a", "True"),
        ("b", "False"),
    ]
    assert "Destination a" in place.board.messages["b"]
    assert "GitStateStore fleet" in place.board.messages["twin"]


def test_what_cannot_be_read_says_why(place: Place) -> None:
    for plural in (STORES, DESTINATIONS):
        error = InvalidInputError(Reason.INVALID_OBJECT, "spec.path: wrong.")
        place.catalogue.faults.put((plural, "one"), error)

    assert place.news() == [
        (STORES, "one", "False", "ErrorInitialisingWriter"),
        (DESTINATIONS, "one", "False", "DestinationNotReady"),
    ]
    assert place.board.messages["one"] == "spec.path: wrong."


def test_what_could_not_be_told_is_told_again_soon(place: Place) -> None:
    place.has_destination(destination("prod", store="fleet"))
    place.board.trouble = 1

    assert place.inspection.go_round() == place.now + 5
    assert place.news() == [(DESTINATIONS, "prod", "False", "StateStoreNotFound")]


def test_a_store_says_ready_in_one_word_and_of_which_state() -> None:
    ready = Condition("Ready", "True", "StateStoreReady", "State store is ready")
    now = datetime(2026, 1, 1, tzinfo=UTC)

    first = store_status({}, ready, 3, now)

    assert (first["status"], first["observedGeneration"]) == ("Ready", 3)
    later = datetime(2026, 1, 2, tzinfo=UTC)
    assert store_status(first, ready, 3, later) == first
