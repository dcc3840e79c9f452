"""What a fake Control Plane answers: its things as the API shows them, in JSON."""

from collections.abc import Iterable

from support.synadia.plane import Account, Group, Issuance, Plane, User

from troth.api import Json, JsonObject
from troth_pipelines.nats.creds import Credentials

__all__ = [
    "SYSTEM",
    "TEAM",
    "account_view",
    "group_view",
    "issuance_view",
    "items",
    "revocation_view",
    "system_view",
    "user_view",
]

TEAM: JsonObject = {"id": "team000001", "name": "A Team"}
SYSTEM = "sys000001"


def items(views: Iterable[JsonObject]) -> JsonObject:
    return {"items": list(views)}


def system_view(plane: Plane) -> JsonObject:
    return {
        "id": SYSTEM,
        "name": "A System",
        "state": "Connected",
        "connection_type": "Direct",
        "is_tenant": False,
        "jetstream_enabled": False,
        "server_urls": plane.server_urls,
        "user_jwt_expires_in_secs": 0,
    }


def account_view(plane: Plane, account: Account) -> JsonObject:
    return {
        **_account_info(account),
        "jwt": account.jwt,
        "jwt_sync_status": account.sync,
        "jwt_sync_error": "",
        "jwt_settings": {"revocations": dict(account.keys.revocations)},
        "system": system_view(plane),
        "team": TEAM,
    }


def group_view(group: Group) -> JsonObject:
    scope: JsonObject = {} if group.scope is None else {"scope": group.scope}
    return {
        "id": group.id,
        "name": group.name,
        "created": group.created,
        "disabled": group.disabled,
        "is_scoped": group.scope is not None,
        "missing_seed": group.missing_seed,
        "programmatic": False,
        **scope,
    }


def user_view(plane: Plane, user: User) -> JsonObject:
    issued = [one for one in plane.issuances if one.user == user.id]
    last: dict[str, Json] = {}
    if issued:
        last["jwt"] = Credentials.parse(issued[-1].text).jwt
    return {
        "id": user.id,
        "name": user.name,
        "user_public_key": user.key.public_key,
        "jwt": "",
        "claims": {},
        **last,
        "jwt_expires_in_secs": user.expires_in,
        "jwt_expires_at_max": max((one.expires or 0 for one in issued), default=0),
        "jwt_settings": user.settings,
        "account": _account_info(plane.accounts[user.account]),
        "system": system_view(plane),
        "team": TEAM,
        "sk_group_id": user.group,
        "created": user.created,
    }


def revocation_view(account: Account, public_key: str) -> JsonObject:
    return {
        "account_id": account.id,
        "user_nkey_public": public_key,
        "before": account.keys.revocations[public_key],
        "created": "2026-01-01T00:00:00Z",
    }


def issuance_view(issuance: Issuance) -> JsonObject:
    return {
        "name": issuance.name,
        "sub": issuance.public_key,
        "iat_max": issuance.issued,
        "exp_max": issuance.expires,
        "events": [{"type": issuance.kind, "iat": issuance.issued}],
    }


def _account_info(account: Account) -> JsonObject:
    return {
        "id": account.id,
        "name": account.keys.name,
        "account_public_key": account.keys.identity.public_key,
        "user_jwt_expires_in_secs": 0,
    }
