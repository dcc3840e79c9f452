"""Who keeps a route that no listener takes for now: nobody else gets it while its files stay."""

import pytest
from support.route_objects import ALL, gateway, key, listener, listener_set, on, path, route, traits

from troth.api import Json, JsonObject, RequestKey
from troth.engine.routes import RouteBook
from troth.errors import HeldError, PermanentError, Reason

A, B = "team-a", "team-b"
INFRA, FIRST, THIRD = key("infra", "gateway"), key(A, "t1"), key(B, "t3")
HOST = "api.example.com"


def only(*namespaces: str) -> JsonObject:
    labels = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}
    return {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [labels]}}}


def heard(*hosts: str, allowed: JsonObject = ALL) -> JsonObject:
    return gateway(*(listener(host, 443, host, allowed) for host in hosts))


OPEN = heard(HOST, "other.example.com")
SHUT = heard(HOST, "other.example.com", allowed=only(B))
FEWER = heard("other.example.com")


def asked(
    namespace: str = A, *hosts: str, at: str = "/x", kind: str = "PathPrefix", **ref: Json
) -> JsonObject:
    name = "t1" if namespace == A else "t3"
    parents = [{**on(), **ref}]
    return route(path(at, kind), namespace=namespace, name=name, hosts=hosts, parents=parents)


def shut_out(first: JsonObject, now: JsonObject) -> RouteBook:
    """Make a book in which `first` was taken by an open Gateway, which has changed since."""
    book = RouteBook({INFRA: traits(OPEN), FIRST: traits(first)})
    book.take(INFRA, traits(now))
    return book


def verdict(of: RouteBook, new: JsonObject, who: RequestKey = THIRD) -> PermanentError | None:
    try:
        of.judge(who, traits(new))
    except PermanentError as error:
        return error
    return None


def reason(of: RouteBook, new: JsonObject, who: RequestKey = THIRD) -> Reason | None:
    error = verdict(of, new, who)
    return error.reason if error is not None else None


@pytest.mark.parametrize(
    ("first", "now", "new", "expected"),
    [
        # Its namespace is no longer taken.
        (asked(), SHUT, asked(B), Reason.ROUTE_HELD),
        (asked(A, HOST), SHUT, asked(B, HOST), Reason.ROUTE_HELD),
        (asked(A, HOST), SHUT, asked(B), Reason.ROUTE_HELD),
        (asked(), SHUT, asked(B, HOST), Reason.ROUTE_HELD),
        (asked(A, "*.example.com"), SHUT, asked(B, HOST), Reason.ROUTE_HELD),
        (asked(A, HOST), SHUT, asked(B, "*.example.com"), Reason.ROUTE_HELD),
        (asked(A, HOST), SHUT, asked(B, "other.example.com"), None),
        (asked(port=443), SHUT, asked(B), Reason.ROUTE_HELD),
        (asked(sectionName=HOST), SHUT, asked(B, port=443), Reason.ROUTE_HELD),
        (
            asked(sectionName=HOST),
            SHUT,
            asked(B, sectionName="other.example.com"),
            Reason.ROUTE_HELD,
        ),
        (asked(), SHUT, asked(B, at="/y"), None),
        # Its host is no longer listened for.
        (asked(A, HOST), FEWER, asked(B), Reason.ROUTE_HELD),
        (asked(A, HOST), FEWER, asked(B, "*.example.com"), Reason.ROUTE_HELD),
        (asked(A, HOST), FEWER, asked(B, HOST, "other.example.com"), Reason.ROUTE_HELD),
        (asked(A, HOST, "other.example.com"), FEWER, asked(B), Reason.ROUTE_HELD),
        (asked(A, HOST), FEWER, asked(B, "other.example.com"), None),
        # Its listener is gone, and only its name told which host was meant.
        (asked(sectionName=HOST), FEWER, asked(B), Reason.ROUTE_HELD),
    ],
)
def test_a_route_that_no_listener_takes_now_is_still_held(
    first: JsonObject, now: JsonObject, new: JsonObject, expected: Reason | None
) -> None:
    assert reason(shut_out(first, now), new) is expected


