"""How an object that was seen gets into the catalogue, and which of those are of use."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from support.api_server import run_api_server, said
from support.desk import TestDesk, at_work
from support.platform import Platform, destination, promise

from troth.api import GitStateStore, RequestKey
from troth.controller.catalogue import Catalogue
from troth.controller.cluster import Cluster, Place, place_of_requests
from troth.controller.office import Office
from troth.errors import InvalidInputError, Reason

SERVER: dict[str, Any] = {"uid": "u", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
KEY = RequestKey("team", "thing", "one")


@pytest.fixture
def office(tmp_path: Path) -> Generator[Office]:
    with (
        run_api_server(tmp_path, lambda _: said(500)) as server,
        at_work(TestDesk(Platform())) as clerk,
    ):
        yield Office(Catalogue(), clerk, Cluster.connect(server.kubeconfig))


def promise_body(**given: Any) -> dict[str, Any]:  # noqa: ANN401
    raw: dict[str, Any] = dict(promise(**given).raw)
    return {**raw, "metadata": {**raw["metadata"], **SERVER}}


def request_body(**metadata: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "apiVersion": "test.example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "one", "namespace": "team", **SERVER, **metadata},
        "spec": {"value": "x"},
        "status": {"message": "what somebody said of it"},
    }


def store(name: str, url: str = "", **spec: str) -> GitStateStore:
    kind = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "GitStateStore"}
    where = {"url": url or f"https://git.example.com/{name}.git", **spec}
    return GitStateStore.parse({**kind, "metadata": {"name": name}, "spec": where})


def test_a_promise_without_a_fence_is_refused_and_the_fence_is_named(office: Office) -> None:
    with pytest.raises(InvalidInputError, match=r"troth\.dev/fence") as caught:
        office.see_promise(promise_body(fence=None))

    assert caught.value.reason == Reason.OUTSIDE_FENCE
    assert office.catalogue.promises.all() == {}


def test_a_promise_without_a_fence_is_served_where_that_is_allowed(office: Office) -> None:
    open_office = Office(office.catalogue, office.clerk, office.cluster, allows_open=True)

    assert open_office.see_promise(promise_body(fence=None)).name == "thing"


def test_a_promise_without_an_api_needs_no_fence(office: Office) -> None:
    office.see_promise(promise_body(fence=None, api=False))

    assert list(office.catalogue.promises.all()) == ["thing"]


def test_a_promise_that_loses_its_fence_serves_on_as_it_was(office: Office) -> None:
    before = office.see_promise(promise_body())
    with pytest.raises(InvalidInputError):
        office.see_promise(promise_body(fence=None))

    assert office.catalogue.promises.find("thing") == before


def test_a_promise_that_is_to_go_serves_its_requests_and_renders_nothing_itself(
    office: Office,
) -> None:
    body = promise_body()
    body["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    office.see_promise(body)

    assert office.catalogue.promises.find("thing") is not None
    assert office.catalogue.handed_in.all() == {}


def test_a_request_is_what_was_asked_for_and_nothing_of_its_status(office: Office) -> None:
    office.see_promise(promise_body())

    assert office.see_request(request_body()) == KEY
    submission = office.catalogue.handed_in.find(KEY)
    assert submission is not None
    assert submission.request.spec == {"value": "x"}
    assert "somebody" not in repr(submission.request)


def test_a_request_whose_promise_is_not_there_is_refused(office: Office) -> None:
    with pytest.raises(InvalidInputError) as caught:
        office.see_request(request_body())

    assert caught.value.reason == Reason.PROMISE_NOT_FOUND


def test_a_request_that_is_to_go_is_taken_out(office: Office) -> None:
    office.see_promise(promise_body())
    office.see_request(request_body())
    office.see_request(request_body(deletionTimestamp="2026-01-02T00:00:00Z"))

    assert office.catalogue.handed_in.find(KEY) is None


def test_the_objects_of_requests_are_found_by_their_promise(office: Office) -> None:
    office.see_promise(promise_body())

    place = Place("test.example.com", "v1", "things", "team")
    assert place_of_requests(office.catalogue.promises.find("thing"), "team") == place
    assert place_of_requests(None) is None


def test_of_two_destinations_in_one_place_the_first_is_used() -> None:
    catalogue = Catalogue()
    catalogue.stores.put("fleet", store("fleet"))
    for name in ("second", "first"):
        catalogue.destinations.put(name, destination(name, "same", store="fleet"))

    assert list(catalogue.usable_destinations()) == ["first"]


def test_a_destination_whose_store_is_not_there_is_not_written_to_another() -> None:
    catalogue = Catalogue()
    catalogue.stores.put("fleet", store("fleet"))
    catalogue.destinations.put("stray", destination("stray", store="elsewhere"))
    catalogue.destinations.put("prod", destination("prod", store="fleet"))

    assert list(catalogue.usable_destinations()) == ["prod"]


def test_of_two_stores_in_one_place_the_first_is_used() -> None:
    catalogue = Catalogue()
    url = "https://git.example.com/fleet.git"
    for one in (store("b", url), store("a", url), store("c", url, path="apart")):
        catalogue.stores.put(one.name, one)

    assert sorted(catalogue.usable_stores()) == ["a", "c"]


def test_who_looks_through_a_shelf_sees_it_as_it_was_then() -> None:
    catalogue = Catalogue()
    catalogue.stores.put("a", store("a"))
    before = catalogue.stores.all()
    catalogue.stores.drop("a")
    catalogue.stores.drop("never there")

    assert (list(before), catalogue.stores.all()) == (["a"], {})
