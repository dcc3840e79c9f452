"""The paths of a fake Control Plane: which kind of call each is, and what it does."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from support.synadia.faults import Answer
from support.synadia.plane import Plane, RefusedError
from support.synadia.views import (
    SYSTEM,
    TEAM,
    account_view,
    group_view,
    issuance_view,
    items,
    revocation_view,
    system_view,
    user_view,
)

from troth.api import Json, JsonObject, is_object

__all__ = ["Route", "find_route"]

_BASE = "/api/core/beta"

Work = Callable[[Plane, tuple[str, ...], JsonObject], Answer]


@dataclass(frozen=True)
class Route:
    """A kind of call with the parts of its path."""

    kind: str
    work: Work
    parts: tuple[str, ...]

    def serve(self, plane: Plane, body: bytes) -> Answer:
        """Do the work."""
        given: Json = json.loads(body) if body else {}
        try:
            return self.work(plane, self.parts, given if is_object(given) else {})
        except RefusedError as error:
            return Answer(error.status, {"Content-Type": "text/plain"}, error.text.encode())


def find_route(method: str, path: str) -> Route | None:
    """Find what a call is; None when there is no such path."""
    for kind, verb, pattern, work in _ROUTES:
        if verb == method and (match := re.fullmatch(_BASE + pattern, path)):
            return Route(kind, work, match.groups())
    return None


def _json(value: JsonObject, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _text(text: str) -> Answer:
    return Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())


def _teams(_plane: Plane, _parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _json(items([TEAM]))


def _systems(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    if parts[0] != TEAM["id"]:
        raise RefusedError(404, "no such team")
    return _json(items([system_view(plane)]))


def _accounts(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    if parts[0] != SYSTEM:
        raise RefusedError(404, "no such system")
    return _json(items(account_view(plane, one) for one in plane.accounts.values()))


def _account(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _json(account_view(plane, plane.account(parts[0])))


def _groups(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    account = plane.account(parts[0]).id
    return _json(items(group_view(one) for one in plane.groups.values() if one.account == account))


def _create_group(plane: Plane, parts: tuple[str, ...], body: JsonObject) -> Answer:
    scope = body.get("scope")
    if not isinstance(name := body.get("name"), str) or not isinstance(
        body.get("programmatic"), bool
    ):
        raise RefusedError(400, "name and programmatic are required")
    group = plane.add_group(parts[0], name, scope if is_object(scope) else None)
    return _json({**group_view(group), "seed": group.keys[-1].pair.seed}, HTTPStatus.CREATED)


def _rotate_group(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    if parts[0] not in plane.groups:
        raise RefusedError(404, "no such group")
    plane.rotate_signing_key(parts[0])
    return _json({"seed": plane.groups[parts[0]].keys[-1].pair.seed})


def _users(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _json(items(user_view(plane, one) for one in plane.list_users(parts[0])))


def _create_user(plane: Plane, parts: tuple[str, ...], body: JsonObject) -> Answer:
    return _json(user_view(plane, plane.add_user(parts[0], body)), HTTPStatus.CREATED)


def _user(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _json(user_view(plane, plane.user(parts[0])))


def _change_user(plane: Plane, parts: tuple[str, ...], body: JsonObject) -> Answer:
    return _json(user_view(plane, plane.change_user(parts[0], body)))


def _delete_user(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    plane.delete_user(parts[0])
    return Answer(HTTPStatus.NO_CONTENT)


def _creds(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _text(plane.issue(parts[0]))


def _rotate_user(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    return _json(user_view(plane, plane.rotate_user(parts[0])))


def _issuances(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    user = plane.user(parts[0]).id
    return _json(items(issuance_view(one) for one in plane.issuances if one.user == user))


def _revoke(plane: Plane, parts: tuple[str, ...], body: JsonObject) -> Answer:
    account, key = plane.account(parts[0]), parts[1]
    before = body.get("before")
    if isinstance(before, bool) or not isinstance(before, int):
        raise RefusedError(400, "before is required")
    code = HTTPStatus.OK if key in account.keys.revocations else HTTPStatus.CREATED
    plane.revoke(account.id, key, before)
    return _json(revocation_view(account, key), code)


def _revocation(plane: Plane, parts: tuple[str, ...], _body: JsonObject) -> Answer:
    account, key = plane.account(parts[0]), parts[1]
    if key not in account.keys.revocations:
        raise RefusedError(404, "no such revocation")
    return _json(revocation_view(account, key))


_ID = "/([^/]+)"
_ROUTES: tuple[tuple[str, str, str, Work], ...] = (
    ("list teams", "GET", "/teams", _teams),
    ("list systems", "GET", f"/teams{_ID}/systems", _systems),
    ("list accounts", "GET", f"/systems{_ID}/accounts", _accounts),
    ("show account", "GET", f"/accounts{_ID}", _account),
    ("list groups", "GET", f"/accounts{_ID}/account-sk-groups", _groups),
    ("create group", "POST", f"/accounts{_ID}/account-sk-groups", _create_group),
    ("rotate group", "POST", f"/account-sk-groups{_ID}/rotate-sk", _rotate_group),
    ("list users", "GET", f"/accounts{_ID}/nats-users", _users),
    ("create user", "POST", f"/accounts{_ID}/nats-users", _create_user),
    ("show user", "GET", f"/nats-users{_ID}", _user),
    ("change user", "PATCH", f"/nats-users{_ID}", _change_user),
    ("delete user", "DELETE", f"/nats-users{_ID}", _delete_user),
    ("issue creds", "POST", f"/nats-users{_ID}/creds", _creds),
    ("rotate user", "POST", f"/nats-users{_ID}/rotate", _rotate_user),
    ("list issuances", "GET", f"/nats-users{_ID}/issuances", _issuances),
    ("revoke", "PUT", f"/accounts{_ID}/nats-user-revocations{_ID}", _revoke),
    ("show revocation", "GET", f"/accounts{_ID}/nats-user-revocations{_ID}", _revocation),
)
