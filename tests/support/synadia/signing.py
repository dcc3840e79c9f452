"""The JWTs of a fake Control Plane: real ones, which a real nats-server takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from support.minted import note_secret

from troth.api import Json, JsonObject
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.nkeys import RAW_LENGTH, KeyKind, KeyPair

__all__ = ["AccountKeys", "SigningKey", "account_jwt", "new_key", "user_credentials"]

_UNLIMITED: JsonObject = {"subs": -1, "data": -1, "payload": -1}
_ACCOUNT_LIMITS: JsonObject = {
    **_UNLIMITED,
    "imports": -1,
    "exports": -1,
    "wildcards": True,
    "conn": -1,
    "leaf": -1,
}


@dataclass(frozen=True)
class SigningKey:
    """A key that signs users; `scope` is what it lets them, None when they bring that along."""

    pair: KeyPair
    scope: JsonObject | None = None


@dataclass
class AccountKeys:
    """What goes into an account's JWT."""

    name: str
    identity: KeyPair
    signing: list[SigningKey] = field(default_factory=list[SigningKey])
    revocations: dict[str, int] = field(default_factory=dict[str, int])


def new_key(kind: KeyKind, random: Random) -> KeyPair:
    key = KeyPair.from_bytes(kind, random.randbytes(RAW_LENGTH))
    note_secret(f"a key of a Control Plane ({key.public_key})", key.seed)
    return key


def account_jwt(account: AccountKeys, operator: KeyPair, now: int) -> str:
    nats: dict[str, Json] = {"limits": _ACCOUNT_LIMITS}
    if account.signing:
        nats["signing_keys"] = [_listed(key) for key in account.signing]
    if account.revocations:
        nats["revocations"] = dict(sorted(account.revocations.items()))
    claims: JsonObject = {
        "iat": now,
        "name": account.name,
        "sub": account.identity.public_key,
        "nats": {**nats, "type": "account", "version": 2},
    }
    return encode(claims, operator)


def user_credentials(
    name: str, user: KeyPair, settings: JsonObject, key: SigningKey, life: Mapping[str, Json]
) -> Credentials:
    """Sign a user; `life` has ``iat``, ``exp`` where there is an end, and ``issuer_account``."""
    own = {} if key.scope is not None else {**_UNLIMITED, **settings}
    tags = settings.get("tags")
    nats: dict[str, Json] = {
        **{field: value for field, value in own.items() if field != "tags"},
        "issuer_account": life["issuer_account"],
        **({"tags": tags} if tags else {}),
        "type": "user",
        "version": 2,
    }
    times = {field: value for field, value in life.items() if field != "issuer_account"}
    claims: JsonObject = {**times, "name": name, "sub": user.public_key, "nats": nats}
    return Credentials.of(encode(claims, key.pair), user)


def _listed(key: SigningKey) -> Json:
    if key.scope is None:
        return key.pair.public_key
    return {
        "kind": "user_scope",
        "key": key.pair.public_key,
        "role": "",
        "template": {**_UNLIMITED, **key.scope},
    }
