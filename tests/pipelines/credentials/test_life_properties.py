"""Properties: weeks of a credential's life, looked at by chance, with all that may happen."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given, settings
from support.credentials import DOWN, KEY, FakeMaker, Life, sealing

from troth.api import canonical
from troth.errors import TransientError
from troth_pipelines.credentials import Lived, State, next_steps

EVENTS = st.sampled_from(
    [
        "look",
        "look",
        "plan",
        "provider down",
        "provider stuck",
        "provider back",
        "renewed certificate",
        "rebuilt cluster",
        "rotate now",
        "sealing key lost",
        "sealing key back",
    ]
)
WAITS = st.integers(0, 72).map(lambda hours: timedelta(hours=hours))


@dataclass
class Weeks:
    """A life, and what has to hold of each run of it."""

    life: Life = field(default_factory=Life)
    clusters: int = 1
    certificates: int = 1
    wishes: int = 0
    keys: list[str] = field(default_factory=lambda: ["ours"])

    def happen(self, event: str) -> None:
        maker = self.life.maker
        match event:
            case "provider down":
                maker.broken = DOWN
            case "provider stuck":
                maker.stuck = DOWN
            case "provider back":
                maker.broken = maker.stuck = None
            case "renewed certificate":
                self.certificates += 1
                self.keys.append(f"key {self.certificates % 4}")
                self._sealing()
            case "rebuilt cluster":
                self.clusters += 1
                self.keys = [self.keys[-1]]
                self._sealing()
            case "rotate now":
                self.wishes += 1
                self.life.wish = replace(self.life.wish, renewal=str(self.wishes))
            case "sealing key lost":
                self.life.environ = {}
            case "sealing key back":
                self.life.environ = {"TROTH_SEALING_KEY": KEY}
            case _:
                pass

    def _sealing(self) -> None:
        self.life.sealing = sealing(epoch=str(self.clusters), key=self.keys[-1])

    def due(self) -> bool:
        """Tell whether a new generation is due now, from the state that is left."""
        life, state = self.life, State.load(self.life.status)
        newest = state.newest
        if newest is None:
            return True
        epoch = life.sealing.epoch if life.sealing is not None else ""
        asked = state.renewal != life.wish.renewal or {epoch} != {
            one.epoch for one in state.sealed.values()
        }
        return asked or next_steps(life.wish.policy, state.generations, life.now).mint is not None


def passwords(maker: FakeMaker) -> list[bytes]:
    return [maker.value(number) for number in maker.made]


@given(st.lists(st.tuples(EVENTS, WAITS), min_size=1, max_size=30))
@settings(deadline=None, max_examples=60)
def test_through_weeks_of_chance_values_change_when_that_is_due_and_never_else(
    history: list[tuple[str, timedelta]],
) -> None:
    weeks = Weeks()
    life, maker = weeks.life, weeks.life.maker
    published: Lived | None = None
    for event, wait in history:
        weeks.happen(event)
        life.now += wait
        due, issued, ended = weeks.due(), len(maker.made), len(maker.ended)
        if event == "plan":
            calls = list(maker.calls)
            _, wanted = life.look()
            assert maker.calls == calls
            assert any(one.startswith("make") for one in wanted) is due
            continue
        try:
            run = life.run()
        except TransientError:  # nothing was there yet that could have stayed
            assert published is None
            continue
        again = life.run()
        assert (again.ciphertexts, again.state) == (run.ciphertexts, run.state)
        changed = published is None or run.ciphertexts != published.ciphertexts
        assert changed is (due and maker.broken is None)
        assert len(maker.made) - issued == changed
        newest = run.state.newest
        assert newest is not None
        assert newest.number == max(maker.made)
        if not run.lost:
            opened = life.opened(run, *weeks.keys)
            assert opened["password"] == maker.value(newest.number)
        assert newest.number not in maker.ended
        assert len(set(maker.ended)) == len(maker.ended)
        assert ended == len(maker.ended) or maker.stuck is None
        assert (run.problem is None) is (run.state.since is None)
        assert run.due is not None
        assert run.due > life.now
        assert not [one for one in passwords(maker) if one in canonical(life.status)]
        published = run
    made = sorted(maker.made)
    assert made == list(range(1, len(made) + 1))
