"""Routes held twice: what `troth verify` has to report of what the records say."""

import pytest
from support.route_objects import gateway, key, listener, path, route, traits

from troth.api import JsonObject
from troth.engine.routes import rivals

INFRA = key("infra", "gateway")


def target(name: str, *matches: JsonObject, hosts: tuple[str, ...] = ()) -> JsonObject:
    return route(*matches, name=name, hosts=hosts)


def found(parent: JsonObject | None, *routes: JsonObject) -> list[tuple[str, str, str]]:
    holders = {} if parent is None else {INFRA: traits(parent)}
    for index, one in enumerate(reversed(routes)):
        holders[key("team", "abc"[len(routes) - 1 - index])] = traits(one)
    return [(first.name, second.name, claim) for first, second, claim in rivals(holders)]


SPELLED = "PathPrefix /x, any method, host any of Gateway infra/shared port 443"


def test_each_pair_that_holds_one_claim_is_told_once_and_sorted() -> None:
    asked = [target(name, path("/x")) for name in "abc"]

    assert found(gateway(), *asked) == [
        ("a", "b", SPELLED),
        ("a", "c", SPELLED),
        ("b", "c", SPELLED),
    ]


def test_each_claim_that_two_hold_is_told() -> None:
    both = gateway(listener(hostname="a.io"), listener("two", hostname="b.io"))
    asked = [target(name, path("/y"), path("/x")) for name in "ab"]

    assert [claim.split(" of ")[0] for _, _, claim in found(both, *asked)] == [
        f"PathPrefix /{at}, any method, host {host}.io" for at in "xy" for host in "ab"
    ]


@pytest.mark.parametrize(
    "other",
    [
        target("b", path("/x/y")),
        target("b", path("/x"), hosts=("a.io",)),
        target("b", path("/x", method="GET")),
    ],
)
def test_a_request_that_only_shadows_another_is_no_rival(other: JsonObject) -> None:
    assert found(gateway(), target("a", path("/x")), other) == []


def test_two_routes_of_one_request_are_no_rivals() -> None:
    twice = traits(target("one", path("/x")), target("two", path("/x")))

    assert rivals({INFRA: traits(gateway()), key("team"): twice}) == []


def test_a_route_that_no_listener_takes_now_has_no_rival() -> None:
    shut = gateway(listener(allowed={"namespaces": {"from": "Same"}}))

    assert found(shut, *(target(name, path("/x")) for name in "ab")) == []


def test_on_a_gateway_that_nobody_here_makes_what_may_be_one_claim_is_told() -> None:
    at_port = route(path("/x"), name="b", parents=[{"name": "shared", "namespace": "infra",
                                                    "port": 80}])  # fmt: skip
    spelled = "PathPrefix /x, any method, host any of Gateway infra/shared"

    assert found(None, target("a", path("/x")), at_port) == [("a", "b", spelled)]
