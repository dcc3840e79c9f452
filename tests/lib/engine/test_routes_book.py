"""Who may have which route: held ones, those that take from others, those no listener takes."""

import pytest
from support.route_objects import (
    gateway,
    header,
    key,
    listener,
    listener_set,
    on,
    path,
    route,
    traits,
)

from troth.api import Json, JsonObject, RequestKey
from troth.engine.routes import RouteBook, Traits
from troth.errors import HeldError, OutputRefusedError, PermanentError, Reason

INFRA = key("infra", "gateway")
HOLDER = key("team-a")


def book(*holders: JsonObject, parent: JsonObject | None = None) -> RouteBook:
    """Make a book of a Gateway (none when it is external) and of routes, each its own request."""
    held = {} if parent is None else {INFRA: traits(parent)}
    for data in holders:
        metadata = data["metadata"]
        assert isinstance(metadata, dict)
        held[key(metadata["namespace"], metadata["name"])] = traits(data)
    return RouteBook(held)


def verdict(of: RouteBook, asked: Traits, who: RequestKey) -> PermanentError | None:
    try:
        of.judge(who, asked)
    except PermanentError as error:
        return error
    return None


def reason(of: RouteBook, *objects: JsonObject, who: RequestKey | None = None) -> Reason | None:
    error = verdict(of, traits(*objects), who or key("team-b"))
    return error.reason if error is not None else None


A, B = "team-a", "team-b"
ANY: Json = [{"name": "X-Stage", "type": "RegularExpression", "value": ".*"}]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (path("/x"), path("/x"), True),
        (path("/x"), path("/x/"), True),
        (path("/x", headers=header("1", "X-A")), path("/x", headers=header("1", "x-a")), True),
        (path("/x", method="GET"), path("/x", method="GET"), True),
        (path("/x.*", "RegularExpression"), path("/x.*", "RegularExpression"), True),
        (path("/x"), path("/x", "Exact"), False),
        (path("/x"), path("/y"), False),
        (path("/x"), path("/xy"), False),
        (path("/x"), path("/x/y"), False),
        (path("/x", "Exact"), path("/x/", "Exact"), False),
        (path("/x", method="GET"), path("/x", method="PUT"), False),
        (path("/x"), path("/x", method="GET"), False),
        (path("/x", headers=header("1")), path("/x", headers=header("2")), False),
        (path("/x", headers=header("1")), path("/x", queryParams=header("1")), False),
    ],
)
def test_two_requests_may_not_have_the_same_match(
    first: JsonObject, second: JsonObject, *, same: bool
) -> None:
    held = book(route(first, namespace=A), parent=gateway())

    found = reason(held, route(second, namespace=A, name="two"), who=key(A, "two"))

    assert found is (Reason.ROUTE_HELD if same else None)


def test_who_holds_a_route_is_told_with_host_path_and_method() -> None:
    held = book(route(path("/x", method="GET"), namespace=A, hosts=["a.io"]), parent=gateway())

    error = verdict(
        held, traits(route(path("/x", method="GET"), namespace=B, hosts=["a.io"])), key(B)
    )

    assert isinstance(error, HeldError)
    assert error.holder == HOLDER
    assert error.message == (
        "HTTPRoute team-b/one: PathPrefix /x, method GET, host a.io of Gateway infra/shared port "
        "443, is held by team-a/one (target); it becomes free when that request lets go of it, and "
        "is then tried again."
    )


TWO = gateway(listener("web", 80, protocol="HTTP"), listener("https", 443))
WILD = gateway(listener("wild", hostname="*.a.io"), listener("one", hostname="x.a.io"))


def at(*hosts: str, **ref: Json) -> JsonObject:
    return route(path("/x"), namespace=A, hosts=hosts, parents=[{**on(), **ref}])


