"""Whatever happens in whatever order: the store holds what is asked for, and nothing else."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from support.platform import Platform, destination, promise, request

from troth.engine import State, Submission

NAMES = ("a", "b", "c")
NAMESPACES = ("team-a", "team-b")
DESTINATIONS = [destination(name, env="dev") for name in ("one", "two", "three")]


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


def platform() -> Platform:
    return Platform(promises=[promise(selectors={"env": "dev"})], destinations=list(DESTINATIONS))


def submissions(asked: dict[tuple[str, str], str]) -> list[Submission]:
    return [request(name, namespace, value=value) for (namespace, name), value in asked.items()]


@settings(deadline=None)
@given(steps)
def test_after_any_changes_the_files_are_those_of_a_sync_into_an_empty_store(
    changes: list[Step],
) -> None:
    lived = platform()
    asked: dict[tuple[str, str], str] = {}
    for change in changes:
        if change.value is None:
            asked.pop((change.namespace, change.name), None)
        else:
            asked[change.namespace, change.name] = change.value
        if change.sync:
            lived.sync(*submissions(asked))
    lived.sync(*submissions(asked))
    fresh = platform()

    fresh.sync(*submissions(asked))

    assert lived.files == fresh.files
    assert lived.records.keys() == fresh.records.keys()


@settings(deadline=None)
@given(steps, st.data())
def test_a_repeated_sync_in_any_order_hands_the_store_nothing(
    changes: list[Step], data: st.DataObject
) -> None:
    lived = platform()
    asked = {(c.namespace, c.name): c.value for c in changes if c.value is not None}
    lived.sync(*submissions(asked))
    lived.runner.runs.clear()
    shuffled = data.draw(st.permutations(submissions(asked)))

    items = lived.sync(*shuffled)

    assert {item.state for item in items.values()} <= {State.UNCHANGED}
    assert lived.handed_in == []
    assert lived.runner.runs == []
