"""The life of a credential: what a stage does with it in one run, whoever makes it.

Made once for each generation, sealed once, written again to the byte until the next is due. What
cannot be done now is said and tried again; what there is stays as it is. Where nothing is there yet
that could stay, the run fails instead: an output without the Secret would take it away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from troth.errors import Reason, StageError, TransientError, TrothError
from troth.sdk import UNKNOWN, Context, Unknown
from troth.sdk.sealing import Sealable, SealedResult, Sealing, Target, seal_stably
from troth_pipelines.credentials.delivery import Delivery
from troth_pipelines.credentials.means import sealer_of, sealing_of
from troth_pipelines.credentials.rotation import Generation, Policy, next_steps, renewal_of
from troth_pipelines.credentials.state import State

__all__ = ["BECAUSE", "Lived", "Made", "Maker", "Wish", "live"]

BECAUSE = "because"
"""Under what a generation's details say why it was made, where something outside was missing."""

# How long to wait before something that failed is tried again: as long as it has failed already.
_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)

_OWN = Delivery()

_FAR = timedelta(days=3650)  # as far ahead as a stage may say that it wants to run again


@dataclass(frozen=True, slots=True)
class Made:
    """A generation that was made.

    Attributes:
        values: what the Secret is to hold, by key.
        details: what is public of it.
        issued: when it was made.
        expires: when it ends by itself, None for never.
        number: which one it is, where a later one than was asked for was there already; else None.
    """

    values: Mapping[str, bytes] = field(repr=False)
    details: Mapping[str, str]
    issued: datetime
    expires: datetime | None
    number: int | None = None


class Maker(Protocol):
    """Who makes credentials, and ends them."""

    def title(self, number: int) -> str:
        """Return how a generation is called, such as ``the NATS user orders-g2``."""
        ...

    def make(self, number: int) -> Made:
        """Make a generation, or complete one that was made before.

        It is asked for the same number again until what it made was sealed. Where it finds a later
        one there already, since the state that was asked for it is lost or old, it completes that.

        Raises:
            TransientError: not now.
            PermanentError: never, until a person has done something.
        """
        ...

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        """End a generation; one that has ended already is no error.

        Raises:
            TrothError: it has not ended; it is tried again, and stops nothing else.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        policy: how long generations are good.
        target: the Secret.
        keys: what it holds.
        wanted: digest of all that is made into a credential; another one needs a new generation.
        renewal: another text asks for a new generation at once.
        end_before: generations below this number end at once.
        delivery: what becomes of a Secret that is there already.
        known_by: the key by whose value a generation is known again; the first, where none is said.
    """

    policy: Policy
    target: Target
    keys: Sequence[str]
    wanted: str
    renewal: str = ""
    end_before: int = 0
    delivery: Delivery = _OWN
    known_by: str = ""


@dataclass(frozen=True, slots=True)
class Lived:
    """What came of a run.

    Attributes:
        state: to be remembered.
        ciphertexts: what the SealedSecret holds, by key.
        destination: whom it is sealed for.
        due: when to run again, None for "when something changes".
        problem: what could not be done now, None where all was done.
        lost: why what is published is none that its cluster can open, None where it can.
        expired: whether what is published has come to its own end.
        renewal: when the next generation is made by the schedule, None for never.
    """

    state: State
    ciphertexts: Mapping[str, str]
    destination: str
    due: datetime | None
    problem: str | None = None
    lost: StageError | None = None
    expired: bool = False
    renewal: datetime | None = None


def live(context: Context, wish: Wish, state: State, maker: Maker) -> Lived:
    """Do what is due, and return what to write.

    Raises:
        PermanentError: it cannot be done, and nobody but a person can change that.
        TransientError: it cannot be done now, and nothing is there that may stay meanwhile.
        OutputRefusedError: another mode would lose what the live Secret holds.
    """
    run = _Run(context, wish, maker, sealing_of(context, wish.target, state.sealed))
    if run.may_stay(state):  # else there is no Secret yet that could lose anything
        wish.delivery.refuse_unsafe(state.mode)
    kept, lost = run.keep(state)
    asked = state.newest is not None and (
        lost is not None
        or context.drift is not None
        or (state.renewal, state.wanted) != (wish.renewal, wish.wanted)
        or state.newest.number < wish.end_before
    )
    steps = next_steps(wish.policy, state.generations, context.now, renew=asked)
    ended = steps.retire
    if steps.mint is not None:
        made = run.try_to_mint(state, max(steps.mint, state.highest + 1, wish.end_before))
        if made is not None:
            (state, kept), lost = made, None
            state = run.without_dead(state)
        if context.effects.performed or run.problems:
            # Whoever made it may have given it another end; and what is not followed stays.
            steps = next_steps(wish.policy, state.generations, context.now)
            ended = tuple(one for one in steps.retire if one != state.newest)
    due = steps.due
    if context.effects.performed and steps.mint is not None and not run.problems:
        due = context.now  # what was completed is of long ago, and the next one due already
    foreseen = steps.mint is not None and not context.effects.performed and not run.problems
    # In a rehearsal the next one is not there yet, and what it takes the place of is the newest.
    followed = state.generations if foreseen else state.generations[:-1]
    revoked = [one for one in followed if one.number < wish.end_before]
    state = run.retire(state, sorted({*revoked, *ended}, key=lambda one: one.number))
    if kept is not None and not kept.unknown:
        state = replace(state, sealed=kept.values).known_by(wish.known_by or wish.keys[0])
    return run.told(state, kept, due, lost)


