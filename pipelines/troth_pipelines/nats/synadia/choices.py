"""Which user, and which group of signing keys: decisions over what the API listed, and pure.

A user is ours when it has exactly the generation's name and carries our mark, the tag
``troth-owner:<owner>``. Synadia promises of no name that it is unique, and lower-cases tags.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.api import Json, JsonObject
from troth.errors import HeldError, PermanentError, Reason, shorten
from troth_pipelines.nats.synadia.values import Group, User, UserRef, UserSpec

__all__ = [
    "DEFAULT_GROUP",
    "OWNER_TAG",
    "Found",
    "choose_group",
    "choose_user",
    "differs",
    "highest_of",
    "mark_of",
    "normal_settings",
    "owner_of",
    "refuse_other",
]

DEFAULT_GROUP = "troth"
OWNER_TAG = "troth-owner:"

# What survives lower-casing and needs no quoting: namespaces, Promises and names of Kubernetes.
_OWNER = re.compile(r"[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?")
_DIGITS = 9  # of a generation; nobody gets there by counting
_SHOWN = 120  # characters of a foreign mark in a message


@dataclass(frozen=True, slots=True)
class Found:
    """A user that is ours, and others that are ours too by the same name, from a race.

    The oldest counts, for everybody who looks; the spares are not used by anyone who looked.
    """

    user: User
    spares: tuple[User, ...] = ()


def mark_of(owner: str) -> str:
    """Return the tag that marks what belongs to an owner.

    Raises:
        ValueError: an owner that the mark could not be read back from.
    """
    if not _OWNER.fullmatch(owner):
        raise ValueError("an owner consists of lower-case letters, digits and . _ / : -")
    return OWNER_TAG + owner


def owner_of(user: User) -> str | None:
    """Return whom a user's mark names; None when it carries none."""
    for tag in user.tags:
        if tag.lower().startswith(OWNER_TAG):
            return tag.lower().removeprefix(OWNER_TAG)
    return None


def choose_user(users: Iterable[User], name: str, owner: str) -> Found | None:
    """Find the user of this name and owner; None when it has to be made.

    Raises:
        HeldError: the name is there, and belongs to somebody else.
    """
    mark_of(owner)
    named = [user for user in users if user.name == name]
    ours = sorted((user for user in named if owner_of(user) == owner), key=_age)
    if ours:
        return Found(ours[0], tuple(ours[1:]))
    if named:
        raise _held(named[0], owner)
    return None


def highest_of(users: Iterable[User], name: str, owner: str) -> int:
    """Return the highest generation of a name that is its owner's; 0 when there is none."""
    known = re.compile(rf"{re.escape(name)}-g([1-9][0-9]{{0,{_DIGITS - 1}}})")
    found = (known.fullmatch(user.name) for user in users if owner_of(user) == owner)
    return max((int(match[1]) for match in found if match), default=0)


def choose_group(groups: Sequence[Group], name: str | None, spec: UserSpec) -> Group | None:
    """Choose the group of signing keys for a new user; None when it has to be made.

    Args:
        groups: those of the account.
        name: the one that is asked for; None takes the oldest that is enabled and unscoped.
        spec: what the user is to be allowed.

    Raises:
        PermanentError: the one that is asked for cannot be used, or decides what the request wants
            to decide, or the other way round.
    """
    if name is None:
        fitting = [group for group in groups if not group.scoped]
    else:
        fitting = [group for group in groups if group.name == name]
    usable = [group for group in fitting if group.usable]
    if name is not None and fitting and not usable:
        raise _unusable(
            f"The signing-key group {name!r} is disabled, or its seed is missing at Synadia. "
            "Enable it there, or name another."
        )
    chosen = min(usable, key=_age, default=None)
    scoped = chosen is not None and chosen.scoped
    if scoped and spec.grant is not None:
        raise _unusable(
            f"The signing-key group {name!r} is scoped: it decides by itself what its users may "
            "do. Take permissions and limits out, or name a group that is not scoped."
        )
    if not scoped and spec.grant is None:
        found = "no group is named" if name is None else f"{name!r} is no such group"
        raise _unusable(
            f"Permissions are left to a scoped signing-key group, but {found}. Name one that is "
            "there and scoped, or say permissions."
        )
    return chosen


def refuse_other(user: User, known: UserRef, owner: str) -> None:
    """Make sure that a user is the one a state speaks of, and its owner's.

    Raises:
        HeldError: it has another name, or another owner.
    """
    if user.name != known.name:
        raise HeldError(
            Reason.OBJECT_HELD,
            f"The user {user.id} at Synadia is called {shorten(user.name, _SHOWN)!r}, not "
            f"{known.name!r}: it is left alone. Rename it back, or remove it there.",
        )
    if owner_of(user) != owner:
        raise _held(user, owner)


def differs(user: User, spec: UserSpec) -> bool:
    """Tell whether a user that was found has other settings than those wanted."""
    if user.expires_in != spec.expires_in:
        return True
    return normal_settings(user.settings) != normal_settings(spec.settings)


def _unusable(message: str) -> PermanentError:
    return PermanentError(Reason.PROVIDER_REFUSED, message)


def _held(user: User, owner: str) -> HeldError:
    holder = owner_of(user)
    whose = "no mark of Troth's" if holder is None else f"the mark of {shorten(holder, _SHOWN)!r}"
    return HeldError(
        Reason.OBJECT_HELD,
        f"The user {user.name!r} is there at Synadia already, and carries {whose}. It is not "
        f"{owner!r}'s and is left alone: remove it there, or choose another name.",
    )


def _age(thing: User | Group) -> tuple[object, str]:
    return thing.created, thing.id


def normal_settings(settings: JsonObject) -> dict[str, Json]:
    """Spell settings in one way: absent, null, empty, false and unlimited are all the same."""
    normal: dict[str, Json] = {}
    for name, value in settings.items():
        if name != "tags" and (plain := _plain(value)) not in (None, [], {}, False, -1, ""):
            normal[name] = plain
    return normal


def _plain(value: Json) -> Json:
    match value:
        case Mapping():
            return {key: plain for key, one in value.items() if (plain := _plain(one))}
        case str() | bool() | int() | float() | None:
            return value
        case _:
            # Lists of subjects, addresses and connection types are sets; their order says nothing.
            return sorted((_plain(one) for one in value), key=str)