@pytest.mark.parametrize(
    ("parent", "first", "second", "same"),
    [
        (TWO, at(), at(), True),
        (TWO, at(sectionName="web"), at(), True),
        (TWO, at(port=80), at(sectionName="web"), True),
        (TWO, at(port=80), at(port=443), False),
        (TWO, at("a.io"), at("b.io"), False),
        (TWO, at("a.io"), at("b.io", "A.io"), True),
        (TWO, at("a.io"), at("*.a.io"), False),
        # A route takes from a listener no more than the hosts that both are for.
        (WILD, at("*.io", sectionName="wild"), at(sectionName="wild"), True),
        (WILD, at("x.a.io", sectionName="wild"), at(sectionName="one"), True),
        (WILD, at("y.a.io"), at(sectionName="one"), False),
        # Of a Gateway that nobody here makes, what may be one listener is taken for one.
        (None, at(), at(), True),
        (None, at(sectionName="web"), at(), True),
        (None, at(port=80), at(sectionName="web"), True),
        (None, at(sectionName="web"), at(sectionName="https"), False),
        (None, at(port=80), at(port=443), False),
        (None, at(name="other"), at(), False),
        (None, at("a.io"), at("b.io"), False),
    ],
)
def test_a_route_is_the_same_where_gateway_port_and_host_are(
    parent: JsonObject | None, first: JsonObject, second: JsonObject, *, same: bool
) -> None:
    found = reason(book(first, parent=parent), second, who=key(A, "two"))

    assert found is (Reason.ROUTE_HELD if same else None)


@pytest.mark.parametrize(
    ("there", "new", "takes"),
    [
        (path("/x"), path("/x/y"), True),
        (path("/"), path("/x"), True),
        (path("/x/y"), path("/x"), False),
        (path("/x"), path("/xy"), False),
        (path("/x"), path("/x", "Exact"), True),
        (path("/x"), path("/x/y", "Exact"), True),
        (path("/x"), path("/x/", "Exact"), True),
        (path("/x", "Exact"), path("/x"), False),
        (path("/x", "Exact"), path("/"), False),
        (path("/x"), path("/x", method="GET"), True),
        (path("/x", method="GET"), path("/x"), False),
        (path("/x", method="GET"), path("/x/y", method="PUT"), False),
        (path("/x", method="GET"), path("/x/y"), True),
        (path("/x"), path("/x", headers=header("1")), True),
        (path("/x", headers=header("1")), path("/x"), False),
        (path("/x", headers=header("1")), path("/x/y", headers=header("2")), False),
        (path("/x", headers=header("1", "a")), path("/x", headers=header("1", "b")), True),
        (path("/x", headers=ANY), path("/x/y", headers=header("1")), True),
        (path("/x", headers=header("1")), path("/x/y", headers=ANY), True),
        (path("/x"), path("/x", queryParams=header("1")), True),
        (path("/x", queryParams=header("1")), path("/x/y", queryParams=header("2")), False),
        (path("/x", headers=header("1")), path("/x", queryParams=header("1")), False),
        # What regular expressions match is worked out by the elements they begin with alone.
        (path("/y"), path("/x/.*", "RegularExpression"), False),
        (path("/v2"), path("/v1/customers/[0-9]+", "RegularExpression"), False),
        (path("/v1/customer"), path("/v1/customers/[0-9]+", "RegularExpression"), False),
        (path("/v1"), path("/v1/customers/[0-9]+", "RegularExpression"), True),
        (path("/"), path("/v1/customers/[0-9]+", "RegularExpression"), True),
        (path("/v1/customers/7/a"), path("/v1/customers/[0-9]+", "RegularExpression"), True),
        (path("/v1/customers/7", "Exact"), path("/v1/customers/.*", "RegularExpression"), True),
        (path("/v1", "Exact"), path("/v1/customers/.*", "RegularExpression"), False),
        (path("/v1/customers/.*", "RegularExpression"), path("/v1/.*", "RegularExpression"), True),
        (path("/v1/.*", "RegularExpression"), path("/v1/customers/.*", "RegularExpression"), True),
        (path("/v1/.*", "RegularExpression"), path("/v2/.*", "RegularExpression"), False),
        (path("/y"), path("/x|/y", "RegularExpression"), True),
        (path("/y"), path("/x?/y", "RegularExpression"), True),
        (path("/y"), path("/(x|y)/.*", "RegularExpression"), True),
        (path("/~y"), path("/%7Ey/.*", "RegularExpression"), True),
        (path("/%7Ey/.*", "RegularExpression"), path("/~y"), True),
        (path("/y", method="GET"), path("/x", "RegularExpression", method="PUT"), False),
        (path("/x/.*", "RegularExpression"), path("/x/y"), True),
        (path("/x/.*", "RegularExpression"), path("/x", "Exact"), True),
        (path("/x/.*", "RegularExpression"), path("/"), True),
        (path("/x/.*", "RegularExpression"), path("/y"), False),
    ],
)
def test_a_route_may_not_take_requests_from_another_namespace(
    there: JsonObject, new: JsonObject, *, takes: bool
) -> None:
    held = book(route(there, namespace=A), parent=gateway())

    found = reason(held, route(new, namespace=B))

    assert found is (Reason.ROUTE_NOT_ALLOWED if takes else None)