@dataclass(slots=True)
class _Run:
    """One run of a stage; `problems` is what could not be done now."""

    context: Context
    wish: Wish
    maker: Maker
    sealing: Sealing
    problems: list[str] = field(default_factory=list[str])

    def keep(self, state: State) -> tuple[SealedResult | None, StageError | None]:
        """Return what is sealed of the newest generation, or why that can no longer be had."""
        if state.newest is None:
            return None, None
        wanted = {key: Sealable(None, state.newest.number) for key in self.wish.keys}
        try:
            result = seal_stably(wanted, state.sealed, self.sealing)
        except StageError as error:
            if error.reason is not Reason.CREDENTIAL_LOST:
                raise
            return None, error
        if result.rotate:
            return None, StageError(Reason.KEY_REPLACED, " ".join(result.rotate.values()))
        return result, None

    def try_to_mint(self, state: State, number: int) -> tuple[State, SealedResult] | None:
        """Make a generation and seal it; None where that cannot be done now, and can wait."""
        try:
            return self.mint(state, number)
        except TransientError as error:
            if not self.may_stay(state):
                raise
            self.problems.append(error.message)
            return None
        except TrothError as error:
            ended = _ended(state, self.context.now)
            if ended is None:
                raise
            # No status can say it: the run stops here.
            what = f"what is published ended at {ended:%Y-%m-%dT%H:%M:%SZ}"
            raise error.about(what) from None

    def mint(self, state: State, number: int) -> tuple[State, SealedResult]:
        """Make a generation and seal it. Raises TransientError when that cannot be done now."""
        drift = self.context.drift
        because = {} if drift is None else {BECAUSE: drift.message}
        title = " since ".join((f"make {self.maker.title(number)}", *because.values()))

        def act() -> tuple[State, SealedResult]:
            return self._sealed(state, number, because, self._ready_to_seal())

        # Sealing is part of it: what was made and could not be sealed is yet to be done.
        done = self.context.effects.perform(title, act)
        if not isinstance(done, Unknown):
            return done
        sealing = self._ready_to_seal()
        wanted = {key: Sealable(UNKNOWN, number) for key in self.wish.keys}
        return state, seal_stably(wanted, state.sealed, sealing)

    def _ready_to_seal(self) -> Sealing:
        """Return what seals, having sealed nothing: what could not be sealed is not made."""
        sealer = sealer_of(self.context)
        if sealer is not None:
            sealer.seal(b"", self.wish.target)
        return replace(self.sealing, sealer=sealer)

    def _sealed(
        self, state: State, number: int, because: Mapping[str, str], sealing: Sealing
    ) -> tuple[State, SealedResult]:
        made = self.maker.make(number)
        self._refuse_ended(made, number)
        number = max(number, made.number or 0)
        generation = Generation(number, made.issued, made.expires)
        state = state.with_generation(
            generation, {**made.details, **because}, self.wish.renewal, self.wish.wanted
        )
        wanted = {key: Sealable(made.values[key], number) for key in self.wish.keys}
        return state, seal_stably(wanted, state.sealed, sealing)

    def without_dead(self, state: State) -> State:
        """Return the state without the generation that was found dead, once there is another.

        Nothing of it is left that could be ended: asking for that would be in vain.
        """
        drift = self.context.drift
        if drift is None or not drift.ended or not self.context.effects.performed:
            return state
        return state.without(state.generations[-2]) if len(state.generations) > 1 else state

    def _refuse_ended(self, made: Made, number: int) -> None:
        if made.expires is not None and made.expires <= self.context.now:
            message = (
                f"{self.maker.title(number)} was made, but has ended already "
                f"({made.expires:%Y-%m-%dT%H:%M:%SZ}); is the clock right here, and where it was "
                "made?"
            )
            raise TransientError(Reason.STAGE_FAILED, message)

    def may_stay(self, state: State) -> bool:
        """Tell whether what was sealed last may be written as it is, if only to be kept."""
        here = (self.wish.target.label, self.sealing.destination)
        return bool(state.sealed) and all(
            (one.label, one.destination) == here for one in state.sealed.values()
        )

    def retire(self, state: State, generations: Sequence[Generation]) -> State:
        """End generations; what cannot be ended now stays in the state, and is tried again."""
        for old in generations:
            title = f"end {self.maker.title(old.number)}"
            end = partial(self.maker.retire, old, state.details.get(old.number, {}))
            try:
                ended = self.context.effects.perform(title, end)
            except TrothError as error:  # a new generation that was made must not be lost over it
                self.problems.append(error.message)
                continue
            if ended is not UNKNOWN:
                state = state.without(old)
        return state

    def told(
        self,
        state: State,
        kept: SealedResult | None,
        due: datetime | None,
        lost: StageError | None,
    ) -> Lived:
        """Return what came of the run."""
        now = self.context.now
        since = (state.since or now) if self.problems else None
        if since is not None:
            again = now + min(max(now - since, _SOONEST), _LATEST)
            due = again if due is None else min(due, again)
        return Lived(
            state=replace(state, since=since, mode=self.wish.delivery.mode),
            ciphertexts=kept.ciphertexts() if kept is not None else _last(state),
            destination=self.sealing.destination,
            due=min(due, now + _FAR) if due is not None else None,
            problem=" ".join(dict.fromkeys(self.problems)) or None,
            lost=lost,
            expired=_ended(state, now) is not None,
            renewal=renewal_of(self.wish.policy, state.newest) if state.newest else None,
        )


def _ended(state: State, now: datetime) -> datetime | None:
    """Return when what is published came to its end, None while it is good."""
    expires = state.newest.expires if state.newest is not None else None
    return expires if expires is not None and expires <= now else None


def _last(state: State) -> Mapping[str, str]:
    """Return what was sealed last: it stays as it is although it may not be opened."""
    return {key: one.ciphertext for key, one in state.sealed.items()}
