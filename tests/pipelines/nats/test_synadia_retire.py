"""Users are retired once: their key revoked, then they are deleted, and nobody else's."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from support.synadia.faults import Fault, lost, status
from support.synadia.shop import NOW, WANTED, Shop, open_shop
from support.synadia.visits import visit

from troth.errors import HeldError, PermanentError, TransientError
from troth_pipelines.nats.synadia import Retired


@pytest.fixture
def shop() -> Generator[Shop]:
    with open_shop() as opened:
        yield opened


def test_a_retired_user_is_gone_and_its_key_revoked(shop: Shop) -> None:
    retired = shop.retire()

    assert retired == Retired(revoked=True, deleted=True)
    assert shop.fake.plane.users == {}
    assert shop.revocations == {shop.user.public_key: NOW}


def test_the_key_is_revoked_before_its_user_is_deleted(shop: Shop) -> None:
    shop.fake.faults.always("revoke", status(500))

    with pytest.raises(TransientError):
        shop.retire()

    assert shop.user.id in shop.fake.plane.users


def test_retiring_twice_is_no_error(shop: Shop) -> None:
    shop.retire()

    assert shop.retire() == Retired(revoked=True, deleted=False)


@pytest.mark.parametrize("kind", ["revoke", "delete user"])
@pytest.mark.parametrize("fault", [lost(), status(500, works=True), status(503)])
def test_a_step_whose_answer_is_lost_is_asked_again(shop: Shop, kind: str, fault: Fault) -> None:
    shop.fake.faults.next(kind, fault)

    assert shop.retire().revoked
    assert shop.fake.plane.users == {}
    assert list(shop.revocations) == [shop.user.public_key]


def test_a_user_deleted_behind_our_back_still_has_its_key_revoked(shop: Shop) -> None:
    shop.fake.plane.delete_user(shop.user.id)

    assert shop.retire() == Retired(revoked=True, deleted=False)
    assert list(shop.revocations) == [shop.user.public_key]


def test_of_a_user_that_somebody_rotated_both_keys_are_revoked(shop: Shop) -> None:
    rotated = shop.fake.plane.rotate_user(shop.user.id).key.public_key

    shop.retire()

    assert set(shop.revocations) == {shop.user.public_key, rotated}


def test_what_has_ended_by_itself_needs_no_revocation(shop: Shop) -> None:
    assert shop.retire(revoke=False) == Retired(revoked=False, deleted=True)
    assert shop.revocations == {}
    assert shop.fake.plane.users == {}


def test_deleting_what_is_gone_is_no_error(shop: Shop) -> None:
    shop.fake.plane.delete_user(shop.user.id)

    assert shop.retire(revoke=False) == Retired(revoked=False, deleted=False)


@pytest.mark.parametrize("tags", [[], ["troth-owner:other/nats-user/orders"]])
@pytest.mark.parametrize("revoke", [True, False])
def test_somebody_elses_user_is_left_alone(shop: Shop, tags: list[str], revoke: bool) -> None:
    shop.fake.plane.users[shop.user.id].settings["tags"] = tags

    with pytest.raises(HeldError):
        shop.retire(revoke=revoke)

    assert shop.user.id in shop.fake.plane.users
    assert shop.revocations == {}


def test_a_user_that_was_renamed_is_left_alone(shop: Shop) -> None:
    shop.fake.plane.users[shop.user.id].name = "precious"

    with pytest.raises(HeldError, match="is called 'precious', not 'orders-g1'"):
        shop.retire()

    assert shop.revocations == {}


@pytest.mark.parametrize("revoke", [True, False])
def test_with_its_account_a_user_is_gone_too(shop: Shop, revoke: bool) -> None:
    shop.fake.plane.delete_account(shop.account.id)

    retired = shop.retire(revoke=revoke)

    assert retired == Retired(revoked=False, deleted=False, account_gone=True)


@pytest.mark.parametrize("revoke", [True, False])
def test_an_address_where_nothing_is_found_proves_nothing(shop: Shop, revoke: bool) -> None:
    for kind in ("show user", "revoke", "delete user", "list accounts"):
        shop.fake.faults.always(kind, status(404))

    with pytest.raises(PermanentError, match=r"list the accounts of system.*404"):
        shop.retire(revoke=revoke)


def test_an_account_that_only_hides_proves_nothing(shop: Shop) -> None:
    shop.fake.faults.always("revoke", status(404))

    with pytest.raises(PermanentError, match="Nothing was deleted"):
        shop.retire()

    assert shop.user.id in shop.fake.plane.users


@pytest.mark.parametrize("code", [401, 403, 422])
def test_what_is_refused_is_not_taken_for_done(shop: Shop, code: int) -> None:
    shop.fake.faults.always("delete user", status(code))

    with pytest.raises(PermanentError, match=str(code)):
        shop.retire()


def test_the_next_generation_is_left_alone(shop: Shop) -> None:
    with visit(shop.fake) as provider:
        second = provider.ensure(shop.account, replace(WANTED, generation=2)).user

    shop.retire()

    assert list(shop.fake.plane.users) == [second.id]
    assert second.public_key not in shop.revocations
