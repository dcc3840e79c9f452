"""The limits of the Gateway API, row by row: what is split, and what is refused by its limit."""

import pytest
from support import crd_schemas
from support.api_targets import asked, http_routes, render, rendered, route_of, spec_of
from support.bundles import manifests, schema_of
from support.workspace import ROOT

from troth.api import Fields, Json, JsonObject, Promise, canonical, load_object
from troth.api.names import dns_subdomain_problem, label_value_problem
from troth.errors import InvalidInputError, Reason

SCHEMA = schema_of(
    Promise.parse(
        load_object(
            (ROOT / "promises/api-aggregator-target/promise.yaml").read_text(), "promise.yaml"
        )
    )
)
METHODS: list[Json] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
]  # fmt: skip


def plain(count: int) -> list[JsonObject]:
    return [route_of(f"/{number}") for number in range(count)]


def sizes(spec: JsonObject) -> list[tuple[int, int]]:
    """Return rules and matches of each HTTPRoute."""
    return [
        (len(rules), sum(len(rule.items("matches")) for rule in rules))
        for route in http_routes(spec).values()
        for rules in [Fields(route).items("rules")]
    ]


def assert_valid(spec: JsonObject) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec)) == []
    output = render(spec)
    for manifest in manifests(output):
        assert crd_schemas.problems(manifest) == []
    assert rendered(output) == asked(spec)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (spec_of(*plain(16)), [(16, 16)]),
        (spec_of(*plain(17)), [(16, 16), (1, 1)]),
        (spec_of(*plain(200)), [(16, 16)] * 12 + [(8, 8)]),
        # 14 rules of 9 matches are 126; the next nine would be more than 128
        (spec_of(*(route_of(f"/{n}", methods=METHODS) for n in range(15))), [(14, 126), (1, 9)]),
        (
            spec_of(*(route_of(f"/{n}", methods=METHODS[:8]) for n in range(17))),
            [(16, 128), (1, 8)],
        ),
        (
            spec_of(
                *(route_of(f"/{n}", methods=METHODS) for n in range(14)),
                route_of("/three", methods=METHODS[:3]),
            ),
            [(14, 126), (1, 3)],
        ),
        # a rule that replaces a prefix has one match: nine rules a route
        (
            spec_of(*(route_of(f"/{n}", methods=METHODS, rewrite={"prefix": "/"}) for n in (1, 2))),
            [(16, 16), (2, 2)],
        ),
    ],
    ids=[
        "16 rules",
        "17 rules",
        "200 rules",
        "135 matches",
        "136 matches",
        "129 matches",
        "one match a rule",
    ],
)
def test_what_is_too_much_for_an_http_route_becomes_another(
    spec: JsonObject, expected: list[tuple[int, int]]
) -> None:
    assert sizes(spec) == expected
    assert_valid(spec)


def test_no_rule_has_more_matches_than_there_are_methods() -> None:
    spec = spec_of(route_of(methods=METHODS))
    assert sizes(spec) == [(1, 9)]
    assert_valid(spec)


@pytest.mark.parametrize(("count", "expected"), [(16, [16]), (17, [16, 1]), (64, [16, 16, 16, 16])])
def test_hosts_too_many_for_an_http_route_become_another(count: int, expected: list[int]) -> None:
    hosts: list[Json] = [f"h{number}.example.com" for number in range(count)]
    spec = spec_of(hostnames=hosts)
    found = [Fields(route).texts("hostnames") for route in http_routes(spec).values()]
    assert [len(part) for part in found] == expected
    assert [name for part in found for name in part] == hosts
    assert_valid(spec)


def test_every_host_gets_every_route() -> None:
    hosts: list[Json] = [f"h{number}.example.com" for number in range(17)]
    routes = http_routes(spec_of(*plain(17), hostnames=hosts))
    assert routes["claims"]["rules"] == routes["claims-h2"]["rules"]
    assert routes["claims-2"]["rules"] == routes["claims-h2-2"]["rules"]


def values(count: int) -> list[Json]:
    return [{"name": f"x-{number}", "value": "v"} for number in range(count)]


@pytest.mark.parametrize(
    ("most", "more", "field"),
    [
        ({"headers": values(16)}, {"headers": values(17)}, "headers"),
        ({"query": values(16)}, {"query": values(17)}, "query"),
        (
            {"service": None, "services": [{"name": f"s{n}", "port": 80} for n in range(16)]},
            {"service": None, "services": [{"name": f"s{n}", "port": 80} for n in range(17)]},
            "services",
        ),
        (
            {"requestHeaders": {"set": values(16)}},
            {"requestHeaders": {"set": values(17)}},
            "requestHeaders.set",
        ),
        (
            {"responseHeaders": {"add": values(16)}},
            {"responseHeaders": {"add": values(17)}},
            "responseHeaders.add",
        ),
        (
            {"requestHeaders": {"remove": [f"x-{n}" for n in range(16)]}},
            {"requestHeaders": {"remove": [f"x-{n}" for n in range(17)]}},
            "requestHeaders.remove",
        ),
    ],
    ids=["headers", "query", "services", "set", "add", "remove"],
)
def test_what_cannot_be_split_is_refused_by_its_limit(
    most: dict[str, Json], more: dict[str, Json], field: str
) -> None:
    assert_valid(spec_of(route_of(**most)))
    (violation,) = SCHEMA.violations(SCHEMA.fill(spec_of(route_of(**more))))
    assert violation.message == (f"spec.routes[0].{field}: it has 17 items, at most 16 are allowed")


