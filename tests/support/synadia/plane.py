"""What a fake Control Plane holds and does, without HTTP: systems, accounts, groups, users.

Format: the Control Plane API, version "beta". Names need not be unique, tags are lower-cased, every
creds file is an issuance, and a key's revocation stands in the account's JWT.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from support.synadia.signing import (
    AccountKeys,
    SigningKey,
    account_jwt,
    new_key,
    user_credentials,
)

from troth.api import Json, JsonObject, is_object
from troth_pipelines.nats.nkeys import KeyKind, KeyPair

__all__ = ["Account", "Group", "Issuance", "Plane", "RefusedError", "User"]


class RefusedError(Exception):
    """The plane refuses a call, with this HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass
class Group:
    """A group of signing keys; the last key signs, all of them count."""

    id: str
    name: str
    account: str
    created: str
    keys: list[SigningKey]
    disabled: bool = False
    missing_seed: bool = False

    @property
    def scope(self) -> JsonObject | None:
        return self.keys[-1].scope


@dataclass
class User:
    """A user; `hidden` is how many lists it will yet be missing from."""

    id: str
    name: str
    account: str
    group: str
    created: str
    key: KeyPair
    settings: dict[str, Json]
    expires_in: int
    hidden: int = 0


@dataclass(frozen=True)
class Issuance:
    """Credentials that were handed out; `text` is the secret."""

    user: str
    name: str
    kind: str
    public_key: str
    issued: int
    expires: int | None
    text: str = field(repr=False)


@dataclass
class Account:
    """An account of the one system."""

    id: str
    keys: AccountKeys
    jwt: str = ""
    sync: str = "Complete"


