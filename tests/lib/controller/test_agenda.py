"""The agenda: who is to be looked at when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from troth.api import RequestKey
from troth.controller import Agenda

START = datetime(2026, 1, 1, tzinfo=UTC)

NOTES = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 5)),
    max_size=20,
)


def key(name: str) -> RequestKey:
    return RequestKey("team", "thing", name)


def moment(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


@given(notes=NOTES, now=st.integers(0, 5))
def test_those_are_due_whose_last_noted_moment_has_come(
    notes: list[tuple[str, int | None]], now: int
) -> None:
    agenda = Agenda()
    for name, minutes in notes:
        agenda.note(key(name), None if minutes is None else moment(minutes))
    last = {name: minutes for name, minutes in dict(notes).items() if minutes is not None}

    due = agenda.take(moment(now))

    assert sorted(due) == [key(name) for name, at in sorted(last.items()) if at <= now]
    later = [at for at in last.values() if at > now]
    assert agenda.next == (moment(min(later)) if later else None)
    assert agenda.take(moment(now)) == []
