"""A maker of credentials that counts and fails on demand, and the life of what it makes."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from support.minted import note_secret, sayings
from support.sealing import CannotOpenError, certificate_pem, private_key, unseal

from troth.api import Json, dump_documents, load_object
from troth.errors import Reason, TransientError, TrothError
from troth.sdk import Context, SealingInput
from troth.sdk.effects import Effects, PerformedEffects, RecalledEffects
from troth.sdk.sealing import Target
from troth_pipelines.credentials import (
    Generation,
    Lived,
    Made,
    Policy,
    State,
    Wish,
    live,
    reported,
)

__all__ = ["DAY", "DOWN", "HOUR", "KEY", "START", "FakeMaker", "Life", "sealing"]

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEY = "0123456789abcdef" * 2
DOWN = TransientError(Reason.STAGE_FAILED, "the provider does not answer.")


def sealing(destination: str = "west", epoch: str = "", key: str = "ours") -> SealingInput:
    """Return what Troth lays into troth.json for a cluster with this key."""
    return SealingInput(destination, certificate_pem(private_key(key)), epoch)


@dataclass
class FakeMaker:
    """Makes users outside, each number once; `now` is its clock.

    Attributes:
        lives: how long each is good, None for ever.
        broken: raised instead of making.
        stuck: raised instead of ending.
        made: what there is, by number, with what it was given.
        found: the number of a later one that was there already.
        ended: numbers, in the order in which they ended.
        calls: what it was asked for.
    """

    now: datetime = START
    lives: timedelta | None = 7 * DAY
    broken: TrothError | None = None
    stuck: TrothError | None = None
    made: dict[int, Made] = field(default_factory=dict[int, Made])
    found: int | None = None
    ended: list[int] = field(default_factory=list[int])
    calls: list[str] = field(default_factory=list[str])

    def title(self, number: int) -> str:
        return f"the user orders-g{number}"

    def make(self, number: int) -> Made:
        self.calls.append(f"make {number}")
        if self.broken is not None:
            raise self.broken
        if number not in self.made:
            expires = self.now + self.lives if self.lives is not None else None
            values = {"user": b"the same user", "password": self.value(number)}
            details = {"publicKey": f"U{number}"}
            self.made[number] = Made(values, details, self.now, expires, self.found)
        return self.made[number]

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        self.calls.append(f"end {generation.number} {details.get('publicKey', '')}".strip())
        if self.stuck is not None:
            raise self.stuck
        self.ended.append(generation.number)

    @staticmethod
    def value(number: int) -> bytes:
        """Return the password of a generation."""
        return hashlib.sha256(b"%d" % number).hexdigest().encode()


@dataclass
class Life:
    """A request that is run again and again; only its status goes from run to run."""

    maker: FakeMaker = field(default_factory=FakeMaker)
    wish: Wish = field(
        default_factory=lambda: Wish(
            policy=Policy(7 * DAY, renew_before=2 * DAY, overlap=DAY),
            target=Target("shop", "orders"),
            keys=("user", "password"),
            wanted="as asked",
        )
    )
    now: datetime = START
    sealing: SealingInput | None = field(default_factory=sealing)
    environ: dict[str, str] = field(default_factory=lambda: {"TROTH_SEALING_KEY": KEY})
    status: dict[str, Json] = field(default_factory=dict[str, Json])

    def run(self, after: timedelta = timedelta()) -> Lived:
        """Run the stage a while later, and remember the status it left."""
        self.now += after
        note_secret("a key of stable sealing", self.environ.get("TROTH_SEALING_KEY", ""))
        with sayings("the life of a credential"):
            lived = self._live(PerformedEffects())
        # As a record, or a cluster, keeps it: merged key by key, and nothing but what YAML holds.
        text = dump_documents([{**self.status, **reported(lived)}]).decode()
        self.status = dict(load_object(text, "status.yaml"))
        return lived

    def look(self, after: timedelta = timedelta()) -> tuple[Lived, Sequence[str]]:
        """Run the stage without effects, as a plan does; return what it wants outside as well."""
        self.now += after
        effects = RecalledEffects()
        return self._live(effects), tuple(effects.wanted)

    def opened(self, lived: Lived, *keys: str) -> dict[str, bytes]:
        """Open what was sealed, as the cluster with these keys does: with whichever fits."""
        label = self.wish.target.label
        return {
            name: _opened(text, label, keys or ("ours",))
            for name, text in lived.ciphertexts.items()
        }

    def _live(self, effects: Effects) -> Lived:
        self.maker.now = self.now
        context = Context(
            now=self.now,
            seed=bytes(32),
            action="configure",
            promise="nats-user",
            pipeline="configure",
            environ=self.environ,
            effects=effects,
            sealing=self.sealing,
        )
        return live(context, self.wish, State.load(self.status), self.maker)


def _opened(ciphertext: str, label: str, keys: Sequence[str]) -> bytes:
    for name in keys:
        with suppress(CannotOpenError):
            return unseal(ciphertext, label, private_key(name))
    raise CannotOpenError
