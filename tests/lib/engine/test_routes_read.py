"""What routes are decided by: read from objects with the API's defaults, kept in records."""

import json

import pytest
from support.route_objects import (
    API,
    gateway,
    header,
    listener,
    listener_set,
    on,
    path,
    route,
    traits,
)

from troth.api import Fields, JsonObject
from troth.api.labels import DELEGATIONS
from troth.engine.routes import Traits, needs, read_traits
from troth.engine.values import ObjectId
from troth.errors import InvalidInputError, Reason

GROUP = "gateway.networking.k8s.io"
SHARED = ObjectId(GROUP, "Gateway", "infra", "shared")


def matches_of(*matches: JsonObject, kind: str = "HTTPRoute") -> list[str]:
    return [str(match) for match in traits(route(*matches, kind=kind)).routes[0].matches]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, "PathPrefix /, any method"),
        (path("/a/b/"), "PathPrefix /a/b, any method"),
        (path("//"), "PathPrefix /, any method"),
        (path("/a/", "Exact"), "Exact /a/, any method"),
        (path("/%61%2d%c3", "Exact"), "Exact /a-%C3, any method"),
        (path("/a/[0-9]+/", "RegularExpression"), "RegularExpression /a/[0-9]+/, any method"),
        (path("/a", method="GET"), "PathPrefix /a, method GET"),
        (
            {"headers": [{"name": "X-B", "value": "2"}, {"name": "x-a", "value": "1"},
                         {"name": "x-b", "value": "3"}]},
            "PathPrefix /, any method, header x-a Exact '1', header x-b Exact '2'",
        ),
        (
            {"queryParams": [{"name": "Q", "type": "RegularExpression", "value": ".*"}]},
            "PathPrefix /, any method, query Q RegularExpression '.*'",
        ),
    ],
)  # fmt: skip
def test_a_match_has_one_spelling_with_all_defaults(match: JsonObject, expected: str) -> None:
    assert matches_of(match) == [expected]


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ({}, "PathPrefix /"),
        ({"service": "shop.Cart"}, "PathPrefix /shop.Cart"),
        ({"service": "shop.Cart", "method": "Add"}, "Exact /shop.Cart/Add"),
        ({"method": "Add"}, "RegularExpression /[^/]+/Add"),
        ({"type": "RegularExpression", "service": "shop.*"}, "RegularExpression /shop.*/[^/]+"),
    ],
)
def test_a_call_of_grpc_is_the_path_it_goes_by(called: JsonObject, expected: str) -> None:
    assert matches_of({"method": called}, kind="GRPCRoute") == [f"{expected}, method POST"]


@pytest.mark.parametrize(
    "rules", [{}, {"rules": []}, {"rules": [{}]}, {"rules": [{"matches": []}]}]
)
def test_a_route_that_says_nothing_of_paths_is_for_all(rules: JsonObject) -> None:
    data = {**route(), "spec": {"parentRefs": [on()], **rules}}

    assert [str(match) for match in traits(data).routes[0].matches] == ["PathPrefix /, any method"]


def test_a_reference_without_a_namespace_means_that_of_its_object() -> None:
    found = traits(route(parents=[{"name": "own", "sectionName": "web", "port": 8080}]))

    assert found.routes[0].parents == ((ObjectId(GROUP, "Gateway", "team", "own"), "web", 8080),)


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        ({}, ("infra",)),
        ({"namespaces": {"from": "Same"}}, ("infra",)),
        ({"namespaces": {"from": "All"}}, None),
        ({"namespaces": {"from": "Selector"}}, ()),
        ({"namespaces": {"from": "Selector", "selector": {}}}, None),
        ({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "x"}}}}, None),
        (
            {"namespaces": {"from": "Selector", "selector": {
                "matchLabels": {"kubernetes.io/metadata.name": "a", "team": "x"}}}},
            ("a",),
        ),
        (
            {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["b", "a"]},
                {"key": "team", "operator": "Exists"}]}}},
            ("a", "b"),
        ),
    ],
)  # fmt: skip
def test_a_listener_says_whose_routes_it_may_take(
    allowed: JsonObject, names: tuple[str, ...] | None
) -> None:
    found = traits(gateway(listener(allowed=allowed)))

    assert found.parents[0].listeners[0].namespaces.names == names


@pytest.mark.parametrize(
    ("protocol", "allowed", "kinds"),
    [
        ("HTTPS", {}, ("GRPCRoute", "HTTPRoute")),
        ("example.com/quic", {}, ("GRPCRoute", "HTTPRoute")),
        ("TLS", {}, ()),
        ("HTTP", {"kinds": [{"kind": "HTTPRoute"}]}, ("HTTPRoute",)),
        ("HTTP", {"kinds": [{"kind": "HTTPRoute", "group": "example.com"}]}, ()),
    ],
)
def test_a_listener_says_which_kinds_it_takes(
    protocol: str, allowed: JsonObject, kinds: tuple[str, ...]
) -> None:
    found = traits(gateway(listener(protocol=protocol, allowed=allowed)))

    assert found.parents[0].listeners[0].kinds == kinds


def test_a_gateway_takes_no_listener_sets_unless_it_says_so() -> None:
    assert traits(gateway()).parents[0].listener_sets.names == ()


