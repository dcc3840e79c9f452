"""The calls of Synadia's API that are used, typed; each is one HTTP call and decides nothing.

Format: the Control Plane API, version "beta", all below ``/api/core/beta``. It knows no pages, no
keys for idempotency, and promises of no name that it is unique. ``POST …/creds`` is an issuance of
its own, each time; ``POST …/rotate`` is not here, as it ends credentials that are in use.
"""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar, cast
from urllib.parse import quote

from troth.api import Fields, Json, JsonObject, field_path, is_object
from troth.errors import InvalidInputError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.jwt import decode
from troth_pipelines.nats.synadia.choices import normal_settings
from troth_pipelines.nats.synadia.failures import unreadable
from troth_pipelines.nats.synadia.transport import Answer, Call, Transport
from troth_pipelines.nats.synadia.values import AccountRef, Group, Place, User, UserSpec, Wanted

__all__ = ["ControlPlane"]

T = TypeVar("T")

_MADE = frozenset({200, 201})
_GONE = frozenset({200, 204, 404})
_FOUND = frozenset({200, 404})

# A PATCH merges: what is not named stays, down to the two lists of a permission; null clears.
_CLEARED: JsonObject = {
    "pub": None,
    "sub": None,
    "resp": None,
    "subs": -1,
    "data": -1,
    "payload": -1,
    "bearer_token": False,
    "allowed_connection_types": None,
    "src": None,
    "times": None,
    "times_location": None,
}
_CLEARED_PERMISSION: JsonObject = {"allow": None, "deny": None}


