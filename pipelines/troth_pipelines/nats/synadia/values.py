"""What Synadia's API speaks of, as frozen values: only the fields that are used.

Format: the schemas of the Control Plane API, version "beta". Lists come whole, as
``{"items": […]}``; fields that are not known are left aside.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from troth.api import Fields, JsonObject
from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.users import Grant

__all__ = ["AccountRef", "Group", "Place", "User", "UserRef", "UserSpec", "Wanted"]


@dataclass(frozen=True, slots=True)
class Place:
    """A team or a system, which only matter on the way to an account."""

    id: str
    name: str

    @classmethod
    def parse(cls, raw: Fields) -> "Place":
        """Read one of an answer."""
        return cls(raw.text("id"), raw.text("name"))


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account as states keep it: enough to find it again, and to tell that it is another.

    Attributes:
        public_key: the account's identity, ``A…``; credentials name it.
        system: the id of the system it belongs to.
        synced: whether the servers have the account's newest JWT; ``InProgress``, ``Complete`` or
            ``Failed``. Empty when nobody said.
    """

    id: str
    name: str
    public_key: str
    system: str
    synced: str = field(default="", compare=False)

    @classmethod
    def parse(cls, raw: Fields) -> "AccountRef":
        """Read one of an answer."""
        return cls(
            raw.text("id"),
            raw.text("name"),
            raw.text("account_public_key"),
            raw.section("system").text("id"),
            raw.text("jwt_sync_status", ""),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A group of signing keys; the keys of a scoped one bring the permissions of its users."""

    id: str
    name: str
    created: datetime
    scoped: bool
    usable: bool

    @classmethod
    def parse(cls, raw: Fields) -> "Group":
        """Read one of an answer; that to creating one need not have more than id and name."""
        disabled = raw.flag("disabled", default=False)
        return cls(
            raw.text("id"),
            raw.text("name"),
            _moment(raw, "created") if raw.has("created") else datetime.max.replace(tzinfo=UTC),
            raw.flag("is_scoped", default=False),
            not (disabled or raw.flag("missing_seed", default=False)),
        )


@dataclass(frozen=True, slots=True)
class UserRef:
    """A user as states keep it: enough to find it again, and to revoke it once it is gone."""

    id: str
    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class UserSpec:
    """What a user may do, and for how long.

    Attributes:
        expires_in: seconds that each of its credentials is valid.
        grant: permissions and limits; None where the group of signing keys is scoped and decides.

    Raises:
        ValueError: it would live for ever.
        InvalidInputError: a limit of 0, which Synadia takes for no limit at all.
    """

    expires_in: int
    grant: Grant | None = field(default_factory=Grant)

    def __post_init__(self) -> None:
        """Refuse what Synadia would take for something else."""
        if self.expires_in <= 0:
            # Synadia takes 0 for the account's own lifetime, which may be none at all.
            raise ValueError("a lifetime in seconds is needed")
        for name, value in self.settings.items():
            if value == 0 and not isinstance(value, bool):
                raise InvalidInputError(
                    Reason.INVALID_OBJECT,
                    f"A limit of 0 ({name}) cannot be had at Synadia, which takes it for no limit. "
                    "Give at least 1, or deny the subjects.",
                )

    @property
    def settings(self) -> JsonObject:
        """Spell the grant as the API does, which is as the ``nats`` block of a user JWT."""
        if self.grant is None:
            return {}
        spelled = {**self.grant.permissions.claims(), **self.grant.limits.claims()}
        return {name: value for name, value in spelled.items() if value != {}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The user of one generation.

    Attributes:
        name: without the generation; with it, it has to be the only one of an account.
        generation: counted from 1.
        owner: whose it is, such as ``namespace/promise/name``: lower-case, and never another's.

    Raises:
        ValueError: a generation below 1.
    """

    name: str
    generation: int
    owner: str
    spec: UserSpec

    def __post_init__(self) -> None:
        """Refuse a generation that cannot be."""
        if self.generation < 1:
            raise ValueError("generations count from 1")

    @property
    def user_name(self) -> str:
        """The name at Synadia: ``<name>-g<N>``."""
        return f"{self.name}-g{self.generation}"


@dataclass(frozen=True, slots=True)
class User:
    """A user as the API shows it."""

    id: str
    name: str
    public_key: str
    account_key: str
    created: datetime
    group: str | None
    expires_in: int
    settings: JsonObject
    tags: tuple[str, ...]
    server_urls: str

    @property
    def ref(self) -> UserRef:
        """What a state keeps of it."""
        return UserRef(self.id, self.name, self.public_key)

    @classmethod
    def parse(cls, raw: Fields) -> "User":
        """Read one of an answer."""
        settings = raw.section("jwt_settings")
        return cls(
            raw.text("id"),
            raw.text("name"),
            raw.text("user_public_key"),
            raw.section("account").text("account_public_key"),
            _moment(raw, "created"),
            raw.text("sk_group_id", "") or None,
            _seconds(raw, "jwt_expires_in_secs"),
            settings.raw,
            settings.texts("tags"),
            raw.section("system").text("server_urls", ""),
        )


def _moment(raw: Fields, name: str) -> datetime:
    """Read a moment, RFC 3339 as Go spells it: up to nine digits of a second."""
    text = raw.text(name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise raw.error(name, "a moment such as 2026-01-31T12:00:00Z is needed here.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(raw: Fields, name: str) -> int:
    value = raw.value(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise raw.error(name, "a number of seconds is needed here.")
    return value
