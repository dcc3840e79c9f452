"""A NATS system in operator mode: operator, system account and accounts, all made of fixed bytes.

Nothing here is secret, for everybody can make it again. Servers start with it (`nats_server`).
"""

import hashlib
from dataclasses import dataclass, field
from functools import cache

from support.minted import note_secret

from troth.api import JsonObject
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.users import AccountSigner, Grant, User, sign_user

__all__ = ["BORN", "SCOPED_TEMPLATE", "TestAccount", "TestSystem", "raw_key"]

BORN = 1_700_000_000
"""Unix seconds: when operator and accounts of a test system were issued."""

SCOPED_TEMPLATE: JsonObject = {
    "pub": {"allow": ["scoped.{{name()}}.>"]},
    "sub": {"allow": ["scoped.{{name()}}.>", "_INBOX.>"]},
    "subs": -1,
    "data": -1,
    "payload": -1,
}
"""What users of a scoped signing key may do: speak below their own name."""

_UNLIMITED: JsonObject = {
    "subs": -1,
    "data": -1,
    "payload": -1,
    "imports": -1,
    "exports": -1,
    "wildcards": True,
    "conn": -1,
    "leaf": -1,
}


def raw_key(label: str) -> bytes:
    """Return the 32 bytes of a label; other labels, other bytes."""
    return hashlib.sha256(f"test key {label}".encode()).digest()


@cache
def _pair(kind: KeyKind, label: str) -> KeyPair:
    pair = KeyPair.from_bytes(kind, raw_key(label))
    note_secret(f"the key of {label} of a test system", pair.seed)
    return pair


@dataclass(frozen=True)
class TestAccount:
    """An account with its own key, a signing key, and one with a scope.

    `more` is put into its claims, for what a test wants there.
    """

    __test__ = False  # no test, whatever pytest thinks of its name

    name: str
    operator: KeyPair
    more: JsonObject = field(default_factory=dict[str, str])

    @property
    def identity(self) -> KeyPair:
        return _pair(KeyKind.ACCOUNT, f"account {self.name}")

    @property
    def signing(self) -> KeyPair:
        return _pair(KeyKind.ACCOUNT, f"signing {self.name}")

    @property
    def scoped(self) -> KeyPair:
        return _pair(KeyKind.ACCOUNT, f"scoped {self.name}")

    @property
    def public_key(self) -> str:
        return self.identity.public_key

    @property
    def jwt(self) -> str:
        """The account's JWT, signed by the operator."""
        scope: JsonObject = {
            "kind": "user_scope",
            "key": self.scoped.public_key,
            "role": "own",
            "template": SCOPED_TEMPLATE,
        }
        nats: JsonObject = {
            "limits": _UNLIMITED,
            "signing_keys": [self.signing.public_key, scope],
            "default_permissions": {"pub": {}, "sub": {}},
            "authorization": {},
            "type": "account",
            **self.more,
        }
        claims: JsonObject = {"name": self.name, "sub": self.public_key, "iat": BORN, "nats": nats}
        return encode(claims, self.operator)

    def signer(self, key: str = "identity") -> AccountSigner:
        """Return who signs users: with the key ``identity``, ``signing`` or ``scoped``."""
        keys = {"identity": self.identity, "signing": self.signing, "scoped": self.scoped}
        return AccountSigner(self.public_key, keys[key], scoped=key == "scoped")


@dataclass(frozen=True)
class TestSystem:
    """An operator with a system account and these accounts of its own.

    `more` is put into the accounts' claims; if `strict`, only the operator's signing key counts.
    """

    __test__ = False

    names: tuple[str, ...] = ("orders", "billing")
    more: JsonObject = field(default_factory=dict[str, str])
    strict: bool = False

    @property
    def operator(self) -> KeyPair:
        return _pair(KeyKind.OPERATOR, "operator")

    @property
    def operator_signing(self) -> KeyPair:
        return _pair(KeyKind.OPERATOR, "operator signing")

    @property
    def jwt(self) -> str:
        """The operator's JWT, signed by itself."""
        nats: JsonObject = {
            "signing_keys": [self.operator_signing.public_key],
            "system_account": self.system.public_key,
            **({"strict_signing_key_usage": True} if self.strict else {}),
            "type": "operator",
        }
        public = self.operator.public_key
        return encode({"name": "test", "sub": public, "iat": BORN, "nats": nats}, self.operator)

    @property
    def system(self) -> TestAccount:
        """The system account."""
        return TestAccount("SYS", self.operator_signing if self.strict else self.operator)

    @property
    def accounts(self) -> dict[str, TestAccount]:
        """The other accounts by name, signed by the operator's signing key."""
        return {name: TestAccount(name, self.operator_signing, self.more) for name in self.names}

    def system_creds(self, name: str = "writer", grant: Grant | None = None) -> str:
        """Return the creds file of a user of the system account."""
        key = _pair(KeyKind.USER, f"system user {name}")
        user = User(name, key.public_key, BORN, None, grant or Grant())
        signer = self.system.signer("signing" if self.strict else "identity")
        return Credentials.of(sign_user(user, signer), key).text
