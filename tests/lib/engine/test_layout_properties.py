"""Whatever happens to requests and Destinations, the stores hold what a fresh sync would write."""

import os
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support.mortal import cut_off
from support.platform import Platform, config_map, destination, follows_spec, promise, request

from troth.api import Destination, Layout, StoreRef
from troth.engine import State, Submission
from troth.runners import StageJob, StageResult
from troth_statestore.memory import MemoryStore

EXAMPLES = 3000 if os.environ.get("TROTH_DRILLS") == "long" else 150
STORES = ("main", "other", "third")
NAMES = ("one", "two")


@dataclass(frozen=True)
class Ask:
    """A value for a request, or None to remove it."""

    namespace: str
    name: str
    value: str | None


@dataclass(frozen=True)
class Shift:
    """A Destination as it is from now on."""

    name: str
    path: str
    layout: Layout
    filename: str
    store: str
    canaries: bool | None

    def made(self) -> Destination:
        return replace(
            destination(self.name, f"{self.name}{self.path}", layout=self.layout),
            filename=self.filename,
            store=StoreRef("GitStateStore", self.store),
            canaries=self.canaries,
        )


@dataclass(frozen=True)
class Sync:
    """A sync, with stores that cannot be reached; killed after so many commits, and run again."""

    away: frozenset[str] = frozenset()
    commits: int | None = None


ASKS = st.builds(
    Ask,
    namespace=st.sampled_from(["team-a", "team-b"]),
    name=st.sampled_from("abc"),
    value=st.none() | st.sampled_from(["", "x", "y"]),
)
SHIFTS = st.builds(
    Shift,
    name=st.sampled_from(NAMES),
    path=st.sampled_from(["", "-b", "-c/d"]),
    layout=st.sampled_from(Layout),
    filename=st.sampled_from(["aggregated.yaml", "all.yaml", "x/all.yaml"]),
    store=st.sampled_from(STORES),
    canaries=st.sampled_from([None, True, False]),
)
SYNCS = st.builds(
    Sync,
    away=st.sampled_from([frozenset[str](), *(frozenset({name}) for name in STORES)]),
    commits=st.none() | st.integers(0, 4),
)
STEPS = st.lists(ASKS | SHIFTS | SYNCS | st.just(Sync()), max_size=16)


def named_file(job: StageJob) -> StageResult:
    path = f"{job.environ['KRATIX_OBJECT_NAMESPACE']}-{job.environ['KRATIX_OBJECT_NAME']}.yaml"
    return StageResult({path: follows_spec(job).files["objects.yaml"]})


@dataclass
class World:
    """What is asked for, and the stores in which a platform lives."""

    brings: bool
    asked: dict[tuple[str, str], str] = field(default_factory=dict)
    places: dict[str, Shift] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in NAMES:
            self.places[name] = Shift(name, "", Layout.NESTED, "all.yaml", "main", None)
        self.lived = self._platform()

    def _platform(self) -> Platform:
        brought = [config_map("operator", "operator")] if self.brings else []
        return Platform(
            stages={"configure": named_file},
            promises=[promise(dependencies=brought)],
            others={name: MemoryStore() for name in STORES if name != "main"},
        )

    def _submissions(self) -> list[Submission]:
        return [request(name, ns, value=value) for (ns, name), value in self.asked.items()]

    def take(self, step: Ask | Shift | Sync) -> None:
        match step:
            case Ask(namespace, name, None):
                self.asked.pop((namespace, name), None)
            case Ask(namespace, name, value):
                self.asked[namespace, name] = value or ""
            case Shift(name):
                self.places[name] = step
            case Sync(away, None):
                self.sync(self.lived, away)
            case Sync(away, commits):
                self._prepare(self.lived, away)
                cut_off(self.lived, commits or 0, *self._submissions())
                self.sync(self.lived, away)

    def _prepare(self, platform: Platform, away: frozenset[str]) -> None:
        platform.destinations = [shift.made() for shift in self.places.values()]
        platform.out_of_reach = away
        platform.allow(100)

    def sync(self, platform: Platform, away: frozenset[str] = frozenset()) -> set[State]:
        self._prepare(platform, away)
        return {item.state for item in platform.sync(*self._submissions()).values()}

    def fresh(self) -> Platform:
        made = self._platform()
        self.sync(made)
        return made


def files(platform: Platform) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for name, store in {"main": platform.store, **platform.others}.items():
        snapshot = store.snapshot()
        found[name] = dict(snapshot.read(sorted(snapshot.digests(""))))
    return found


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.booleans(), STEPS)
def test_after_anything_the_stores_hold_what_a_fresh_sync_writes_and_stay_so(
    brings: bool, steps: list[Ask | Shift | Sync]
) -> None:
    world = World(brings)
    for step in steps:
        world.take(step)

    world.sync(world.lived)
    states = world.sync(world.lived)

    assert files(world.lived) == files(world.fresh())
    assert states <= {State.UNCHANGED}
    assert world.lived.handed_in == []