@dataclass
class Plane:
    """One team with one system, whose operator signs accounts.

    What is changed here counts from the next call: `lag` is how many lists a new user is missing
    from, `deaf` whether changes of users are answered and not made, `rotating_revokes` whether a
    rotated user's old key ends at once. `synced` is called with the public key and the JWT of each
    account that changes, and is where a server gets them from.
    """

    operator: KeyPair
    now: Callable[[], int] = field(default=lambda: int(time.time()))
    synced: Callable[[str, str], None] = lambda _key, _jwt: None
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  (a fake's keys, the same in each run)
    server_urls: str = "nats://127.0.0.1:4222"
    lag: int = 0
    deaf: bool = False
    rotating_revokes: bool = False
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    users: dict[str, User] = field(default_factory=dict[str, User])
    issuances: list[Issuance] = field(default_factory=list[Issuance])
    _made: int = 0

    def add_account(self, name: str, *, default_group: bool = True) -> Account:
        """Make an account, with the group that new ones come with."""
        identity = new_key(KeyKind.ACCOUNT, self.random)
        account = Account(self._id("acc"), AccountKeys(name, identity))
        self.accounts[account.id] = account
        self._sign(account)
        if default_group:
            self.add_group(account.id, "Default")
        return account

    def add_group(self, account: str, name: str, scope: JsonObject | None = None) -> Group:
        """Make a group with one signing key."""
        self.account(account)
        key = SigningKey(new_key(KeyKind.ACCOUNT, self.random), scope)
        group = Group(self._id("skg"), name, account, self._moment(), [key])
        self.groups[group.id] = group
        self._sign(self.accounts[account])
        return group

    def rotate_signing_key(self, group: str, *, keep_old: bool = True) -> None:
        """Give a group another key; without the old one, what it signed is worth nothing."""
        found = self.groups[group]
        key = SigningKey(new_key(KeyKind.ACCOUNT, self.random), found.scope)
        found.keys = [*(found.keys if keep_old else ()), key]
        self._sign(self.accounts[found.account])

    def disable_group(self, group: str) -> None:
        """Disable a group: its keys leave the account."""
        self.groups[group].disabled = True
        self._sign(self.accounts[self.groups[group].account])

    def delete_account(self, account: str) -> None:
        """Delete an account with all that is in it."""
        del self.accounts[account]
        self.groups = {id_: one for id_, one in self.groups.items() if one.account != account}
        self.users = {id_: one for id_, one in self.users.items() if one.account != account}

    @property
    def jwts(self) -> dict[str, str]:
        """Every account's JWT by its public key, as a server's preload wants them."""
        return {one.keys.identity.public_key: one.jwt for one in self.accounts.values()}

    def account(self, account: str) -> Account:
        """Return an account."""
        if account not in self.accounts:
            raise RefusedError(404, "no such account")
        return self.accounts[account]

    def user(self, user: str) -> User:
        """Return a user."""
        if user not in self.users:
            raise RefusedError(404, "no such user")
        return self.users[user]

    def add_user(self, account: str, body: JsonObject) -> User:
        """Make a user as POST does."""
        self.account(account)
        name, group = body.get("name"), self.groups.get(str(body.get("sk_group_id")))
        if not isinstance(name, str) or not name:
            raise RefusedError(400, "name is required")
        if group is None or group.account != account or group.disabled:
            raise RefusedError(400, "sk_group_id is no group of the account that is enabled")
        settings = body.get("jwt_settings", {})
        user = User(
            self._id("usr"),
            name,
            account,
            group.id,
            self._moment(),
            new_key(KeyKind.USER, self.random),
            {"subs": -1, "data": -1, "payload": -1} if group.scope is None else {},
            _seconds(body),
            self.lag,
        )
        _merge(user.settings, settings if is_object(settings) else {})
        self.users[user.id] = user
        return user

    def change_user(self, user: str, body: JsonObject) -> User:
        """Change a user as PATCH does: what is not named stays, null clears."""
        found = self.user(user)
        if self.deaf:
            return found
        settings = body.get("jwt_settings", {})
        _merge(found.settings, settings if is_object(settings) else {})
        if "jwt_expires_in_secs" in body:
            found.expires_in = _seconds(body)
        return found

    def delete_user(self, user: str) -> None:
        """Delete a user; its credentials go on until they end or are revoked."""
        self.user(user)
        del self.users[user]

    def rotate_user(self, user: str) -> User:
        """Give a user another key, as ``/rotate`` does."""
        found = self.user(user)
        old, found.key = found.key, new_key(KeyKind.USER, self.random)
        if self.rotating_revokes:
            self.revoke(found.account, old.public_key, 0)
        return found

    def list_users(self, account: str) -> list[User]:
        """List an account's users; a new one may be missing."""
        self.account(account)
        seen: list[User] = []
        for user in self.users.values():
            if user.account == account and user.hidden == 0:
                seen.append(user)
            elif user.account == account:
                user.hidden -= 1
        return seen

    def issue(self, user: str, kind: str = "Download") -> str:
        """Hand out credentials: a new issuance, each time."""
        found = self.user(user)
        issuance = self._credentials(found, kind)
        self.issuances.append(issuance)
        return issuance.text

    def revoke(self, account: str, public_key: str, before: int) -> int:
        """End what was issued to a key until a moment; 0 is now."""
        found = self.account(account)
        found.keys.revocations[public_key] = before or self.now()
        self._sign(found)
        return found.keys.revocations[public_key]

    def _credentials(self, user: User, kind: str) -> Issuance:
        now = self.now()
        group = self.groups[user.group]
        life: dict[str, Json] = {
            "iat": now,
            "issuer_account": self.accounts[user.account].keys.identity.public_key,
        }
        expires = now + user.expires_in if user.expires_in > 0 else None
        if expires is not None:
            life["exp"] = expires
        made = user_credentials(user.name, user.key, user.settings, group.keys[-1], life)
        key = user.key.public_key
        return Issuance(user.id, user.name, kind, key, now, expires, made.text)

    def _sign(self, account: Account) -> None:
        """Sign an account's JWT anew, and have it synced."""
        account.keys.signing = [
            key
            for group in self.groups.values()
            if group.account == account.id and not group.disabled
            for key in group.keys
        ]
        account.jwt = account_jwt(account.keys, self.operator, self.now())
        self.synced(account.keys.identity.public_key, account.jwt)

    def _id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}{self._made:06d}"

    def _moment(self) -> str:
        """Return the moment of something made, as Go spells it; no two are equal."""
        self._made += 1
        moment = datetime.fromtimestamp(self.now(), UTC) + timedelta(microseconds=self._made)
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"


def _seconds(body: JsonObject) -> int:
    value = body.get("jwt_expires_in_secs", 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusedError(400, "jwt_expires_in_secs is a number")
    return value


def _merge(settings: dict[str, Json], given: JsonObject) -> None:
    """Merge as RFC 7396 has it, tags lower-cased."""
    for name, value in given.items():
        old = settings.get(name)
        if value is None:
            settings.pop(name, None)
        elif name == "tags" and isinstance(value, list):
            settings[name] = [str(tag).lower() for tag in value]
        elif is_object(value):
            merged = dict(old) if is_object(old) else {}
            _merge(merged, value)
            settings[name] = merged
        else:
            settings[name] = value