@pytest.mark.parametrize(
    "route",
    [
        {"path": {"value": "/" + "a" * 1023}},
        {"path": {"value": "a" * 1024, "type": "Regex"}},
        {"headers": [{"name": "x" * 256, "value": "v" * 4096}]},
        {"query": [{"name": "x" * 256, "value": "v" * 1024}]},
        {"rewrite": {"prefix": "/" + "a" * 1023}},
        {"rewrite": {"path": "/" + "a" * 1023, "hostname": ".".join(["a" * 60] * 4)}},
        {"requestHeaders": {"set": [{"name": "x" * 256, "value": "v" * 4096}]}},
        {"service": {"name": "s" * 63, "namespace": "n" * 63, "port": 65535}},
        {"service": None, "services": [{"name": "s", "port": 1, "weight": 1_000_000}]},
        {"timeout": "99999h99999m99999s99999ms", "backendTimeout": "99999h"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_the_longest_of_everything_is_taken(route: dict[str, Json]) -> None:
    assert_valid(spec_of(route_of(**route)))


def test_the_fullest_route_has_three_filters() -> None:
    changes: JsonObject = {"set": values(8), "remove": ["y"]}
    spec = spec_of(
        route_of(
            methods=METHODS,
            requestHeaders=changes,
            responseHeaders=changes,
            rewrite={"path": "/", "hostname": "a.b"},
        )
    )
    (route,) = http_routes(spec).values()
    assert len(Fields(route).items("rules")[0].items("filters")) == 3
    assert_valid(spec)


def heavy(path: str, count: int) -> JsonObject:
    """Return a route whose one match has some 4 kB for each header."""
    headers: list[Json] = [{"name": f"x-{n}", "value": "v" * 4096} for n in range(count)]
    return route_of(path, headers=headers)


def test_no_http_route_is_too_large_for_the_copy_that_client_side_apply_keeps() -> None:
    spec = spec_of(*(heavy(f"/{number}", 16) for number in range(8)))
    assert sizes(spec) == [(3, 3), (3, 3), (2, 2)]
    assert all(len(canonical(m)) < 262_144 - 50_000 for m in manifests(render(spec)))
    assert_valid(spec)


def test_a_route_too_large_for_an_http_route_of_its_own_is_refused() -> None:
    route = {**heavy("/large", 16), "methods": METHODS[:4]}
    with pytest.raises(InvalidInputError, match="at most 200,000") as caught:
        render(spec_of(route_of("/fine"), route))
    assert caught.value.field == ("spec", "routes", 1)
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_grant_has_one_entry_however_many_services_there_are() -> None:
    spec = spec_of(
        *(
            route_of(f"/{n}", service={"name": f"s{n}", "namespace": "shared-services", "port": 80})
            for n in range(40)
        )
    )
    grants = manifests(render(spec), "ReferenceGrant")
    assert [len(Fields(grant).section("spec").items("to")) for grant in grants] == [1] * 40
    assert_valid(spec)


@pytest.mark.parametrize("name", ["a" * 253, f"{'a' * 240}.{'b' * 12}", "a.b", "a" * 251])
def test_names_and_labels_fit_however_long_the_request_is_called(name: str) -> None:
    hosts: list[Json] = [f"h{number}.example.com" for number in range(17)]
    elsewhere: JsonObject = {"name": "s" * 63, "namespace": "n" * 63, "port": 80}
    spec = spec_of(
        *plain(33), route_of("/elsewhere", service=elsewhere), hostnames=hosts,
        aggregatorRef={"name": "b" * 63, "namespace": "platform"},
    )  # fmt: skip
    found = manifests(render(spec, name, "o" * 63))
    names = [Fields(manifest).section("metadata").text("name") for manifest in found]
    assert len(set(names)) == len(names) == 7
    for manifest in found:
        metadata = Fields(manifest).section("metadata")
        assert dns_subdomain_problem(metadata.text("name")) is None
        assert [
            p for p in map(label_value_problem, metadata.string_map("labels").values()) if p
        ] == []
        assert crd_schemas.problems(manifest) == []


@pytest.mark.parametrize("count", [1, 15, 16, 31, 32, 100])
def test_a_route_added_at_the_end_touches_only_the_last_http_route(count: int) -> None:
    before, after = (list(http_routes(spec_of(*plain(n))).items()) for n in (count, count + 1))
    kept = len(before) if count % 16 == 0 else len(before) - 1
    assert after[:kept] == before[:kept]
    assert len(after) == kept + 1


def test_the_most_that_may_be_asked_for_fits_into_the_output() -> None:
    routes = [route_of(f"/{n}", methods=METHODS, rewrite={"prefix": "/"}) for n in range(500)]
    hosts: list[Json] = [f"h{number}.example.com" for number in range(64)]
    output = render(spec_of(*routes, hostnames=hosts))
    assert len(output.files) == 4 * 282 < 2000
    assert sum(len(canonical(manifest)) for manifest in manifests(output)) < 10 * 2**20
