"""An account's JWT is changed in its revocations alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.nats_system import BORN, TestSystem, raw_key

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError
from troth_pipelines.nats.accounts import EVERYBODY, Account
from troth_pipelines.nats.jwt import decode, encode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair

SYSTEM = TestSystem()
SIGNING = SYSTEM.operator_signing
NOW = 1_800_000_000


def user(name: str) -> str:
    return KeyPair.from_bytes(KeyKind.USER, raw_key(name)).public_key


def account(more: JsonObject | None = None) -> Account:
    made = TestSystem(more=more or {}).accounts["orders"]
    return Account.parse(made.jwt, made.public_key)


def revoked(revocations: JsonObject) -> Account:
    return account({"revocations": revocations})


def test_nothing_but_revocations_and_date_changes() -> None:
    unknown: JsonObject = {"invented": {"by": ["others", 1, None]}, "trace": {"dest": "t"}}
    before = account({**unknown, "revocations": {user("a"): 7}})

    after = decode(before.sign({user("a"): 7, user("b"): 8}, SIGNING, NOW))

    old, new = dict(before.claims.raw), dict(after.raw)
    for claims in (old, new):
        nats: Json = claims.pop("nats")
        assert isinstance(nats, dict)
        claims["nats"] = {key: value for key, value in nats.items() if key != "revocations"}
        claims.pop("jti")
        claims.pop("iat")
    assert new == old
    assert after.issued == NOW
    assert after.nats["revocations"] == {user("a"): 7, user("b"): 8}


def test_another_key_of_the_operator_becomes_the_issuer() -> None:
    assert decode(account().sign({}, SYSTEM.operator, NOW)).issuer == SYSTEM.operator.public_key


@pytest.mark.parametrize("now", [BORN - 100, BORN, BORN + 1, NOW])
def test_what_is_signed_is_dated_after_what_it_replaces(now: int) -> None:
    before = account()

    after = decode(before.sign({}, SIGNING, now))

    assert after.issued == max(now, BORN + 1)
    assert after.raw["jti"] != before.claims.raw["jti"]


def test_what_is_signed_here_is_known_from_what_a_person_signed() -> None:
    before = account()
    ours = Account.parse(before.sign({user("a"): 1}, SIGNING, NOW), before.claims.subject)
    theirs = encode({**ours.claims.raw, "nats": {**ours.claims.nats, "trace": 1}}, SIGNING)
    copied = encode({**ours.claims.raw, "exp": 1}, SIGNING, str(ours.claims.raw["jti"]))

    assert ours.is_amended
    assert not before.is_amended
    assert not Account.parse(theirs, before.claims.subject).is_amended
    assert not Account.parse(copied, before.claims.subject).is_amended


def test_what_differs_in_its_revocations_alone_has_another_identifier() -> None:
    before = account()

    identifiers = {
        decode(before.sign({user(name): 1}, SIGNING, NOW)).raw["jti"] for name in ("a", "b")
    }

    assert len(identifiers) == 2


def test_the_rest_is_all_but_revocations_date_and_signature() -> None:
    before = account({"description": "one"})
    amended = Account.parse(
        before.sign({user("a"): 1}, SYSTEM.operator, NOW), before.claims.subject
    )

    assert amended.rest == before.rest
    assert account({"description": "two"}).rest != before.rest


def test_of_two_revocations_the_later_one_counts() -> None:
    before = revoked({user("a"): 10, user("b"): 10})

    merged = before.revoking({user("a"): 5, user("b"): 15, user("c"): 1})

    assert merged == {user("a"): 10, user("b"): 15, user("c"): 1}


def test_what_is_older_than_asked_is_forgotten() -> None:
    before = revoked({user("old"): 99, user("edge"): 100, user("new"): 101, EVERYBODY: 1})

    merged = before.revoking({user("wanted"): 2}, forget=100)

    assert merged == {user("edge"): 100, user("new"): 101, EVERYBODY: 1, user("wanted"): 2}


def test_without_a_limit_nothing_is_forgotten() -> None:
    assert revoked({user("old"): 1}).revoking({}) == {user("old"): 1}


@pytest.mark.parametrize(
    ("until", "expected"), [(9, True), (10, True), (11, False)], ids=["before", "at", "after"]
)
def test_an_account_tells_what_it_revokes_already(until: int, expected: bool) -> None:
    assert revoked({user("a"): 10}).revokes({user("a"): until}) is expected
    assert not revoked({}).revokes({user("a"): until})


@given(
    theirs=st.dictionaries(st.sampled_from("abcdef").map(user), st.integers(1, 100)),
    ours=st.dictionaries(st.sampled_from("abcdef").map(user), st.integers(1, 100)),
)
def test_merging_loses_nothing_and_is_the_same_the_second_time(
    theirs: dict[str, int], ours: dict[str, int]
) -> None:
    before = revoked(theirs)
    merged = before.revoking(ours)

    after = Account.parse(before.sign(merged, SIGNING, NOW), before.claims.subject)

    assert after.revokes(theirs)
    assert after.revokes(ours)
    assert after.revoking(ours) == merged
    assert list(merged) == sorted(merged)


def test_only_a_users_key_is_revoked() -> None:
    with pytest.raises(InvalidInputError, match="the public key of a user cannot be used"):
        account().revoking({SYSTEM.operator.public_key: 1})


def test_everybody_is_revoked_by_a_star() -> None:
    assert account().revoking({EVERYBODY: 5}) == {EVERYBODY: 5}


def test_only_an_operator_signs_accounts() -> None:
    with pytest.raises(InvalidInputError, match="the public key of an operator"):
        account().sign({}, SYSTEM.accounts["orders"].identity, NOW)


def test_another_accounts_jwt_is_not_taken() -> None:
    orders, billing = SYSTEM.accounts["orders"], SYSTEM.accounts["billing"]

    with pytest.raises(InvalidInputError, match=f"no JWT of account {billing.public_key}"):
        Account.parse(orders.jwt, billing.public_key)


def test_an_operators_jwt_is_no_accounts() -> None:
    with pytest.raises(InvalidInputError, match="one of type operator"):
        Account.parse(SYSTEM.jwt, SYSTEM.operator.public_key)


@pytest.mark.parametrize("until", ["1", 1.5, True, None])
def test_revocations_that_servers_would_not_write_are_refused(until: Json) -> None:
    with pytest.raises(InvalidInputError, match=r"nats\.revocations\..*Unix seconds"):
        revoked({user("a"): until})
