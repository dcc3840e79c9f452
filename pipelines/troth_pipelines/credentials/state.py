"""State: what is remembered of a request's credentials in its status, never a value.

The status is where a stage keeps its state, on Kratix too. Each live generation stands in it, with
what is public of it, and each sealed value with its ciphertext: so what was sealed is written again
to the byte although nobody can read it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from troth.api import Fields, Json, JsonObject
from troth.errors import Reason
from troth.sdk.sealing import PatchMode, SealedValue, read_sealed_values
from troth_pipelines.credentials.rotation import Generation

__all__ = ["State"]

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_NEEDED = "a time like 2026-01-31T12:00:00Z"
_FINGERPRINT = "fingerprint"
_DETAILS = ("generation", "issued", "expires", "delivered")


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered.

    Attributes:
        generations: those that are live, in the order of their numbers.
        details: by generation, what is public of each, such as its public key.
        sealed: what was sealed last, by key of the Secret.
        renewal: the wish for a new one that was fulfilled last.
        wanted: digest of what the newest generation was made for.
        since: when something that is due could not be done first, None where all is done.
        mode: how what was sealed last treats a Secret that is there.
    """

    generations: tuple[Generation, ...] = ()
    details: Mapping[int, Mapping[str, str]] = field(default_factory=dict[int, Mapping[str, str]])
    sealed: Mapping[str, SealedValue] = field(default_factory=dict[str, SealedValue])
    renewal: str = ""
    wanted: str = ""
    since: datetime | None = None
    mode: PatchMode = PatchMode.REPLACE

    @property
    def newest(self) -> Generation | None:
        """The generation that is published."""
        return self.generations[-1] if self.generations else None

    @property
    def highest(self) -> int:
        """The highest number that is remembered, also of values whose generation is gone; or 0."""
        numbers = [one.number for one in self.generations]
        return max([*numbers, *(one.generation for one in self.sealed.values())], default=0)

    def ending_after(self, lifetime: timedelta | None) -> "State":
        """Return the state with another end of the newest generation.

        For credentials that end only because it was wished so: another wish gives another end.
        """
        if self.newest is None:
            return self
        expires = self.newest.issued + lifetime if lifetime is not None else None
        newest = replace(self.newest, expires=expires)
        return replace(self, generations=(*self.generations[:-1], newest))

    def with_generation(
        self, generation: Generation, details: Mapping[str, str], renewal: str, wanted: str
    ) -> "State":
        """Return the state once a generation was made."""
        return replace(
            self,
            generations=(*self.generations, generation),
            details={**self.details, generation.number: details},
            renewal=renewal,
            wanted=wanted,
        )

    def known_by(self, key: str) -> "State":
        """Return the state with the newest generation's fingerprint among what is public of it.

        It stays there when the next one is made; where nothing is known by one, none is said.

        Args:
            key: of the Secret, whose value's keyed fingerprint it is.
        """
        newest, value = self.newest, self.sealed.get(key)
        if newest is None or value is None or value.generation != newest.number:
            return self
        known = {k: v for k, v in self.details.get(newest.number, {}).items() if k != _FINGERPRINT}
        if value.fingerprint is not None:
            known[_FINGERPRINT] = value.fingerprint
        return replace(self, details={**self.details, newest.number: known})

    def without(self, generation: Generation) -> "State":
        """Return the state once a generation has ended."""
        return replace(
            self,
            generations=tuple(one for one in self.generations if one != generation),
            details={k: v for k, v in self.details.items() if k != generation.number},
        )

    @classmethod
    def load(cls, status: JsonObject) -> "State":
        """Read it from a status.

        Raises:
            InvalidInputError: somebody changed it into something else.
        """
        root = Fields(status, ("status",), Reason.INVALID_STATUS)
        items = root.items("credentials")
        generations = tuple(_generation(item) for item in items)
        numbers = [one.number for one in generations]
        if numbers != sorted(set(numbers)):
            raise root.error("credentials", "generations stand here twice, or not in order.")
        details = {
            one.number: {k: str(v) for k, v in item.raw.items() if k not in _DETAILS}
            for one, item in zip(generations, items, strict=True)
        }
        sealed = root.section("sealed")
        return cls(
            generations=generations,
            details=details,
            sealed=read_sealed_values(sealed.mapping("values"), ("status", "sealed", "values")),
            renewal=sealed.text("renewal", ""),
            wanted=sealed.text("wanted", ""),
            since=_moment(sealed, "failingSince"),
            mode=_mode(sealed),
        )

    def save(self) -> dict[str, Json]:
        """Spell it for a status, under the keys ``credentials`` and ``sealed``."""
        credentials: list[Json] = [
            _spelled(one) | dict(self.details.get(one.number, {})) | _spelled(one)
            for one in self.generations
        ]
        sealed: dict[str, Json] = {key: value.as_json() for key, value in self.sealed.items()}
        failing: dict[str, Json] = {}
        if self.since is not None:
            failing["failingSince"] = self.since.strftime(_FORMAT)
        kept: dict[str, Json] = {"values": sealed, "renewal": self.renewal, "wanted": self.wanted}
        # Not said where nobody wished it: a status of before stays the same to the byte.
        mode: dict[str, Json] = {} if self.mode is PatchMode.REPLACE else {"mode": self.mode.value}
        return {"credentials": credentials, "sealed": {**kept, **failing, **mode}}


def _generation(item: Fields) -> Generation:
    number = item.value("generation")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise item.error("generation", "a whole number is needed here, from 1 on.")
    issued = _moment(item, "issued")
    if issued is None:
        raise item.error("issued", f"{_NEEDED} is needed here.")
    return Generation(number, issued, _moment(item, "expires"), _moment(item, "delivered"))


def _moment(item: Fields, key: str) -> datetime | None:
    if not item.has(key):
        return None
    try:
        return datetime.strptime(item.text(key), _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise item.error(key, f"{_NEEDED} is needed here.") from None


def _mode(sealed: Fields) -> PatchMode:
    try:
        return PatchMode(sealed.text("mode", PatchMode.REPLACE))
    except ValueError:
        raise sealed.error("mode", f"one of {', '.join(PatchMode)} is needed here.") from None


def _spelled(one: Generation) -> dict[str, Json]:
    moments = {"issued": one.issued, "expires": one.expires, "delivered": one.delivered}
    return {
        "generation": one.number,
        **{key: at.strftime(_FORMAT) for key, at in moments.items() if at is not None},
    }