@pytest.mark.parametrize(
    ("first", "now", "new", "expected"),
    [
        (asked(), SHUT, asked(B, at="/x/y"), Reason.ROUTE_NOT_ALLOWED),
        (asked(at="/x/y"), SHUT, asked(B), None),
        (asked(at="/x/y"), SHUT, asked(B, HOST), None),
        (asked(A, HOST), FEWER, asked(B, at="/x/y"), Reason.ROUTE_NOT_ALLOWED),
        (asked(at="/x/.*", kind="RegularExpression"), SHUT, asked(B), Reason.ROUTE_NOT_ALLOWED),
    ],
)
def test_what_no_listener_takes_now_is_not_shadowed_either(
    first: JsonObject, now: JsonObject, new: JsonObject, expected: Reason | None
) -> None:
    assert reason(shut_out(first, now), new) is expected


@pytest.mark.parametrize(
    ("host", "expected"), [("*.example.com", None), (HOST, Reason.ROUTE_NOT_ALLOWED)]
)
def test_a_host_that_narrows_a_listener_may_not_take_from_a_wider_one_that_is_shut_out(
    host: str, expected: Reason | None
) -> None:
    wide = heard("*.example.com", allowed=only(B))
    book = RouteBook({INFRA: traits(wide), FIRST: traits(asked(at="/x/y"))})

    assert reason(book, asked(B, host)) is expected


def test_who_is_shut_out_and_back_is_alone_again() -> None:
    book = shut_out(asked(), SHUT)
    assert reason(book, asked(B)) is Reason.ROUTE_HELD
    book.take(INFRA, traits(OPEN))

    assert reason(book, asked(), FIRST) is None
    assert reason(book, asked(B)) is Reason.ROUTE_HELD


def test_a_request_is_not_in_its_own_way_while_it_is_shut_out_in_part() -> None:
    book = shut_out(asked(A, HOST, "other.example.com"), FEWER)

    assert reason(book, asked(A, HOST, "other.example.com", at="/x/y"), FIRST) is None
    assert reason(book, asked(A, "*.example.com"), FIRST) is None


def test_what_is_shut_out_is_free_when_it_is_let_go() -> None:
    book = shut_out(asked(), SHUT)
    book.take(FIRST, traits(asked(at="/z")))

    assert reason(book, asked(B)) is None
    assert reason(book, asked(B, at="/z")) is Reason.ROUTE_HELD


def test_a_route_of_a_listener_set_is_held_on_its_gateway() -> None:
    everybody = {"namespaces": {"from": "All"}}
    shared = gateway(listener("own", 443, HOST), allowedListeners=everybody)
    on_set = {"kind": "ListenerSet", "name": "more", "namespace": "team"}
    open_set = listener_set(listener("more", 8443, HOST))
    book = RouteBook({INFRA: traits(shared), key("team"): traits(open_set)})
    book.take(FIRST, traits(route(path("/x"), namespace=A, name="t1", parents=[on_set])))
    book.take(key("team"), traits(listener_set(listener("more", 8443, HOST, only(B)))))

    assert reason(book, asked(B)) is Reason.ROUTE_HELD


def test_a_host_that_no_listener_takes_is_not_asked_for_beside_one_that_another_has() -> None:
    apart = gateway(listener("one", 443, HOST, only(A)), listener("two", 443, "b.io"))
    book = RouteBook({INFRA: traits(apart), FIRST: traits(asked(A, HOST))})

    assert reason(book, asked(B, HOST, "b.io")) is Reason.ROUTE_HELD
    assert reason(book, asked(B, HOST, "b.io", at="/x/y")) is Reason.ROUTE_NOT_ALLOWED
    assert reason(book, asked(B, "c.io", "b.io")) is None


def test_who_holds_a_route_that_no_listener_takes_is_told_and_why() -> None:
    error = verdict(shut_out(asked(), SHUT), asked(B, HOST))

    assert isinstance(error, HeldError)
    assert error.holder == FIRST
    assert error.message == (
        "HTTPRoute team-b/t3: PathPrefix /x, any method, host api.example.com of Gateway "
        "infra/shared, meets what team-a/t1 (target) holds: PathPrefix /x, any method, host any of "
        "Gateway infra/shared. No listener takes one of the two now, but it would be both's when "
        "one does; it becomes free when that request lets go of it, and is then tried again."
    )