@pytest.mark.parametrize(
    ("there", "new", "takes"),
    [
        (route(path("/x"), namespace=A, hosts=["*.a.io"]),
         route(path("/x"), namespace=B, hosts=["b.a.io"]), True),
        (route(path("/x/y"), namespace=A, hosts=["*.a.io"]),
         route(path("/x"), namespace=B, hosts=["*.b.a.io"]), True),
        (route(path("/x", "Exact"), namespace=A), route(path(), namespace=B, hosts=["b.io"]), True),
        (route(path("/x"), namespace=A), route(path("/y"), namespace=B, hosts=["b.io"]), False),
        (route(path("/x"), namespace=A),
         route(path("/", "Exact"), namespace=B, hosts=["b.io"]), False),
        (route(path("/x"), namespace=A, hosts=["b.a.io"]),
         route(path("/x/y"), namespace=B, hosts=["*.a.io"]), False),
        (route(path("/x"), namespace=A, hosts=["a.io"]),
         route(path("/x"), namespace=B, hosts=["*.a.io"]), False),
        (route(path("/y"), namespace=A, hosts=["*.a.io"]),
         route(path("/x.*", "RegularExpression"), namespace=B, hosts=["b.a.io"]), True),
    ],
)  # fmt: skip
def test_the_nearer_host_goes_before_paths(
    there: JsonObject, new: JsonObject, *, takes: bool
) -> None:
    held = book(there, parent=gateway())

    assert reason(held, new) is (Reason.ROUTE_NOT_ALLOWED if takes else None)


def test_within_one_namespace_a_route_may_take_from_another() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())

    assert reason(held, route(path("/x/y"), namespace=A, name="two"), who=key(A, "two")) is None


def test_who_would_lose_requests_is_told_and_who_can_allow_it() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())

    error = verdict(held, traits(route(path("/x/y", method="GET"), namespace=B)), key(B))

    assert isinstance(error, HeldError)
    assert error.holder == HOLDER
    assert error.message == (
        "HTTPRoute team-b/one: PathPrefix /x/y, method GET, host any of Gateway infra/shared port "
        "443, would take requests from namespace team-a, where team-a/one (target) holds "
        "PathPrefix /x, any method, host any of Gateway infra/shared port 443. Gateway "
        "infra/shared can allow it by the annotation troth.dev/delegations: path /x/y, namespace "
        "team-b. It is made by infra/gateway (target) (in an aggregator: spec.delegations)."
    )


ELSEWHERE = "No request makes it here, so its owner has to have it made by one, with that on it."
MORE = listener_set(listener("more", 443, "b.io"))
ON_SET = [on("more", "team", kind="ListenerSet")]
IN_SET = route(path("/x"), namespace=A, parents=ON_SET)
BY_TEAM = "It is made by team/more (target) (in an aggregator: spec.delegations)."
BY_INFRA = "It is made by infra/gateway (target) (in an aggregator: spec.delegations)."


@pytest.mark.parametrize(
    ("parent", "there", "parents", "who", "made"),
    [
        (None, route(path("/x"), namespace=A), [on()], "Gateway infra/shared", ELSEWHERE),
        # The owner of a ListenerSet speaks for its routes, whoever makes the Gateway.
        (None, IN_SET, ON_SET, "ListenerSet team/more", BY_TEAM),
        (gateway(), IN_SET, ON_SET, "ListenerSet team/more", BY_TEAM),
        (gateway(), route(path("/x"), namespace=A), ON_SET, "Gateway infra/shared", BY_INFRA),
    ],
)  # fmt: skip
def test_it_is_told_which_parent_can_allow_it_and_who_makes_that(
    parent: JsonObject | None, there: JsonObject, parents: list[JsonObject], who: str, made: str
) -> None:
    held = book(MORE, there, parent=parent)

    error = verdict(held, traits(route(path("/x/y"), namespace=B, parents=parents)), key(B))

    assert error is not None
    assert f". {who} can allow it by" in error.message
    assert error.message.endswith(made)


