"""Lanes: whatever comes in whatever order, each is taken once, in order, and in its turn."""

from dataclasses import dataclass
from math import ceil

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from troth_statestore import ChangeSet
from troth_statestore._checks import check_together
from troth_statestore._lanes import Entry, Lanes


def entry(key: str, *paths: str, lane: str | None = "a") -> Entry:
    return Entry(ChangeSet(key, None, dict.fromkeys(paths, b"")), lane)


def flushes(lanes: Lanes, limit: int) -> list[list[str]]:
    """Take all there is; the keys of each flush, in the order they were taken."""
    taken: list[list[str]] = []
    while batch := lanes.take(limit):
        taken.append([one.change.key for one in batch])
        lanes.done(batch)
    return taken


def filled(*entries: Entry) -> Lanes:
    lanes = Lanes()
    for one in entries:
        lanes.add(one)
    return lanes


def test_lanes_take_turns() -> None:
    many = [entry(f"a{index}", lane="a") for index in range(6)]

    taken = flushes(filled(*many, entry("b0", lane="b"), entry("c0", lane="c")), limit=3)

    assert taken == [["a0", "b0", "c0"], ["a1", "a2", "a3"], ["a4", "a5"]]


def test_the_turn_goes_on_where_the_last_flush_stopped() -> None:
    lanes = filled(*(entry(f"{lane}{n}", lane=lane) for n in range(2) for lane in "abc"))

    assert flushes(lanes, limit=2) == [["a0", "b0"], ["c0", "a1"], ["b1", "c1"]]


def test_a_lane_that_comes_anew_does_not_push_in() -> None:
    lanes = filled(*(entry(f"{lane}0", lane=lane) for lane in "ab"))
    lanes.add(entry("c0", lane="c"))

    assert flushes(lanes, limit=1) == [["a0"], ["b0"], ["c0"]]


def test_what_is_of_no_lane_goes_first() -> None:
    lanes = filled(entry("a0"), entry("a1"), entry("shared", lane=None))

    assert flushes(lanes, limit=2) == [["shared", "a0"], ["a1"]]


def test_what_touches_the_same_in_two_lanes_keeps_its_order() -> None:
    lanes = filled(entry("a0", lane="a"), entry("a1", "f", lane="a"), entry("b0", "f/g", lane="b"))

    assert flushes(lanes, limit=2) == [["a0", "a1"], ["b0"]]


def test_one_that_was_cancelled_takes_nobodys_place() -> None:
    first, second, third = entry("a0", "f"), entry("a1"), entry("a2", "f")
    lanes = filled(first, second, third)
    first.receipt.cancel()

    assert flushes(lanes, limit=2) == [["a1", "a2"]]


def test_nothing_is_kept_of_what_is_done() -> None:
    lanes = filled(entry("a0", "d/f", "d/g"), entry("a1", "d/f"), entry("b0", "d", lane="b"))
    flushes(lanes, limit=1)

    assert not lanes._ties._last
    assert not lanes._ties._below
    assert (len(lanes), lanes.oldest) == (0, None)


PATHS = st.lists(st.sampled_from(["f", "g", "d", "d/f", "d/g", "d/e/f"]), max_size=3, unique=True)


@dataclass
class Handed:
    """An entry, and what the model knows of it."""

    entry: Entry
    cancelled: bool = False


class LanesMachine(RuleBasedStateMachine):
    """Hand in, cancel and flush in any order; a list of all entries is the model."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes()
        self.handed: list[Handed] = []
        self.written: list[Entry] = []

    @rule(key=st.sampled_from("klmnop"), paths=PATHS, lane=st.sampled_from([None, *"abc"]))
    def hand_in(self, key: str, paths: list[str], lane: str | None) -> None:
        files = [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]
        one = entry(key, *files, lane=lane)
        self.lanes.add(one)
        self.handed.append(Handed(one))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        alive = [one for one in self.handed if not one.entry.receipt.running()]
        if alive:
            one = data.draw(st.sampled_from(alive))
            one.cancelled = one.entry.receipt.cancel()

    @rule(limit=st.integers(1, 4))
    def flush(self, limit: int) -> None:
        batch = self.lanes.take(limit)
        assert len(batch) <= limit
        check_together([one.change for one in batch])  # raises when two are not apart
        assert batch or not self.lanes
        self.written += batch
        self.lanes.done(batch)

    @invariant()
    def each_is_waiting_or_written_once(self) -> None:
        assert len(set(map(id, self.written))) == len(self.written)
        waiting = [
            one for one in self.handed if one.entry not in self.written and not one.cancelled
        ]
        assert len(self.lanes) >= len(waiting)
        assert not any(one.cancelled for one in self.handed if one.entry in self.written)

    def teardown(self) -> None:
        while self.lanes:
            self.flush(3)
        asked = [one.entry for one in self.handed if not one.cancelled]
        assert sorted(self.written, key=id) == sorted(asked, key=id)
        place = {id(one): index for index, one in enumerate(self.written)}
        for index, earlier in enumerate(asked):
            for later in asked[index + 1 :]:
                if not apart(earlier, later):
                    assert place[id(earlier)] < place[id(later)]


def apart(one: Entry, other: Entry) -> bool:
    try:
        check_together([one.change, other.change])
    except ValueError:
        return False
    return True


TestLanes = LanesMachine.TestCase


@given(
    st.lists(st.lists(st.sampled_from("abcde"), max_size=12), min_size=1, max_size=12),
    st.integers(1, 6),
)
def test_nobody_waits_longer_than_a_fair_share_of_the_flushes(
    arrivals: list[list[str]], limit: int
) -> None:
    """With L lanes at most, the n-th of its lane goes within ceil(n * L / limit) flushes."""
    lanes, handed_in = Lanes(), 0
    waiting: dict[str, list[tuple[Entry, int]]] = {}  # lane → entries, each with its last flush
    for flushed, arriving in enumerate([*arrivals, *[[]] * 200]):
        for lane in arriving:
            mine = waiting.setdefault(lane, [])
            last = flushed + ceil((len(mine) + 1) * len("abcde") / limit)
            mine.append((entry(f"k{handed_in}", lane=lane), last))
            lanes.add(mine[-1][0])
            handed_in += 1
        batch = lanes.take(limit)
        for one in batch:
            assert one.lane is not None
            first, last = waiting[one.lane].pop(0)
            assert first is one  # in the order of its lane
            assert flushed + 1 <= last
        lanes.done(batch)
    assert not any(waiting.values())
