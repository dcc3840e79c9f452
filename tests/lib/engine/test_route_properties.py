"""Whatever routes are asked for: nobody wins what another holds, and none of it depends on order.

What the book decides is held against a gateway of a few lines, which knows nothing of the book: it
is sent every request of a small world, and says which of the accepted routes answers it.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.route_objects import gateway, header, listener, listener_set, on, path, route, traits

from troth.api import Fields, Json, JsonObject, RequestKey
from troth.engine.routes import RouteBook, Traits, rivals
from troth.errors import HeldError, PermanentError, Reason

NAMESPACES = ("a", "b", "c")
HOSTS = ("*.x", "*.a.x", "a.x", "b.a.x", "y")
PATHS = (
    ("PathPrefix", "/"), ("PathPrefix", "/p"), ("PathPrefix", "/p/q"), ("PathPrefix", "/z"),
    ("Exact", "/"), ("Exact", "/p"), ("Exact", "/p/q"), ("RegularExpression", "/p/[a-q]+"),
)  # fmt: skip

INFRA = RequestKey("infra", "gateway", "one")
SET = RequestKey("infra", "set", "one")


@dataclass(frozen=True)
class Ear:
    """A listener."""

    name: str
    port: int
    hostname: str = ""
    namespaces: tuple[str, ...] = NAMESPACES


@dataclass(frozen=True)
class Ways:
    """What a Gateway and its ListenerSet are, and what the owner allows."""

    ears: tuple[Ear, ...]
    more: tuple[Ear, ...]
    delegations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Target:
    """A route of one match."""

    namespace: str
    name: str
    hosts: tuple[str, ...]
    to_set: bool
    section: str
    kind: str
    path: str
    method: str
    stage: str

    @property
    def key(self) -> RequestKey:
        return RequestKey(self.namespace, "target", self.name)


@dataclass(frozen=True)
class Call:
    """What a client asks of the gateway."""

    port: int
    host: str
    path: str
    method: str
    stage: str


WORLD = [
    Call(*call)
    for call in itertools.product(
        (80, 443),
        ("a.x", "b.x", "b.a.x", "c.a.x", "c.b.a.x", "y", "w"),
        ("/", "/p", "/p/q", "/p/q/r", "/p/w", "/pp", "/z/y"),
        ("GET", "PUT"),
        ("", "1", "2"),
    )
]

ears = {
    name: st.builds(
        Ear, st.just(name), st.just(port), st.sampled_from(["", *HOSTS]),
        st.sampled_from([NAMESPACES, NAMESPACES, ("a", "b")]),
    )
    for name, port in (("web", 80), ("one", 443), ("two", 443), ("set", 443))
}  # fmt: skip
ways = st.builds(
    Ways,
    st.tuples(ears["web"], ears["one"]) | st.tuples(ears["one"], ears["two"]),
    st.tuples(ears["set"]),
    st.lists(
        st.tuples(st.sampled_from(["/", "/p", "/p/q"]), st.sampled_from(NAMESPACES)), max_size=2
    ).map(tuple),
).filter(lambda one: len({(ear.port, ear.hostname) for ear in one.ears + one.more}) == 3)
targets = st.lists(
    st.tuples(
        st.lists(st.sampled_from(HOSTS), max_size=2).map(tuple),
        st.booleans(),
        st.sampled_from(["", "", "one"]),
        st.sampled_from(PATHS),
        st.sampled_from(["", "", "GET", "PUT"]),
        st.sampled_from(["", "", "1", "2"]),
    ),
    max_size=8,
).map(
    lambda drawn: [
        Target(NAMESPACES[index % 3], f"t{index}", hosts, to_set, "" if to_set else section, kind,
               where, method, stage)
        for index, (hosts, to_set, section, (kind, where), method, stage) in enumerate(drawn)
    ]
)  # fmt: skip


def _heard(ear: Ear) -> JsonObject:
    selector: JsonObject = {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ear.namespaces}
        ]
    }
    allowed: JsonObject = {"namespaces": {"from": "Selector", "selector": selector}}
    return listener(ear.name, ear.port, ear.hostname or None, allowed)


def parents(of: Ways) -> dict[RequestKey, Traits]:
    everybody: JsonObject = {"namespaces": {"from": "All"}}
    shared = gateway(*map(_heard, of.ears), delegations=of.delegations, allowedListeners=everybody)
    return {INFRA: traits(shared), SET: traits(listener_set(*map(_heard, of.more)))}


def asked(target: Target) -> Traits:
    more: dict[str, Json] = {}
    if target.method:
        more["method"] = target.method
    if target.stage:
        more["headers"] = header(target.stage)
    section: JsonObject = {"sectionName": target.section} if target.section else {}
    parent = {**(on("more", "team", kind="ListenerSet") if target.to_set else on()), **section}
    return traits(
        route(
            path(target.path, target.kind, **more),
            namespace=target.namespace, name=target.name, hosts=target.hosts, parents=[parent],
        )
    )  # fmt: skip


def decide(book: RouteBook, claimants: Iterable[Target]) -> dict[Target, PermanentError | None]:
    outcome: dict[Target, PermanentError | None] = {}
    for target in sorted(claimants, key=lambda one: one.key):
        try:
            book.judge(target.key, asked(target))
        except PermanentError as error:
            outcome[target] = error
        else:
            book.take(target.key, asked(target))
            outcome[target] = None
    return outcome


def accepted(outcome: dict[Target, PermanentError | None]) -> list[Target]:
    return [target for target, error in outcome.items() if error is None]


# The gateway of a few lines.


def fits(host: str, pattern: str) -> bool:
    return pattern in {"", host} or (pattern[:1] == "*" and host.endswith(pattern[1:]))


def under(value: str, prefix: str) -> bool:
    steps = [step for step in prefix.split("/") if step]
    return [step for step in value.split("/") if step][: len(steps)] == steps


def answers(target: Target, call: Call, of: Ways) -> str | None:
    """Return the nearest hostname by which a route answers a call, None when it does not."""
    near = [
        max(ear.hostname, host, key=_nearness)
        for ear in (of.more if target.to_set else of.ears)
        for host in target.hosts or ("",)
        if target.section in {"", ear.name} and target.namespace in ear.namespaces
        if ear.port == call.port and fits(call.host, ear.hostname) and fits(call.host, host)
    ]
    by_path = {
        "Exact": call.path == target.path,
        "PathPrefix": under(call.path, target.path),
        "RegularExpression": bool(re.fullmatch(target.path, call.path)),
    }[target.kind]
    rest = target.method in {"", call.method} and target.stage in {"", call.stage}
    return max(near, key=_nearness) if near and by_path and rest else None


def _nearness(host: str) -> tuple[bool, int]:
    return not host.startswith("*") and host != "", len(host)


def winner(call: Call, routes: Sequence[Target], of: Ways, patterns: int) -> Target | None:
    """Return who answers: the first of `routes`, oldest first, that ranks as high as any.

    `patterns` is where regular expressions rank: below prefixes (0), above them (2), or above
    exact paths (4); gateways differ in that.
    """
    kinds = {"PathPrefix": 1, "Exact": 3, "RegularExpression": patterns}
    rank = {
        target: (
            _nearness(host), kinds[target.kind], len(target.path), target.method != "",
            target.stage != "",
        )
        for target in routes
        if (host := answers(target, call, of)) is not None
    }  # fmt: skip
    return max(rank, key=lambda target: rank[target]) if rank else None


def words(target: Target) -> tuple[str, ...]:
    return target.hosts or ("",)


def share(first: str, second: str) -> bool:
    """Tell whether two hostnames share a name."""
    return any(fits(call.host, first) and fits(call.host, second) for call in WORLD)


def named_without_a_listener(target: Target, of: Ways) -> bool:
    """Tell whether no listener that takes a route is for one of its hostnames."""
    heard = [
        ear.hostname
        for ear in (of.more if target.to_set else of.ears)
        if target.section in {"", ear.name} and target.namespace in ear.namespaces
    ]
    return not all(any(share(word, ear) for ear in heard) for word in words(target))


def claim(target: Target) -> tuple[str, ...]:
    return target.kind, target.path, target.method, target.stage


@settings(max_examples=200, deadline=None)
@given(ways, targets)
def test_no_two_accepted_routes_claim_the_same(of: Ways, claimants: list[Target]) -> None:
    through = accepted(decide(RouteBook(parents(of)), claimants))

    for one, two in itertools.combinations(through, 2):
        if claim(one) == claim(two):
            nearest = [(answers(one, call, of), answers(two, call, of)) for call in WORLD]
            assert not any(first == second is not None for first, second in nearest)


@settings(max_examples=200, deadline=None)
@given(ways, targets)
def test_a_route_that_is_held_back_has_a_rival_for_some_call(
    of: Ways, claimants: list[Target]
) -> None:
    outcome = decide(RouteBook(parents(of)), claimants)
    by_key = {target.key: target for target in claimants}

    for target, error in outcome.items():
        if error is not None and error.reason is Reason.ROUTE_HELD:
            assert isinstance(error, HeldError)
            assert error.holder is not None
            holder = by_key[RequestKey(*error.holder)]
            nearest = [(answers(target, call, of), answers(holder, call, of)) for call in WORLD]
            assert claim(target) == claim(holder)
            # One of a host that no listener takes for it now may come to have a rival.
            assert any(first == second is not None for first, second in nearest) or (
                (named_without_a_listener(target, of) or named_without_a_listener(holder, of))
                and any(share(one, two) for one in words(target) for two in words(holder))
            )


@pytest.mark.parametrize("patterns", [0, 2, 4])
@settings(max_examples=200, deadline=None)
@given(ways, targets)
def test_no_accepted_route_takes_a_call_from_another_namespace_without_leave(
    patterns: int, of: Ways, claimants: list[Target]
) -> None:
    through = accepted(decide(RouteBook(parents(of)), claimants))

    for index, new in enumerate(through):
        if any(to == new.namespace and under(new.path, above) for above, to in of.delegations):
            continue
        for call in WORLD:
            before = winner(call, through[:index], of, patterns)
            if before is not None and before.namespace != new.namespace:
                assert winner(call, through[: index + 1], of, patterns) == before


@settings(max_examples=200, deadline=None)
@given(ways, targets, st.data())
def test_the_outcome_depends_neither_on_order_nor_on_the_run(
    of: Ways, claimants: list[Target], data: st.DataObject
) -> None:
    whole = decide(RouteBook(parents(of)), claimants)
    ordered = sorted(claimants, key=lambda one: one.key)
    cut = data.draw(st.integers(0, len(ordered)))
    held = [target for target in ordered[:cut] if whole[target] is None]
    holders = [*parents(of).items(), *((target.key, asked(target)) for target in held)]

    again = decide(RouteBook(dict(data.draw(st.permutations(holders)))), ordered[cut:])

    assert [*held, *accepted(again)] == accepted(whole)
    assert {target: str(error) for target, error in again.items()} == {
        target: str(whole[target]) for target in again
    }


@settings(max_examples=200, deadline=None)
@given(ways, targets, st.data())
def test_what_was_accepted_is_accepted_again(
    of: Ways, claimants: list[Target], data: st.DataObject
) -> None:
    through = accepted(decide(RouteBook(parents(of)), claimants))
    holders = parents(of) | {target.key: asked(target) for target in through}
    book = RouteBook(holders)

    for key in data.draw(st.permutations(sorted(holders))):
        book.judge(key, holders[key])
        book.take(key, holders[key])


@settings(max_examples=200, deadline=None)
@given(st.lists(ways, min_size=1, max_size=3), targets, st.data())
def test_a_book_that_was_written_over_tells_what_a_new_one_tells(
    changes: list[Ways], claimants: list[Target], data: st.DataObject
) -> None:
    book = RouteBook({})
    holds: dict[RequestKey, Traits] = {}
    keys = [target.key for target in claimants]
    for of in changes:
        shuffled = data.draw(st.permutations(keys))
        taken = [asked(target) for target in claimants if data.draw(st.booleans())]
        for key, new in [*zip(shuffled, taken, strict=False), *parents(of).items()]:
            book.take(key, new)
            holds[key] = new
    new_book = RouteBook(holds)

    assert {key: _told(book, key, claimants) for key in keys} == {
        key: _told(new_book, key, claimants) for key in keys
    }


def _told(book: RouteBook, key: RequestKey, claimants: list[Target]) -> list[Reason | None]:
    reasons: list[Reason | None] = []
    for target in claimants:
        try:
            book.judge(key, asked(target))
        except PermanentError as error:
            reasons.append(error.reason)
        else:
            reasons.append(None)
    return reasons


@settings(max_examples=200, deadline=None)
@given(ways, targets)
def test_traits_come_back_from_a_record_whatever_they_are(
    of: Ways, claimants: list[Target]
) -> None:
    everything = [*parents(of).values(), *map(asked, claimants)]

    assert [Traits.decode(Fields(one.encode())) for one in everything] == everything


# Histories: a Gateway that changes, and routes that come and go and are shut out in between.


@dataclass(frozen=True)
class Era:
    """What the Gateway is for a while, and which of the targets ask for something then."""

    hosts: tuple[str, ...]
    namespaces: tuple[str, ...]
    asking: tuple[bool, ...]


eras = st.lists(
    st.builds(
        Era,
        st.lists(st.sampled_from(["a.x", "b.x", "b.a.x", "y"]), min_size=1, unique=True).map(tuple),
        st.sampled_from([NAMESPACES, ("a",), ("b",), ("b", "c")]),
        st.tuples(*[st.sampled_from([True, True, True, False])] * 8),
    ),
    min_size=2,
    max_size=6,
)


def of_era(era: Era) -> Ways:
    heard = (Ear(host, 443, host, era.namespaces) for host in era.hosts)
    return Ways(tuple(heard), (Ear("set", 8443, "", era.namespaces),), ())


def live(era: Era, book: RouteBook, claimants: list[Target], stays: set[Target]) -> set[Target]:
    """Let a run decide; a request that is refused keeps what it has written before."""
    for key, new in parents(of_era(era)).items():
        book.take(key, new)
    asking = [target for target, asks in zip(claimants, era.asking, strict=False) if asks]
    for target in stays - set(asking):
        book.take(target.key, Traits())
    return (stays & set(asking)) | set(accepted(decide(book, asking)))


@settings(max_examples=300, deadline=None)
@given(eras, targets)
def test_whatever_the_gateway_goes_through_no_route_comes_to_be_held_twice(
    history: list[Era], drawn: list[Target]
) -> None:
    claimants = [replace(one, section="", to_set=False, path="/p") for one in drawn]
    book, stays = RouteBook({}), set[Target]()

    for era in history:
        stays = live(era, book, claimants, stays)

        holders = parents(of_era(era)) | {target.key: asked(target) for target in stays}
        assert rivals(holders) == []


@settings(max_examples=200, deadline=None)
@given(eras, targets)
def test_a_book_that_lived_through_it_tells_what_one_of_the_records_tells(
    history: list[Era], claimants: list[Target]
) -> None:
    book, stays = RouteBook({}), set[Target]()
    for era in history:
        stays = live(era, book, claimants, stays)
    holders = parents(of_era(history[-1])) | {target.key: asked(target) for target in stays}
    keys = [target.key for target in claimants]

    assert {key: _told(book, key, claimants) for key in keys} == {
        key: _told(RouteBook(holders), key, claimants) for key in keys
    }


@settings(max_examples=200, deadline=None)
@given(ways, targets)
def test_rivals_are_those_that_answer_the_same_calls_by_the_same_claim(
    of: Ways, claimants: list[Target]
) -> None:
    holders = parents(of) | {target.key: asked(target) for target in claimants}
    by_key = {target.key: target for target in claimants}

    found = rivals(holders)

    for first, second, _ in found:
        assert first < second
        assert claim(by_key[first]) == claim(by_key[second])
    pairs = {(first, second) for first, second, _ in found}
    for one, two in itertools.combinations(sorted(claimants, key=lambda target: target.key), 2):
        nearest = [(answers(one, call, of), answers(two, call, of)) for call in WORLD]
        if claim(one) == claim(two) and any(
            first == second is not None for first, second in nearest
        ):
            assert (one.key, two.key) in pairs