def test_a_request_that_makes_the_gateway_itself_is_told_so() -> None:
    held = book(route(path("/x"), namespace=A))
    asked = traits(gateway(), route(path("/x/y"), namespace="infra"))

    error = verdict(held, asked, INFRA)

    assert error is not None
    assert "It is made by infra/gateway (target)" in error.message


@pytest.mark.parametrize(
    ("delegation", "asked", "allowed"),
    [
        (("/x/y", B), path("/x/y"), True),
        (("/x", B), path("/x/y"), True),
        (("/", B), path("/x/y"), True),
        (("/x/y", B), path("/x/y", "Exact"), True),
        (("/x/y/z", B), path("/x/y"), False),
        (("/x/yy", B), path("/x/y"), False),
        (("/x/y", "team-c"), path("/x/y"), False),
        (("/x", B), path("/x/y/[0-9]+", "RegularExpression"), True),
        (("/x", B), path("/x|/y", "RegularExpression"), False),
        (("/x", B), path("/x/a|/y", "RegularExpression"), False),
        (("/", B), path("/x|/y", "RegularExpression"), True),
        (("/x", B), path("^/x/.*", "RegularExpression"), True),
        (("/x", B), path("/xy*", "RegularExpression"), False),
        (("/x", B), path("/x/?", "RegularExpression"), False),
    ],
)
def test_the_gateways_owner_can_allow_a_namespace_what_lies_at_or_below_a_path(
    delegation: tuple[str, str], asked: JsonObject, *, allowed: bool
) -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway(delegations=[delegation]))

    assert reason(held, route(asked, namespace=B)) is (
        None if allowed else Reason.ROUTE_NOT_ALLOWED
    )


@pytest.mark.parametrize(
    ("there", "allowed"),
    [
        (route(path("/x"), namespace=A, parents=ON_SET), True),
        (route(path("/x"), namespace=A), False),
    ],
)
def test_the_owner_of_a_listener_set_speaks_for_its_routes_alone(
    there: JsonObject, *, allowed: bool
) -> None:
    more = listener_set(listener("more", 443, "b.io"), delegations=[("/", B)])
    held = RouteBook(
        {
            INFRA: traits(gateway(allowedListeners={"namespaces": {"from": "All"}})),
            key("team"): traits(more),
            HOLDER: traits(there),
        }
    )

    found = reason(held, route(path("/x/y"), namespace=B, parents=ON_SET))

    assert found is (None if allowed else Reason.ROUTE_NOT_ALLOWED)


def test_the_gateways_owner_speaks_for_its_listener_sets_too() -> None:
    held = book(
        listener_set(listener("more", 443, "b.io")),
        route(path("/x"), namespace=A),
        parent=gateway(delegations=[("/x", B)]),
    )

    assert reason(held, route(path("/x"), namespace=B, parents=ON_SET)) is None


def test_listeners_of_a_set_are_listeners_of_its_gateway() -> None:
    held = book(
        listener_set(listener("more", 8443), namespace="team"),
        route(path("/x"), namespace=A, parents=ON_SET),
        parent=gateway(listener("https", 8443)),
    )

    assert reason(held, route(path("/x"), namespace=B)) is Reason.ROUTE_HELD


@pytest.mark.parametrize(
    ("asked", "parent", "told"),
    [
        (route(namespace=B), gateway(listener(allowed={"namespaces": {"from": "Same"}})),
         "the listener allows routes of namespaces infra, not of team-b"),
        (route(namespace=B, hosts=["b.io"]), gateway(listener(hostname="*.a.io")),
         "its listeners are for *.a.io, the route is for b.io"),
        (route(namespace=B, parents=[on(sectionName="web")]), gateway(),
         "it has no listener web, only https on port 443"),
        (route(namespace=B, parents=[on(port=80)]), gateway(),
         "it has no listener on port 80, only https on port 443"),
        (route(namespace=B), gateway(listener(protocol="TLS")),
         "none of these listeners takes a HTTPRoute: https (TLS)"),
    ],
)  # fmt: skip
def test_a_route_that_no_listener_takes_is_refused_and_told_why(
    asked: JsonObject, parent: JsonObject, told: str
) -> None:
    error = verdict(book(parent=parent), traits(asked), key(B))

    assert isinstance(error, HeldError)
    assert error.reason is Reason.ROUTE_NOT_ALLOWED
    assert error.holder == INFRA
    assert told in error.message


