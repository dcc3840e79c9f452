"""The ledger at a later moment, and runs that are asked about a few requests only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.platform import Platform, config_map, destination, request, writes

from troth.api import JsonObject, Layout, RequestKey
from troth.engine import Ledger, State, Submission, View
from troth.engine.holdings import Holdings
from troth.engine.record import Record
from troth.errors import Reason
from troth_statestore import ChangeSet, Snapshot


def known(ledger: Ledger) -> tuple[Any, ...]:
    parts = ledger.entries, ledger.unreadable.keys(), ledger.revisions, ledger.destinations
    return *parts, ledger.kept_promises(), ledger.holdings


# Of each step: which of four requests are handed in, and what each asks for.
STEPS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2"])), min_size=2, max_size=5
)


@given(steps=STEPS, layout=st.sampled_from([Layout.NESTED, Layout.NONE]))
def test_a_ledger_carried_on_is_the_one_that_is_read_anew(
    steps: list[dict[str, str]], layout: Layout
) -> None:
    # All write one object, so most of them are refused: it passes from one to another.
    shared = writes(config_map("shared"))
    platform = Platform(
        stages={"configure": shared}, destinations=[destination("prod", layout=layout)]
    )
    platform.allow(deletions=10)
    carried = Ledger.read(View.of(platform.store.snapshot()))
    carried.holdings  # noqa: B018  (worked out now, so that it is carried on)
    for step in steps:
        platform.sync(*(request(name, value=value) for name, value in sorted(step.items())))
        view = View.of(platform.store.snapshot())

        carried = carried.after(view)

        assert known(carried) == known(Ledger.read(view))


def held_by(name: str, manifest: JsonObject) -> Record:
    """Return the record of a request that writes this."""
    platform = Platform(stages={"configure": writes(manifest)})
    platform.sync(request(name))
    [entry] = Ledger.read(View.of(platform.store.snapshot())).entries.values()
    return entry.record


def test_of_two_records_that_name_the_same_it_is_not_told_who_is_left() -> None:
    one, two = held_by("one", config_map("shared")), held_by("two", config_map("shared"))
    holdings = Holdings.of([one, two])

    assert holdings.disputed
    assert holdings.after([two], []) is None


def test_what_routes_may_hang_on_goes_with_who_held_it() -> None:
    grant: JsonObject = {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "grant", "namespace": "team"},
    }
    one = held_by("one", grant)
    holdings = Holdings.of([one])

    assert {identity.kind for _, identity in holdings.parents} == {"ReferenceGrant"}
    assert holdings.after([one], []) == Holdings.of([])


@dataclass
class Watched:
    """A snapshot that notes which records were read."""

    snapshot: Snapshot
    read_keys: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (all the rest is the snapshot's)
        return getattr(self.snapshot, name)

    def read_records(self, keys: Any) -> Mapping[str, bytes]:  # noqa: ANN401
        self.read_keys += keys
        return self.snapshot.read_records(keys)


def test_only_records_that_moved_are_read_again() -> None:
    platform = Platform()
    platform.sync(request("one"), request("two"))
    ledger = Ledger.read(View.of(platform.store.snapshot()))
    platform.sync(request("one"), request("two", value="new"))
    watched = Watched(platform.store.snapshot())

    later = ledger.after(View({"": watched}))

    assert [key.rpartition("/")[2] for key in watched.read_keys] == ["two.yaml"]
    assert known(later) == known(Ledger.read(View.of(platform.store.snapshot())))


def test_a_record_that_cannot_be_read_any_more_is_told_at_the_later_moment() -> None:
    platform = Platform()
    platform.sync(request("one"), request("two"))
    before = Ledger.read(View.of(platform.store.snapshot()))
    [(key, (_, version))] = [
        one for one in platform.store.snapshot().records().items() if "one" in one[0]
    ]
    platform.store.commit([ChangeSet(key, version, record=b"{")])

    later = before.after(View.of(platform.store.snapshot()))

    assert [spot.path for spot in later.unreadable] == [key]
    assert [one.name for one in later.entries] == ["two"]


def ask(platform: Platform, *names: str, given: tuple[Submission, ...] = ()) -> dict[str, Any]:
    """Sync what is asked about these requests, and nobody else."""
    return platform.sync(
        *given, scope=frozenset(RequestKey("team", "thing", name) for name in names)
    )


def test_who_is_not_asked_about_is_neither_removed_nor_told() -> None:
    platform = Platform()
    platform.sync(request("one"), request("two"), request("three"))
    before = platform.files

    items = ask(platform, "one", "two", given=(request("one", value="new"),))

    assert {name: item.state for name, item in items.items()} == {
        "one": State.WRITTEN,
        "two": State.REMOVED,
    }
    assert {path for path in before if "/three/" in path} <= platform.files.keys()


def test_who_is_not_asked_about_keeps_what_it_holds() -> None:
    platform = Platform(stages={"configure": writes(config_map("shared"))})
    platform.sync(request("one"))

    items = ask(platform, "two", given=(request("two"),))

    assert items["two"].reason == Reason.OBJECT_HELD


def test_one_that_is_not_known_is_gone_already() -> None:
    platform = Platform()
    platform.sync(request("one"))

    assert ask(platform, "none") == {}


def test_a_removal_that_is_asked_for_is_protected_as_any_other() -> None:
    platform = Platform()
    protected = request("one", annotations={"troth.dev/deletion-protection": "true"})
    platform.sync(protected)

    assert ask(platform, "one")["one"].reason == Reason.DELETION_PROTECTED


def test_only_what_was_asked_about_is_told() -> None:
    platform = Platform(destinations=[replace(destination("prod"), canaries=True)])
    platform.sync(request("one"), request("two"))
    platform.sync(request("one"), request("two"))
    snapshot = platform.store.snapshot()
    [(key, (_, version))] = [one for one in snapshot.records().items() if "/one." in one[0]]
    [canary] = [path for path in platform.files if path.endswith("namespace.yaml")]
    platform.store.commit([ChangeSet(key, version, record=b"{")])
    platform.tamper({"prod/resources/team/thing/alien/pipeline/5058f/a.yaml": b""}, [canary])

    items = ask(platform, "two", given=(request("two"),))

    assert {name: item.state for name, item in items.items()} == {"two": State.UNCHANGED}
    assert canary not in platform.files
