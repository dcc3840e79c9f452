"""Credentials: issued when asked and only then, checked before anybody gets them."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from support.synadia.faults import Answer, Fault, lost, status
from support.synadia.shop import LIFETIME, NOW, WANTED, Shop, open_shop
from support.synadia.visits import visit

from troth.errors import PermanentError, Reason, TransientError
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.synadia import (
    AnswerLostError,
)


@pytest.fixture
def shop() -> Generator[Shop]:
    with open_shop() as opened:
        yield opened


def test_credentials_are_the_users_and_the_accounts(shop: Shop) -> None:
    issued = shop.issue()

    credentials = Credentials.parse(issued.creds)
    assert credentials.account == shop.account.public_key
    assert credentials.claims.subject == shop.user.public_key == issued.public_key
    assert credentials.claims.issuer == issued.issuer
    assert (issued.issued, issued.expires) == (NOW, NOW + LIFETIME)


def test_every_call_is_an_issuance(shop: Shop) -> None:
    shop.issue()
    shop.issue()

    assert len(shop.fake.plane.issuances) == 2


def test_the_secret_is_not_shown(shop: Shop) -> None:
    issued = shop.issue()

    assert Credentials.parse(issued.creds).key.seed not in repr(issued)
    assert "BEGIN" not in repr(issued)


def test_credentials_are_spelled_as_every_client_reads_them(shop: Shop) -> None:
    text = shop.issue().creds
    body = text.replace("\n", "\r\n").encode()
    shop.fake.faults.next("issue creds", Fault(Answer(200, {"Content-Type": "text/plain"}, body)))

    assert shop.issue().creds == text


@pytest.mark.parametrize(
    "fault",
    [
        lost(),
        status(500, works=True),
        status(503, works=True),
        status(200, "\xff", works=True, media_type="text/plain"),
        status(200, "{}", works=True, media_type="application/json"),
    ],
)
def test_credentials_whose_answer_is_lost_are_not_asked_for_again_unseen(
    shop: Shop, fault: Fault
) -> None:
    shop.fake.faults.next("issue creds", fault)

    with pytest.raises(AnswerLostError, match="It may have been done all the same"):
        shop.issue()

    assert len(shop.fake.plane.issuances) == 1


def test_credentials_that_were_certainly_not_issued_are_asked_for_again(shop: Shop) -> None:
    shop.fake.faults.next("issue creds", status(429))

    shop.issue()

    assert len(shop.fake.plane.issuances) == 1


def other_user(shop: Shop) -> str:
    other = shop.fake.plane.add_user(
        shop.account.id, {"name": "x", "sk_group_id": next(iter(shop.fake.plane.groups))}
    )
    return shop.fake.plane.issue(other.id)


def other_account(shop: Shop) -> str:
    plane = shop.fake.plane
    account = plane.add_account("B").id
    group = next(one.id for one in plane.groups.values() if one.account == account)
    user = plane.add_user(account, {"name": "x", "sk_group_id": group})
    user.key = plane.users[shop.user.id].key
    return plane.issue(user.id)


def other_seed(shop: Shop) -> str:
    ours, theirs = shop.issue().creds, other_user(shop)
    return ours.replace(Credentials.parse(ours).key.seed, Credentials.parse(theirs).key.seed)


def for_ever(shop: Shop) -> str:
    shop.fake.plane.users[shop.user.id].expires_in = 0
    return shop.fake.plane.issue(shop.user.id)


def for_long(shop: Shop) -> str:
    shop.fake.plane.users[shop.user.id].expires_in = LIFETIME + 61
    return shop.fake.plane.issue(shop.user.id)


def ended(shop: Shop) -> str:
    shop.now = NOW + LIFETIME
    return shop.fake.plane.issue(shop.user.id)


def changed(shop: Shop) -> str:
    text = shop.fake.plane.issue(shop.user.id)
    jwt = Credentials.parse(text).jwt
    return text.replace(jwt, jwt[:-4] + ("AAAA" if jwt[-4:] != "AAAA" else "BBBB"))


def no_creds(_shop: Shop) -> str:
    return "hello"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (other_user, "somebody rotated it"),
        (other_account, "they are of account A"),
        (other_seed, "the seed is not that of the user"),
        (for_ever, "they never end, where 3600 s were asked for"),
        (for_long, "they are valid for 3661 s, where 3600 s were asked for"),
        (ended, "they have ended"),
        (changed, "signature is wrong|in another spelling"),
        (no_creds, "there are 0 such lines"),
    ],
)
def test_credentials_that_are_not_what_was_asked_for_are_thrown_away(
    shop: Shop, make: object, says: str
) -> None:
    assert callable(make)
    text = make(shop)
    body = text.encode()
    shop.fake.faults.next("issue creds", Fault(Answer(200, {"Content-Type": "text/plain"}, body)))

    with pytest.raises(PermanentError, match=says) as caught:
        shop.issue()

    assert caught.value.reason is Reason.PROVIDER_ANSWER_INVALID
    assert caught.value.__context__ is None
    assert "-----" not in str(caught.value)
    assert "eyJ" not in str(caught.value)


def test_a_clock_that_ticks_meanwhile_does_no_harm(shop: Shop) -> None:
    shop.fake.plane.users[shop.user.id].expires_in = LIFETIME + 60

    assert shop.issue().expires == NOW + LIFETIME + 60


def test_a_user_that_is_gone_has_no_credentials(shop: Shop) -> None:
    shop.fake.plane.delete_user(shop.user.id)

    with pytest.raises(PermanentError, match=r"issue credentials of user.*404"):
        shop.issue()


@pytest.mark.parametrize("revokes", [True, False])
def test_a_user_that_somebody_rotated_is_told_and_then_known_by_its_new_key(
    shop: Shop, revokes: bool
) -> None:
    shop.fake.plane.rotating_revokes = revokes
    shop.fake.plane.rotate_user(shop.user.id)
    with pytest.raises(PermanentError, match="somebody rotated it"):
        shop.issue()

    shop.user = shop.ensure()

    assert shop.issue().public_key == shop.user.public_key


def test_nobody_asks_to_rotate(shop: Shop) -> None:
    shop.issue()
    shop.ensure()

    assert shop.fake.called("rotate user", "rotate group") == 0


def test_the_keys_that_an_account_takes_are_one_call(shop: Shop) -> None:
    issued = shop.issue()
    before = shop.fake.called()
    with visit(shop.fake) as provider:
        keys = provider.standing(shop.account).signers

    assert keys == {issued.issuer, shop.account.public_key}
    assert shop.fake.called() == before + 1


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_signing_key_that_was_rotated_away_is_told(shop: Shop, keep_old: bool) -> None:
    issued = shop.issue()
    shop.fake.plane.rotate_signing_key(next(iter(shop.fake.plane.groups)), keep_old=keep_old)
    with visit(shop.fake) as provider:
        keys = provider.standing(shop.account).signers

    assert (issued.issuer in keys) is keep_old


def test_a_scoped_signing_key_is_one_too(shop: Shop) -> None:
    group = shop.fake.plane.add_group(shop.account.id, "scoped", {"pub": {"allow": ["x"]}})
    with visit(shop.fake) as provider:
        assert group.keys[0].pair.public_key in provider.standing(shop.account).signers


def test_an_account_whose_jwt_makes_no_sense_is_said(shop: Shop) -> None:
    shop.fake.plane.accounts[shop.account.id].jwt = "a.b.c"

    with visit(shop.fake) as provider, pytest.raises(PermanentError, match="a JWT in it"):
        provider.standing(shop.account)


def test_whether_servers_have_the_account_is_told(shop: Shop) -> None:
    shop.fake.plane.accounts[shop.account.id].sync = "Failed"

    with visit(shop.fake) as provider:
        assert provider.account(shop.account.id).synced == "Failed"


def test_a_whole_account_is_listed_in_one_call(shop: Shop) -> None:
    other_user(shop)
    before = shop.fake.called()
    with visit(shop.fake) as provider:
        there = provider.drift(shop.account)

    assert {(one.user.name, one.owner) for one in there} == {
        ("orders-g1", WANTED.owner),
        ("x", None),
    }
    assert shop.user in {one.user for one in there}
    assert shop.fake.called() == before + 1


def test_a_user_deleted_behind_our_back_is_missing(shop: Shop) -> None:
    shop.fake.plane.delete_user(shop.user.id)

    with visit(shop.fake) as provider:
        assert provider.drift(shop.account) == frozenset()


def test_a_provider_that_is_away_shows_nobody_missing(shop: Shop) -> None:
    shop.fake.faults.always("list users", status(503))

    with visit(shop.fake) as provider, pytest.raises(TransientError):
        provider.drift(shop.account)


def test_the_group_that_signs_is_told_when_it_was_disabled(shop: Shop) -> None:
    shop.fake.plane.disable_group(next(iter(shop.fake.plane.groups)))

    with visit(shop.fake) as provider:
        made = provider.ensure(shop.account, replace(WANTED, generation=2))

    assert shop.fake.plane.groups[shop.fake.plane.users[made.user.id].group].name == "troth"