def test_a_route_that_ones_own_gateway_does_not_take_is_the_requests_own_doing() -> None:
    asked = traits(gateway(listener(hostname="a.io")), route(namespace="infra", hosts=["b.io"]))

    error = verdict(RouteBook({}), asked, INFRA)

    assert isinstance(error, OutputRefusedError)
    assert error.reason is Reason.ROUTE_NOT_ALLOWED


def test_every_parent_of_a_route_has_to_take_it() -> None:
    asked = route(namespace=B, parents=[on(), on(sectionName="web")])

    assert reason(book(parent=gateway()), asked) is Reason.ROUTE_NOT_ALLOWED


def test_a_route_of_no_namespace_counts_as_its_requests() -> None:
    bare = {**route(path("/x/y")), "metadata": {"name": "one"}}
    held = book(route(path("/x"), namespace=A), parent=gateway())

    assert reason(held, bare, who=key(A, "two")) is None
    assert reason(held, bare, who=key(B)) is Reason.ROUTE_NOT_ALLOWED


OPEN = gateway(allowedListeners={"namespaces": {"from": "All"}})


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (listener("mine", 443), Reason.ROUTE_HELD),
        (listener("mine", 443, "a.io"), None),
        (listener("mine", 8443), None),
        (listener("mine", 8443, "b.io"), Reason.ROUTE_HELD),
    ],
)
def test_a_listener_of_another_request_is_not_taken(
    heard: JsonObject, expected: Reason | None
) -> None:
    there = listener_set(listener("theirs", 8443, "b.io"), namespace=A, name="one")
    held = book(there, parent=OPEN)

    assert reason(held, listener_set(heard, namespace=B), who=key(B)) is expected


def test_a_gateway_does_not_take_the_listener_of_a_set_that_was_there_first() -> None:
    held = book(listener_set(listener("theirs", 8443), namespace=A, name="one"), parent=OPEN)
    wider = gateway(listener(), listener("new", 8443))

    error = verdict(held, traits(wider), INFRA)

    assert isinstance(error, HeldError)
    assert error.holder == HOLDER


def test_a_listener_that_was_let_go_of_is_free() -> None:
    there = listener_set(listener("theirs", 8443), namespace=A, name="one")
    held = book(there, parent=OPEN)
    held.take(HOLDER, Traits())

    assert reason(held, listener_set(listener("mine", 8443), namespace=B)) is None


def test_a_request_keeps_its_listener_although_another_has_the_same() -> None:
    sets = [listener_set(listener("same", 8443), namespace=one, name="one") for one in (A, B)]
    held = book(*sets, parent=OPEN)

    assert reason(held, sets[0], who=HOLDER) is None


def test_a_gateway_that_takes_no_listener_sets_is_told_by_name() -> None:
    error = verdict(book(parent=gateway()), traits(listener_set(listener())), key("team"))

    assert isinstance(error, HeldError)
    assert error.reason is Reason.ROUTE_NOT_ALLOWED
    assert error.message == (
        "ListenerSet team/more: Gateway infra/shared does not take it: its allowedListeners are "
        "for no namespace. It is made by infra/gateway (target)."
    )


def test_two_routes_of_one_request_may_not_claim_the_same() -> None:
    asked = traits(route(path("/x"), namespace=B), route(path("/x"), namespace=B, name="two"))

    error = verdict(book(parent=gateway()), asked, key(B))

    assert isinstance(error, OutputRefusedError)
    assert error.reason is Reason.DUPLICATE_OBJECT
    assert "HTTPRoute team-b/one of the same request" in error.message


def test_two_routes_of_one_request_may_claim_the_same_on_two_ports() -> None:
    asked = [route(name=str(port), parents=[on(port=port)]) for port in (80, 443)]

    assert reason(book(parent=TWO), *asked) is None


def test_two_routes_of_one_request_stay_although_their_listeners_are_one_port_now() -> None:
    asked = traits(
        route(path("/x"), hosts=["x.a.io"], parents=[on(sectionName="wild")], name="one"),
        route(path("/x"), hosts=["x.a.io"], parents=[on(sectionName="one")], name="two"),
    )
    apart = gateway(listener("wild", 444), listener("one"))
    held = RouteBook({INFRA: traits(apart), key("team"): asked})
    held.take(INFRA, traits(WILD))

    assert verdict(held, asked, key("team")) is None