class ControlPlane:
    """The API, over a way to it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def calls(self) -> int:
        """How many calls were sent, those that were repeated counted each time."""
        return self._transport.calls

    def pause(self, seconds: float) -> bool:
        """Wait, unless there is no time for it; tell whether there was."""
        return self._transport.pause(seconds)

    def teams(self) -> Sequence[Place]:
        """List the teams that the token sees."""
        return self._list("list the teams", "/teams", Place.parse)

    def systems(self, team: str) -> Sequence[Place]:
        """List a team's systems."""
        what = f"list the systems of team {team}"
        return self._list(what, f"/teams/{_q(team)}/systems", Place.parse)

    def accounts(self, system: str) -> Sequence[AccountRef]:
        """List a system's accounts."""
        what = f"list the accounts of system {system}"
        return self._list(what, f"/systems/{_q(system)}/accounts", AccountRef.parse)

    def account(self, account: str) -> AccountRef:
        """Show an account."""
        call = Call(f"show account {account}", "GET", f"/accounts/{_q(account)}")
        return self._one(self._transport.send(call), AccountRef.parse)

    def standing(self, account: str) -> Account:
        """Show an account's JWT: whose signatures it takes, and what is revoked in it."""
        call = Call(f"show account {account}", "GET", f"/accounts/{_q(account)}")
        return self._one(self._transport.send(call), _standing)

    def groups(self, account: str) -> Sequence[Group]:
        """List an account's groups of signing keys."""
        what = f"list the signing-key groups of account {account}"
        return self._list(what, f"/accounts/{_q(account)}/account-sk-groups", Group.parse)

    def create_group(self, account: str, name: str) -> Group:
        """Create a group whose keys bring no permissions of their own, and stay at Synadia."""
        call = Call(
            f"create the signing-key group {name!r} in account {account}",
            "POST",
            f"/accounts/{_q(account)}/account-sk-groups",
            _MADE,
            {"name": name, "programmatic": False},
            secret=True,
        )
        return self._one(self._transport.send(call), Group.parse)

    def users(self, account: str) -> Sequence[User]:
        """List an account's users."""
        what = f"list the users of account {account}"
        return self._list(what, f"/accounts/{_q(account)}/nats-users", User.parse)

    def user(self, user: str) -> User | None:
        """Show a user; None when there is none."""
        call = Call(f"show user {user}", "GET", f"/nats-users/{_q(user)}", _FOUND)
        answer = self._transport.send(call)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return self._one(answer, User.parse)

    def create_user(self, account: str, group: Group, wanted: Wanted, tags: Sequence[str]) -> User:
        """Create a user; where a scoped group decides, the grant has to be None.

        Raises:
            AnswerLostError: it may be there now.
            ConflictError: there is one of that name.
        """
        body: JsonObject = {
            "name": wanted.user_name,
            "sk_group_id": group.id,
            "jwt_expires_in_secs": wanted.spec.expires_in,
            "jwt_settings": {**wanted.spec.settings, "tags": list(tags)},
        }
        call = Call(
            f"create user {wanted.user_name!r} in account {account}",
            "POST",
            f"/accounts/{_q(account)}/nats-users",
            _MADE,
            body,
        )
        return self._one(self._transport.send(call), User.parse)

    def update_user(self, user: User, spec: UserSpec, tags: Sequence[str]) -> User:
        """Give a user these settings, all others cleared, and this lifetime."""
        body: JsonObject = {
            "jwt_expires_in_secs": spec.expires_in,
            "jwt_settings": {**_replaced(user, spec), "tags": list(tags)},
        }
        what = f"change the settings of user {user.name!r}"
        call = Call(what, "PATCH", f"/nats-users/{_q(user.id)}", body=body)
        return self._one(self._transport.send(call), User.parse)

    def delete_user(self, user: str) -> bool:
        """Delete a user; tell whether there was one."""
        call = Call(f"delete user {user}", "DELETE", f"/nats-users/{_q(user)}", _GONE, None, None)
        return self._transport.send(call).status != HTTPStatus.NOT_FOUND

    def creds(self, user: str) -> str:
        """Issue credentials: each call is a new issuance, and the text is a secret.

        Raises:
            AnswerLostError: they may have been issued, and nobody has them.
        """
        call = Call(
            f"issue credentials of user {user}",
            "POST",
            f"/nats-users/{_q(user)}/creds",
            media_type="text/plain",
            secret=True,
        )
        answer = self._transport.send(call)
        try:
            return answer.body.decode("ascii")
        except UnicodeDecodeError:
            failure = unreadable(answer.asked, "it is no text of credentials")
        raise failure.error

    def revoke(self, account: str, public_key: str) -> bool:
        """End every credential of a key that was issued until now; False when there is no account.

        The key's user may be gone: revocations stand in the account.
        """
        call = Call(
            f"revoke the credentials of {public_key} in account {account}",
            "PUT",
            f"/accounts/{_q(account)}/nats-user-revocations/{_q(public_key)}",
            frozenset({200, 201, 404}),
            {"before": 0},  # 0 is now, by the host's own clock
            None,
        )
        return self._transport.send(call).status != HTTPStatus.NOT_FOUND

    def _list(self, what: str, path: str, parse: Callable[[Fields], T]) -> Sequence[T]:
        answer = self._transport.send(Call(what, "GET", path))

        def items(raw: Fields) -> list[T]:
            if not raw.has("items"):
                raise raw.error("items", "a list is needed here.")
            return [parse(item) for item in raw.items("items")]

        return self._one(answer, items)

    def _one(self, answer: Answer, parse: Callable[[Fields], T]) -> T:
        """Read a JSON answer. What is wrong with it is told by its place, never by its value."""
        try:
            value = cast("Json", json.loads(answer.body))
            if is_object(value):
                return parse(Fields(value))
            problem = "it is no JSON object"
        except InvalidInputError as error:
            place = field_path(error.field) or "a JWT in it"
            problem = f"{place} is missing, or not as it should be"
        except (ValueError, RecursionError):
            problem = "it is no JSON"
        raise unreadable(answer.asked, problem).error


def _replaced(user: User, spec: UserSpec) -> JsonObject:
    """Return what makes a user's settings the wanted ones, whatever they were."""
    if spec.grant is None and not normal_settings(user.settings):
        return {}  # a scoped group decides, and takes no settings
    settings = {**_CLEARED, **spec.settings}
    for name in ("pub", "sub"):
        if is_object(given := settings[name]):
            settings[name] = {**_CLEARED_PERMISSION, **given}
    return settings


def _standing(raw: Fields) -> Account:
    jwt = raw.text("jwt")
    return Account.parse(jwt, decode(jwt).subject)


def _q(part: str) -> str:
    """Quote a part of a path; nothing in it leads elsewhere."""
    return quote(part, safe="").replace(".", "%2E")
