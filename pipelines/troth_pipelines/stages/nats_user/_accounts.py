"""The accounts that a platform offers, as its Promise says in the variable NATS_ACCOUNTS.

YAML: name → what is known of the account. Secrets do not stand in it, but the names of the
variables that hold them, which come from Secrets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from troth.api import Fields, load_object
from troth.errors import InvalidInputError, Reason
from troth_pipelines.credentials import read_duration

__all__ = ["OperatorAccount", "SynadiaAccount", "find_account"]

_VARIABLE = "NATS_ACCOUNTS"
_SCHEMES = frozenset({"nats", "tls", "ws", "wss"})
_COMMON = ("provider", "account", "scoped", "servers", "ca", "longestLifetime")
_OPERATOR = (*_COMMON, "signingKey", "operatorKey", "systemCreds")
_SYNADIA = (*_COMMON, "system", "team", "token", "url", "group")


@dataclass(frozen=True, slots=True)
class OperatorAccount:
    """An account of a NATS system in operator mode, whose users are signed here.

    Attributes:
        name: as requests call it.
        account: its public key.
        signing_key: seed of the key that signs its users; its own, or a signing key.
        scoped: whether that key has a template, which then decides what users may do.
        servers: where clients connect.
        revokes: whether users can be ended before they end by themselves, with the two below.
        operator_key: seed of the key that signs the account.
        system_creds: credentials of a user of the system account.
        ca: certificates that vouch for the servers, PEM; the machine's without it.
        longest: what no lifetime of any of its users exceeds, None where nobody says so.
    """

    name: str
    account: str
    signing_key: str | None = field(repr=False)
    scoped: bool
    servers: tuple[str, ...]
    revokes: bool
    operator_key: str | None = field(repr=False)
    system_creds: str | None = field(repr=False)
    ca: str | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True)
class SynadiaAccount:
    """An account of Synadia Cloud, or of a Control Plane.

    Attributes:
        name: as requests call it.
        account: its name or id there.
        system: name or id of its system, where that is needed to tell it from others.
        team: name or id of its team, likewise.
        token: of a person or a service account.
        url: of the Control Plane; Synadia Cloud's without it.
        group: of signing keys.
        scoped: whether that group has a template, which then decides what users may do.
        servers: where clients connect.
        ca: certificates that vouch for the Control Plane, PEM; the machine's without it.
        longest: as of `OperatorAccount`.
    """

    name: str
    account: str
    system: str | None
    team: str | None
    token: str | None = field(repr=False)
    url: str | None
    group: str | None
    scoped: bool
    servers: tuple[str, ...]
    ca: str | None
    longest: timedelta | None

    @property
    def revokes(self) -> bool:
        """Whether users can be ended before they end by themselves: Synadia does that."""
        return True


def find_account(name: str, variables: Mapping[str, str]) -> OperatorAccount | SynadiaAccount:
    """Return what the platform says of an account.

    Secrets that a rehearsal is not given are None; whoever needs one says so.

    Args:
        name: as the request calls it.
        variables: of the container.

    Raises:
        InvalidInputError: there is no such account, or what is said of it is wrong.
    """
    if _VARIABLE not in variables:
        message = f"the Promise does not say which accounts there are: set {_VARIABLE}."
        raise InvalidInputError(Reason.PROMISE_INVALID, message)
    accounts = Fields(load_object(variables[_VARIABLE], _VARIABLE), (_VARIABLE,))
    if not accounts.has(name):
        known = ", ".join(sorted(accounts.raw)) or "none"
        raise Fields({}, ("spec",)).error(
            "account", f"there is no account {name!r}; the platform offers: {known}."
        )
    given = accounts.section(name)
    match given.text("provider"):
        case "operator":
            return _operator(name, given, variables)
        case "synadia":
            return _synadia(name, given, variables)
        case other:
            raise given.error("provider", f"{other!r} is none of operator, synadia.")


def _operator(name: str, given: Fields, variables: Mapping[str, str]) -> OperatorAccount:
    given.refuse_unknown(_OPERATOR, f"the account {name!r}")
    given.text("signingKey")
    if given.has("operatorKey") != given.has("systemCreds"):
        message = "users are revoked with both operatorKey and systemCreds; name both, or neither."
        raise given.error("operatorKey", message)
    return OperatorAccount(
        name=name,
        account=given.text("account"),
        signing_key=_variable(given, "signingKey", variables),
        scoped=given.flag("scoped", default=False),
        servers=_servers(given),
        # By what is named, not by what is there: a rehearsal has no Secrets, and the same policy.
        revokes=given.has("operatorKey"),
        operator_key=_variable(given, "operatorKey", variables),
        system_creds=_variable(given, "systemCreds", variables),
        ca=_variable(given, "ca", variables),
        longest=_longest(name, given),
    )


def _synadia(name: str, given: Fields, variables: Mapping[str, str]) -> SynadiaAccount:
    given.refuse_unknown(_SYNADIA, f"the account {name!r}")
    given.text("token")
    return SynadiaAccount(
        name=name,
        account=given.text("account"),
        system=given.text("system", "") or None,
        team=given.text("team", "") or None,
        token=_variable(given, "token", variables),
        url=given.text("url", "") or None,
        group=given.text("group", "") or None,
        scoped=given.flag("scoped", default=False),
        servers=_servers(given),
        ca=_variable(given, "ca", variables),
        longest=_longest(name, given),
    )


def _servers(given: Fields) -> tuple[str, ...]:
    """Return where clients connect.

    Raises:
        InvalidInputError: an address is none, or says who connects: it goes into every Secret.
    """
    found = given.texts("servers")
    for number, one in enumerate(found):
        try:
            url = urlsplit(one)
            port, host = url.port, url.hostname
        except ValueError:
            port, host, url = None, None, urlsplit("")
        if url.scheme not in _SCHEMES or not host or port == 0 or re.search(r"[\s,]", one):
            message = "an address such as tls://nats.example.com:4222 is needed here."
        elif "@" in url.netloc:
            message = "an address names no user; take out what stands before the @."
        else:
            continue
        # It is not quoted: it may hold a password.
        raise given.error("servers", f"of the servers, number {number + 1}: {message}")
    return found


def _variable(given: Fields, key: str, variables: Mapping[str, str]) -> str | None:
    """Return the value of the variable that a field names, None where either is not there."""
    name = given.text(key, "")
    value = variables.get(name, "").strip() if name else ""
    return value or None


def _longest(name: str, given: Fields) -> timedelta | None:
    text = given.text("longestLifetime", "")
    return read_duration(text, _VARIABLE, name, "longestLifetime") if text else None
