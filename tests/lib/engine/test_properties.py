"""Whatever happens in whatever order: the store holds what is asked for, and nothing else."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
)

from troth.api import Layout
from troth.engine import State, Submission
from troth.runners import StageJob, StageResult
from troth_statestore.memory import MemoryStore

NAMES = ("a", "b", "c")
NAMESPACES = ("team-a", "team-b")
DESTINATIONS = ("one", "two", "three")
SHAPES = ("nested", "none", "several stores", "dependencies")


@dataclass(frozen=True)
class Step:
    """One change of the inputs: a value for a request, or None to remove it; then a sync or not."""

    namespace: str
    name: str
    value: str | None
    sync: bool


steps = st.lists(
    st.builds(
        Step,
        namespace=st.sampled_from(NAMESPACES),
        name=st.sampled_from(NAMES),
        value=st.none() | st.sampled_from(["", "x", "y", "z"]),
        sync=st.booleans(),
    ),
    max_size=12,
)


def named_file(job: StageJob) -> StageResult:
    """Writes what `follows_spec` does, into a file that is called after the request."""
    path = f"{job.environ['KRATIX_OBJECT_NAMESPACE']}-{job.environ['KRATIX_OBJECT_NAME']}.yaml"
    return StageResult({path: follows_spec(job).files["objects.yaml"]})


def platform(shape: str) -> Platform:
    layout = Layout.NONE if shape == "none" else Layout.NESTED
    stores = ("main", "other", "main") if shape == "several stores" else (None, None, None)
    brought = [config_map("operator", "operator")] if shape == "dependencies" else []
    return Platform(
        stages={"configure": named_file},
        promises=[promise(selectors={"env": "dev"}, dependencies=brought)],
        destinations=[
            destination(name, env="dev", layout=layout, store=store)
            for name, store in zip(DESTINATIONS, stores, strict=True)
        ],
        others={"other": MemoryStore()} if shape == "several stores" else {},
    )


def everything(lived: Platform) -> list[dict[str, bytes]]:
    """What each store holds, record keys as files without content."""
    found: list[dict[str, bytes]] = []
    for store in (lived.store, *lived.others.values()):
        snapshot = store.snapshot()
        files = dict(snapshot.read(sorted(snapshot.digests(""))))
        found.append({**files, **dict.fromkeys(snapshot.records(), b"")})
    return found


def submissions(asked: dict[tuple[str, str], str]) -> list[Submission]:
    return [request(name, namespace, value=value) for (namespace, name), value in asked.items()]


@settings(deadline=None)
@given(st.sampled_from(SHAPES), steps)
def test_after_any_changes_the_stores_hold_what_a_sync_into_empty_ones_would(
    shape: str, changes: list[Step]
) -> None:
    lived = platform(shape)
    asked: dict[tuple[str, str], str] = {}
    for change in changes:
        if change.value is None:
            asked.pop((change.namespace, change.name), None)
        else:
            asked[change.namespace, change.name] = change.value
        if change.sync:
            lived.sync(*submissions(asked))
    lived.sync(*submissions(asked))
    fresh = platform(shape)

    fresh.sync(*submissions(asked))

    assert everything(lived) == everything(fresh)


@settings(deadline=None)
@given(st.sampled_from(SHAPES), steps, st.data())
def test_a_repeated_sync_in_any_order_hands_the_stores_nothing(
    shape: str, changes: list[Step], data: st.DataObject
) -> None:
    lived = platform(shape)
    asked = {(c.namespace, c.name): c.value for c in changes if c.value is not None}
    lived.sync(*submissions(asked))
    lived.runner.runs.clear()
    shuffled = data.draw(st.permutations(submissions(asked)))

    items = lived.sync(*shuffled)

    assert {item.state for item in items.values()} <= {State.UNCHANGED}
    assert lived.handed_in == []
    assert lived.runner.runs == []