def test_delegations_are_read_as_prefixes_and_sorted() -> None:
    found = traits(gateway(delegations=[("/b/", "team"), ("/", "other"), ("/b", "team")]))

    assert found.parents[0].delegations == (("/", "other"), ("/b", "team"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "{}", "a", "[a]", '[{"path": "/a"}]', '[{"path": "a", "namespace": "x"}]',
     '[{"path": "/a", "namespace": "x", "method": "GET"}]', "[]\n---\n[]"],
)  # fmt: skip
def test_an_annotation_that_is_no_list_of_delegations_is_refused_by_name(text: str) -> None:
    good = gateway()
    metadata: JsonObject = {
        "name": "shared",
        "namespace": "infra",
        "annotations": {DELEGATIONS: text},
    }

    with pytest.raises(InvalidInputError) as caught:
        traits({**good, "metadata": metadata})

    assert caught.value.message.startswith("Gateway infra/shared: ")
    assert DELEGATIONS in caught.value.message


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (route(path("a")), "HTTPRoute team/one: spec.rules[0].matches[0].path.value"),
        (route(path("/", "Glob")), "spec.rules[0].matches[0].path.type: 'Glob'"),
        (route(parents=[on(port=0)]), "spec.parentRefs[0].port"),
        (gateway(listener(port=70000)), "Gateway infra/shared: spec.listeners[0].port"),
        (
            gateway(listener(allowed={"namespaces": {"from": "Some"}})),
            "spec.listeners[0].allowedRoutes.namespaces.from: 'Some'",
        ),
    ],
)
def test_what_the_api_would_not_take_is_refused_by_its_field(data: JsonObject, told: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        traits(data)

    assert told in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
        {**gateway(), "apiVersion": "networking.istio.io/v1"},
        {"kind": "HTTPRoute"},
    ],
)
def test_other_objects_have_no_traits(data: JsonObject) -> None:
    assert not traits(data)


def test_the_order_of_objects_makes_no_difference() -> None:
    objects = [gateway(), listener_set(listener("more", 8443)), route(name="b"), route(name="a")]

    assert read_traits(objects) == read_traits(objects[::-1])


FULL = traits(
    gateway(
        listener(),
        listener("web", 80, "*.example.com", {"namespaces": {"from": "Same"}}, "HTTP"),
        listener("tls", 8443, protocol="TLS"),
        delegations=[("/a", "team")],
        allowedListeners={"namespaces": {"from": "All"}},
    ),
    listener_set(listener("more", 444, allowed={"kinds": [{"kind": "GRPCRoute"}]})),
    route(
        path("/a", "Exact", method="GET", headers=header("x"), queryParams=header("y")),
        path("/b"),
        hosts=["a.example.com"],
        parents=[on(sectionName="https", port=443), on("svc", kind="Service", group="")],
    ),
    route(kind="GRPCRoute"),
)


@pytest.mark.parametrize("found", [FULL, traits(gateway()), traits(route()), Traits()])
def test_traits_come_back_from_a_record_as_they_were(found: Traits) -> None:
    spelled = json.dumps(found.encode())

    assert Traits.decode(Fields(json.loads(spelled))) == found


def test_no_traits_take_no_room_in_a_record() -> None:
    assert Traits().encode() == {}


def test_a_usual_route_takes_little_room_in_a_record() -> None:
    assert traits(route(path("/a"))).encode() == {
        "routes": [
            {
                "kind": "HTTPRoute",
                "namespace": "team",
                "name": "one",
                "parents": [{"namespace": "infra", "name": "shared"}],
                "matches": [{"path": "/a"}],
            }
        ]
    }


@pytest.mark.parametrize(
    "spelled",
    [
        {"routes": [{"name": "a", "matches": [{"path": "/a", "type": "Glob"}]}]},
        {"routes": [{"name": "a", "parents": [{"name": "b", "port": "80"}]}]},
        {"parents": [{"name": "a", "listeners": [{"name": "b", "protocol": "HTTP"}]}]},
        {"parents": [{}]},
        {"routes": {}},
    ],
)
def test_a_record_that_was_mended_wrongly_is_refused_with_its_own_reason(
    spelled: JsonObject,
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Traits.decode(Fields(spelled, reason=Reason.RECORD_UNREADABLE))

    assert caught.value.reason is Reason.RECORD_UNREADABLE


def test_routes_need_their_parents_and_listener_sets_their_gateway() -> None:
    found = traits(
        listener_set(listener()),
        route(parents=[on("other"), on("svc", kind="Service", group="")]),
        route(name="two", parents=[on("more", "team", kind="ListenerSet")]),
    )

    assert needs(found) == (
        ObjectId("", "Service", "infra", "svc"),
        ObjectId(GROUP, "Gateway", "infra", "other"),
        SHARED,
    )


def test_what_a_request_provides_itself_is_not_needed_of_others() -> None:
    assert needs(traits(gateway(), listener_set(listener()), route())) == ()


def test_the_version_of_the_api_makes_no_difference() -> None:
    older = {**route(), "apiVersion": API.replace("v1", "v1beta1")}

    assert traits(older) == traits(route())