@pytest.mark.parametrize(
    "asked",
    [
        route(path("/x"), path("/x")),
        route(path("/x"), parents=[on(), on(sectionName="https")]),
    ],
)
def test_one_route_may_claim_the_same_twice(asked: JsonObject) -> None:
    assert reason(book(parent=gateway()), asked) is None


def test_a_request_may_say_otherwise_what_it_has() -> None:
    held = book(at(), parent=TWO)

    assert reason(held, at(sectionName="https"), who=key(A)) is None


def test_a_request_may_take_from_its_own_routes_in_another_namespace() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())
    both = [route(path("/x"), namespace=A), route(path("/x/y"), namespace=B)]

    assert reason(held, *both, who=HOLDER) is None


def test_a_gateway_that_a_request_lets_go_of_is_not_known_to_its_routes_any_more() -> None:
    held = book(parent=gateway(listener(hostname="a.io")))

    assert reason(held, route(hosts=["b.io"], namespace="infra"), who=INFRA) is None


def test_a_request_keeps_what_it_has_although_a_shorter_path_came_to_be_anothers() -> None:
    held = book(route(path("/x/y"), namespace=A), route(path("/x"), namespace=B), parent=gateway())

    assert reason(held, route(path("/x/y"), namespace=A), who=HOLDER) is None
    assert reason(held, route(path("/x/z"), namespace=A), who=HOLDER) is Reason.ROUTE_NOT_ALLOWED


def test_a_request_keeps_what_it_has_when_consent_is_withdrawn() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway(delegations=[("/x", B)]))
    asked = traits(route(path("/x/y"), namespace=B))
    held.judge(key(B), asked)
    held.take(key(B), asked)
    held.take(INFRA, traits(gateway()))

    assert verdict(held, asked, key(B)) is None


def test_a_request_is_refused_when_its_listener_no_longer_takes_its_namespace() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())
    held.take(INFRA, traits(gateway(listener(allowed={"namespaces": {"from": "Same"}}))))

    assert reason(held, route(path("/x"), namespace=A), who=HOLDER) is Reason.ROUTE_NOT_ALLOWED


def test_what_a_request_lets_go_of_is_free() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())
    held.take(HOLDER, traits(route(path("/z"), namespace=A)))

    assert reason(held, route(path("/x"), namespace=B)) is None
    assert reason(held, route(path("/z"), namespace=B)) is Reason.ROUTE_HELD


def test_a_request_that_is_gone_holds_nothing() -> None:
    held = book(route(path("/x"), namespace=A), parent=gateway())
    held.take(HOLDER, Traits())

    assert reason(held, route(path("/x"), namespace=B)) is None


def test_a_gateway_that_appears_is_known_to_the_routes_that_waited_for_it() -> None:
    held = book(route(path("/x"), namespace=A, parents=[on(sectionName="https")]))
    other = route(path("/x"), namespace=B, parents=[on(sectionName="second")])
    assert reason(held, other) is None
    held.take(INFRA, traits(gateway(listener(), listener("second", hostname="*.a.io"))))

    assert reason(held, other) is Reason.ROUTE_NOT_ALLOWED


def test_a_gateway_that_is_gone_leaves_its_routes_as_they_say() -> None:
    parent = gateway(listener(hostname="a.io"))
    held = book(route(path("/x"), namespace=A, hosts=["a.io", "b.io"]), parent=parent)
    assert reason(held, route(path("/x"), namespace=B, hosts=["b.io"])) is Reason.ROUTE_NOT_ALLOWED
    held.take(INFRA, Traits())

    assert reason(held, route(path("/x"), namespace=B, hosts=["b.io"])) is Reason.ROUTE_HELD


def test_judging_writes_nothing_down() -> None:
    held = book(parent=gateway())
    held.judge(key(A), traits(route(path("/x"), namespace=A)))

    assert reason(held, route(path("/x"), namespace=B)) is None


def test_the_first_holder_by_key_is_named_whatever_the_order_they_came_in() -> None:
    routes = {key(team): traits(route(path("/x"), namespace=team)) for team in ("c", "a", "b")}

    error = verdict(RouteBook(routes), traits(route(path("/x"), namespace="d")), key("d"))

    assert isinstance(error, HeldError)
    assert error.holder == key("a")
