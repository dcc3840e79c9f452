"""A user's JWT says what it is granted, in full, and nothing when a scoped key signs."""

from datetime import timedelta

import pytest
from support.nats_system import TestSystem, raw_key

from troth.api import JsonObject
from troth.errors import InvalidInputError
from troth_pipelines.nats.jwt import decode
from troth_pipelines.nats.limits import ConnectionType, Hours, Limits
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.users import AccountSigner, Grant, User, sign_user

ACCOUNT = TestSystem().accounts["orders"]
KEY = KeyPair.from_bytes(KeyKind.USER, raw_key("user"))
ISSUED = 1_700_000_000

FULL = Grant(
    Permissions(
        SubjectRules(("orders.>",), ("orders.secret.>",)),
        SubjectRules(("orders.*", "work q1"), ("orders.none",)),
        ResponseLimit(5, timedelta(seconds=90)),
    ),
    Limits(
        subscriptions=10,
        data=1_000_000,
        payload=1024,
        sources=("10.0.0.0/8", "::1/128"),
        hours=(Hours("08:00:00", "18:30:00"),),
        time_zone="Europe/Berlin",
        connection_types=(ConnectionType.STANDARD, ConnectionType.WEBSOCKET),
    ),
)


def signed(grant: Grant | None, signer: str = "identity", tags: tuple[str, ...] = ()) -> JsonObject:
    user = User("orders-g1", KEY.public_key, ISSUED, ISSUED + 3600, grant, tags)
    return decode(sign_user(user, ACCOUNT.signer(signer))).nats


def test_a_user_without_any_limit_has_each_of_them_written_out() -> None:
    assert signed(Grant()) == {
        "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
    }  # fmt: skip


def test_all_that_is_granted_stands_in_the_claims() -> None:
    assert signed(FULL, tags=("Team:Orders",)) == {
        "pub": {"allow": ["orders.>"], "deny": ["orders.secret.>"]},
        "sub": {"allow": ["orders.*", "work q1"], "deny": ["orders.none"]},
        "resp": {"max": 5, "ttl": 90_000_000_000},
        "src": ["10.0.0.0/8", "::1/128"],
        "times": [{"start": "08:00:00", "end": "18:30:00"}],
        "times_location": "Europe/Berlin",
        "subs": 10,
        "data": 1_000_000,
        "payload": 1024,
        "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
        "tags": ["team:orders"],
        "type": "user",
        "version": 2,
    }


def test_a_signing_key_names_the_account_it_signs_for() -> None:
    assert signed(Grant(), "signing")["issuer_account"] == ACCOUNT.public_key
    assert "issuer_account" not in signed(Grant(), "identity")


def test_a_user_of_a_scoped_key_has_neither_permission_nor_limit() -> None:
    assert signed(None, "scoped", ("a",)) == {
        "pub": {}, "sub": {}, "issuer_account": ACCOUNT.public_key, "tags": ["a"], "type": "user",
        "version": 2,
    }  # fmt: skip


@pytest.mark.parametrize("signer", ["identity", "signing", "scoped"])
def test_no_user_is_a_bearer(signer: str) -> None:
    grant = None if signer == "scoped" else FULL

    assert not signed(grant, signer).get("bearer_token", False)


def test_a_grant_and_a_scope_exclude_each_other() -> None:
    with pytest.raises(InvalidInputError, match="its template alone says what users may do"):
        signed(Grant(), "scoped")


def test_without_a_scope_there_has_to_be_a_grant() -> None:
    with pytest.raises(InvalidInputError, match="permissions have to be said"):
        signed(None, "signing")


def test_the_account_itself_has_no_scope() -> None:
    with pytest.raises(InvalidInputError, match="own key has no scope"):
        AccountSigner(ACCOUNT.public_key, ACCOUNT.identity, scoped=True)


@pytest.mark.parametrize(
    ("account", "key"),
    [(KEY.public_key, ACCOUNT.identity), (ACCOUNT.public_key, KEY), ("", ACCOUNT.identity)],
)
def test_only_an_account_signs_users(account: str, key: KeyPair) -> None:
    with pytest.raises(InvalidInputError, match="the public key of an account cannot be used"):
        AccountSigner(account, key)


def test_only_a_users_key_becomes_a_user() -> None:
    user = User("u", ACCOUNT.public_key, ISSUED, None, Grant())

    with pytest.raises(InvalidInputError, match="the public key of a user cannot be used"):
        sign_user(user, ACCOUNT.signer())


@pytest.mark.parametrize("source", ["10.0.0.1", "10.0.0.0/33", "orders", "", "fe80::1%eth0/64"])
def test_a_source_is_a_range_of_addresses(source: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^spec\.limits\.sources\[1\]: "):
        Limits(sources=("10.1.2.3/8", source)).check(("spec", "limits"))


@pytest.mark.parametrize("time", ["8:00:00", "24:00:00", "08:00", "08:60:00", "", "08:00:00 "])
def test_hours_have_hours_minutes_and_seconds(time: str) -> None:
    for hours in (Hours(time, "09:00:00"), Hours("07:00:00", time)):
        with pytest.raises(InvalidInputError, match=r"^spec\.hours\[0\]: "):
            Limits(hours=(hours,)).check(("spec",))


def test_limits_that_say_what_they_should_are_taken() -> None:
    FULL.limits.check(())
    FULL.permissions.check(())
