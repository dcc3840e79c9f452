"""Routes through the whole ladder: who gets one, who waits for its Gateway, who is told no."""

import pytest
from support.platform import destination, promise, request
from support.routed import apis, gate

from troth.engine import State
from troth.errors import Reason
from troth_statestore import ChangeSet


def test_a_route_waits_for_its_gateway_and_nothing_is_kept_of_it() -> None:
    platform = apis()

    items = platform.sync(request(value="/a"))

    assert (items["one"].state, items["one"].reason) == (State.WAITING, Reason.PARENT_NOT_FOUND)
    assert platform.files == {}
    assert platform.records == {}


@pytest.mark.parametrize("namespace", ["before", "then-after"])
def test_a_route_is_written_in_the_run_in_which_its_gateway_appears(namespace: str) -> None:
    platform = apis()

    items = platform.sync(request(namespace=namespace, value="/a"), gate())

    assert items["one"].state is items["edge"].state is State.WRITTEN


def test_a_gateway_that_is_made_elsewhere_is_named_in_the_promise() -> None:
    platform = apis(external="[{kind: Gateway, namespace: platform, name: edge}]")

    assert platform.sync(request(value="/a"))["one"].state is State.WRITTEN


def test_two_that_ask_for_one_route_are_decided_by_their_keys() -> None:
    platform = apis()
    asked = [request("two", value="/a"), request("one", value="/a"), gate()]

    items = platform.sync(*asked)

    assert items["one"].state is State.WRITTEN
    assert (items["two"].state, items["two"].reason) == (State.REFUSED, Reason.ROUTE_HELD)
    assert "team/one" in items["two"].message
    assert platform.sync(*reversed(asked))["two"].reason == Reason.ROUTE_HELD


def test_who_stands_in_the_store_holds_a_route_against_one_that_comes_first_by_key() -> None:
    platform = apis()
    platform.sync(request("two", value="/a"), gate())

    items = platform.sync(request("two", value="/a"), request("one", value="/a"), gate())

    assert items["two"].state is State.UNCHANGED
    assert items["one"].reason == Reason.ROUTE_HELD


def test_a_route_that_is_let_go_goes_to_the_other() -> None:
    platform = apis()
    platform.sync(request("two", value="/a"), request("one", value="/a"), gate())

    platform.sync(request("two", value="/a"), request("one", value="/b"), gate())
    items = platform.sync(request("two", value="/a"), request("one", value="/b"), gate())

    assert items["two"].state in {State.WRITTEN, State.UNCHANGED}
    assert len([path for path in platform.files if "/thing/" in path]) == 2


@pytest.mark.parametrize(("consent", "state"), [("", State.REFUSED), ("/a team-b", State.WRITTEN)])
def test_a_path_below_that_of_another_namespace_needs_the_gateways_consent(
    consent: str, state: State
) -> None:
    platform = apis()
    above, below = request("above", "team-a", value="/a"), request("below", "team-b", value="/a/b")

    items = platform.sync(above, below, gate(consent))

    assert items["above"].state is State.WRITTEN
    assert items["below"].state is state


def test_consent_that_comes_in_a_later_run_is_enough() -> None:
    platform = apis()
    above, below = request("above", "team-a", value="/a"), request("below", "team-b", value="/a/b")
    platform.sync(above, below, gate())

    items = platform.sync(above, below, gate("/a team-b"))

    assert items["below"].state is State.WRITTEN


def test_a_live_route_whose_gateway_is_gone_keeps_its_files_and_says_so() -> None:
    platform = apis()
    platform.sync(request(value="/a"), gate())
    platform.sync(request(value="/a"))

    items = platform.sync(request(value="/a"))

    assert items["one"].state is State.WAITING
    assert any("/thing/one/" in path for path in platform.files)


def test_a_record_remembers_what_routes_are_decided_by() -> None:
    platform = apis()
    platform.sync(request(value="/a"), gate())
    platform.runner.runs.clear()

    items = platform.sync(request(value="/a"), request("new", value="/a"), gate())

    assert [job.environ["KRATIX_OBJECT_NAME"] for job in platform.runner.runs] == ["new"]
    assert items["new"].reason == Reason.ROUTE_HELD


def test_a_gateway_in_another_destination_is_named_with_what_to_do() -> None:
    platform = apis()
    platform.promises = [
        promise("gate", kind="Gate", selectors={"role": "edge"}),
        promise("thing", selectors={"role": "apps"}),
    ]
    platform.destinations = [destination("a", role="apps"), destination("e", role="edge")]

    items = platform.sync(request(value="/a"), gate())

    assert items["one"].reason == Reason.PARENT_NOT_FOUND
    assert "It is in Destination e: let the selectors of both Promises" in items["one"].message


def test_listeners_of_a_gateway_that_comes_later_by_key_are_let_through_with_it() -> None:
    platform = apis()

    items = platform.sync(request("a-set", "apart", kind="Gate", colour="set"), gate())

    assert items["a-set"].state is items["edge"].state is State.WRITTEN


def test_nothing_comes_to_hang_on_a_gateway_that_the_same_run_removes() -> None:
    platform = apis()
    platform.sync(request(value="/a"), gate())

    items = platform.sync(request(value="/a"), request("new", value="/b"))

    assert items["edge"].state is State.REMOVED
    assert items["new"].reason == Reason.PARENT_NOT_FOUND
    assert not any("/thing/new/" in path for path in platform.files)


@pytest.mark.parametrize("broken", ["thing/one", "gate/edge"])
def test_a_record_that_cannot_be_read_frees_no_route(broken: str) -> None:
    platform = apis()
    platform.sync(request(value="/a"), gate())
    snapshot = platform.store.snapshot()
    [(key, version)] = [
        (key, version)
        for key, (_, version) in snapshot.records().items()
        if key.endswith(f"{broken}.yaml")
    ]
    platform.store.commit([ChangeSet(key, version, record=b"{broken")])

    items = platform.sync(request(value="/a"), request("two", "other", value="/a"), gate())

    assert items["two"].reason in {Reason.ROUTE_HELD, Reason.ROUTE_NOT_ALLOWED}
    assert not any("/thing/two/" in path for path in platform.files)
