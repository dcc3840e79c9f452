"""Users are made once, whatever is lost on the way and whoever else makes them."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.synadia.faults import Cut, Fault, lost, status
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN, Patience, visit

from troth.errors import HeldError, InvalidInputError, PermanentError, TransientError
from troth_pipelines.nats.limits import ConnectionType, Limits
from troth_pipelines.nats.permissions import Permissions, SubjectRules
from troth_pipelines.nats.synadia import (
    AccountRef,
    AnswerLostError,
    Ensured,
    UserSpec,
    Wanted,
    Where,
)
from troth_pipelines.nats.users import Grant

GRANT = Grant(
    Permissions(SubjectRules(("orders.>",), ("orders.secret",)), SubjectRules(("_INBOX.>",))),
    Limits(payload=1024, connection_types=(ConnectionType.STANDARD,)),
)
OWNER = "shop/nats-user/orders"
WANTED = Wanted("orders", 1, OWNER, UserSpec(3600, GRANT))

SILENT = [
    pytest.param(lost(), id="lost"),
    pytest.param(Fault(cut=Cut.HALFWAY), id="half"),
    pytest.param(status(500, works=True), id="500"),
    pytest.param(status(502, works=True), id="502"),
    pytest.param(status(409, works=True), id="409"),
    pytest.param(status(201, "{", works=True, media_type="application/json"), id="no JSON"),
    pytest.param(status(201, "hello", works=True, media_type="text/html"), id="html"),
]


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


@pytest.fixture
def account(fake: FakeSynadia) -> AccountRef:
    with visit(fake) as provider:
        return provider.account(next(iter(fake.plane.accounts)))


def ensure(fake: FakeSynadia, account: AccountRef, wanted: Wanted = WANTED) -> Ensured:
    with visit(fake) as provider:
        return provider.ensure(account, wanted)


def add(fake: FakeSynadia, name: str, *tags: str) -> str:
    """Make a user as somebody else would."""
    group = next(iter(fake.plane.groups))
    settings = {"tags": list(tags)}
    return fake.plane.add_user(
        fake.plane.groups[group].account,
        {"name": name, "sk_group_id": group, "jwt_settings": settings},
    ).id


def test_a_user_that_is_not_there_is_made_as_it_was_asked_for(
    fake: FakeSynadia, account: AccountRef
) -> None:
    ensured = ensure(fake, account)

    user = fake.plane.users[ensured.user.id]
    assert ensured.made
    assert (user.name, user.expires_in) == ("orders-g1", 3600)
    assert user.key.public_key == ensured.user.public_key
    assert user.settings == {
        "pub": {"allow": ["orders.>"], "deny": ["orders.secret"]},
        "sub": {"allow": ["_INBOX.>"]},
        "subs": -1,
        "data": -1,
        "payload": 1024,
        "allowed_connection_types": ["STANDARD"],
        "tags": [f"troth-owner:{OWNER}"],
    }


def test_a_user_that_is_there_is_found(fake: FakeSynadia, account: AccountRef) -> None:
    first = ensure(fake, account)

    second = ensure(fake, account)

    assert second == replace(first, made=False)
    assert fake.called("create user") == 1
    assert fake.called("change user") == 0


def test_a_later_generation_that_is_there_is_meant(fake: FakeSynadia, account: AccountRef) -> None:
    for generation in (9, 10, 2):
        ensure(fake, account, replace(WANTED, generation=generation))

    ensured = ensure(fake, account)

    assert (ensured.generation, ensured.user.name, ensured.made) == (10, "orders-g10", False)
    assert len(fake.plane.users) == 2


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("orders-g7", "troth-owner:another"),
        ("orders-g07", f"troth-owner:{OWNER}"),
        ("orders-g7-old", f"troth-owner:{OWNER}"),
        ("more-orders-g7", f"troth-owner:{OWNER}"),
        (f"orders-g{10**9}", f"troth-owner:{OWNER}"),
    ],
)
def test_no_generation_is_what_is_not_named_so_or_not_the_owners(
    fake: FakeSynadia, account: AccountRef, name: str, tag: str
) -> None:
    add(fake, name, tag)

    assert ensure(fake, account).user.name == "orders-g1"


def test_finding_a_user_is_one_call(fake: FakeSynadia, account: AccountRef) -> None:
    ensure(fake, account)
    before = fake.called()

    ensure(fake, account)

    assert fake.called() == before + 1


def test_no_credentials_are_issued(fake: FakeSynadia, account: AccountRef) -> None:
    ensure(fake, account)

    assert fake.plane.issuances == []


def test_each_generation_is_a_user_of_its_own(fake: FakeSynadia, account: AccountRef) -> None:
    first = ensure(fake, account)
    second = ensure(fake, account, replace(WANTED, generation=2))

    assert second.user.name == "orders-g2"
    assert second.user.public_key != first.user.public_key
    assert len(fake.plane.users) == 2


def test_where_clients_connect_is_told(fake: FakeSynadia, account: AccountRef) -> None:
    fake.plane.server_urls = "tls://connect.example.com:4222"

    assert ensure(fake, account).server_urls == "tls://connect.example.com:4222"


@pytest.mark.parametrize("fault", SILENT)
def test_a_user_whose_creation_got_no_answer_is_found(
    fake: FakeSynadia, account: AccountRef, fault: Fault
) -> None:
    fake.faults.next("create user", fault)

    ensured = ensure(fake, account)

    assert list(fake.plane.users) == [ensured.user.id]
    assert fake.called("create user") == 1


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_a_user_whose_creation_got_no_answer_is_looked_for_while_lists_lag_behind(
    fake: FakeSynadia, account: AccountRef, lag: int
) -> None:
    fake.plane.lag = lag
    fake.faults.next("create user", lost())

    ensured = ensure(fake, account)

    assert list(fake.plane.users) == [ensured.user.id]
    assert fake.called("create user") == 1


def test_a_user_that_no_list_shows_yet_is_found_by_the_next_run(
    fake: FakeSynadia, account: AccountRef
) -> None:
    fake.plane.lag = 4
    fake.faults.next("create user", lost())
    with pytest.raises(AnswerLostError):
        ensure(fake, account)

    ensured = ensure(fake, account)

    assert list(fake.plane.users) == [ensured.user.id]
    assert not ensured.made


def test_a_run_that_dies_while_it_creates_is_gone_on_with_by_the_next(
    fake: FakeSynadia, account: AccountRef
) -> None:
    fake.faults.next("create user", lost())
    fake.faults.next("list users", None, *[status(503)] * 3)
    with pytest.raises(TransientError):
        ensure(fake, account)

    ensured = ensure(fake, account)

    assert list(fake.plane.users) == [ensured.user.id]


def test_a_user_that_was_not_made_is_not_made_in_the_same_run(
    fake: FakeSynadia, account: AccountRef
) -> None:
    fake.faults.next("create user", status(500))
    patience = Patience()

    with visit(fake, patience) as provider, pytest.raises(AnswerLostError):
        provider.ensure(account, WANTED)

    assert fake.called("create user") == 1
    assert patience.pauses == [0.0, 1.0, 2.0, 4.0]


def test_a_user_that_was_not_made_is_made_by_the_next_run(
    fake: FakeSynadia, account: AccountRef
) -> None:
    fake.faults.next("create user", status(500))
    with pytest.raises(AnswerLostError):
        ensure(fake, account)

    assert ensure(fake, account).made


def test_a_list_that_lags_behind_does_not_hide_what_was_just_made(
    fake: FakeSynadia, account: AccountRef
) -> None:
    fake.plane.lag = 9

    assert ensure(fake, account).made


@pytest.mark.parametrize("lag", [0, 1])
def test_two_runs_at_one_moment_agree_on_the_oldest(
    fake: FakeSynadia, account: AccountRef, lag: int
) -> None:
    fake.plane.lag = 1
    oldest = add(fake, "orders-g1", f"troth-owner:{OWNER}")
    fake.plane.lag = lag

    ensured = ensure(fake, account)

    assert ensured.user.id == oldest
    assert [spare.id for spare in ensured.spares] == [list(fake.plane.users)[1]]
    assert ensured.note is not None
    assert "two runs made them at one moment" in ensured.note
    assert not any(kind == "delete user" for kind in fake.calls)


def test_one_user_is_nothing_to_be_said(fake: FakeSynadia, account: AccountRef) -> None:
    assert ensure(fake, account).note is None


@pytest.mark.parametrize("tags", [(), ("troth-owner:other/nats-user/orders",)])
def test_somebody_elses_user_is_left_alone(
    fake: FakeSynadia, account: AccountRef, tags: tuple[str, ...]
) -> None:
    theirs = add(fake, "orders-g1", *tags)
    before = dict(fake.plane.users[theirs].settings)

    with pytest.raises(HeldError, match="'orders-g1' is there at Synadia already"):
        ensure(fake, account)

    assert fake.plane.users[theirs].settings == before
    assert list(fake.plane.users) == [theirs]


def test_a_user_that_is_found_gets_what_is_wanted_now(
    fake: FakeSynadia, account: AccountRef
) -> None:
    first = ensure(fake, account)
    spec = UserSpec(60, Grant(Permissions(SubjectRules(("other",)))))

    second = ensure(fake, account, replace(WANTED, spec=spec))

    user = fake.plane.users[second.user.id]
    assert second.user == first.user
    assert user.expires_in == 60
    assert user.settings == {
        "pub": {"allow": ["other"]},
        "subs": -1,
        "data": -1,
        "payload": -1,
        "bearer_token": False,
        "tags": [f"troth-owner:{OWNER}"],
    }


def test_a_change_whose_answer_is_lost_is_asked_again(
    fake: FakeSynadia, account: AccountRef
) -> None:
    ensure(fake, account)
    fake.faults.next("change user", lost())

    ensure(fake, account, replace(WANTED, spec=UserSpec(60, GRANT)))

    assert [user.expires_in for user in fake.plane.users.values()] == [60]


def test_a_change_that_is_not_made_is_not_taken_for_one(
    fake: FakeSynadia, account: AccountRef
) -> None:
    ensure(fake, account)
    fake.plane.deaf = True

    with pytest.raises(PermanentError, match="and did not"):
        ensure(fake, account, replace(WANTED, spec=UserSpec(60, GRANT)))


def test_the_default_group_signs(fake: FakeSynadia, account: AccountRef) -> None:
    ensured = ensure(fake, account)

    assert fake.plane.groups[fake.plane.users[ensured.user.id].group].name == "Default"
    assert fake.called("create group") == 0


def test_an_account_without_a_group_gets_one_of_troths(fake: FakeSynadia) -> None:
    bare = fake.plane.add_account("bare", default_group=False)
    with visit(fake) as provider:
        ensured = provider.ensure(provider.account(bare.id), WANTED)

    group = fake.plane.groups[fake.plane.users[ensured.user.id].group]
    assert (group.name, group.scope) == ("troth", None)


def test_a_group_of_ones_own_is_made_once(fake: FakeSynadia, account: AccountRef) -> None:
    for generation in (1, 2):
        with visit(fake, group="mine") as provider:
            provider.ensure(account, replace(WANTED, generation=generation))

    assert [group.name for group in fake.plane.groups.values()] == ["Default", "mine"]


@pytest.mark.parametrize("fault", SILENT)
def test_a_group_whose_creation_got_no_answer_is_found(
    fake: FakeSynadia, account: AccountRef, fault: Fault
) -> None:
    fake.faults.next("create group", fault)
    with visit(fake, group="mine") as provider:
        provider.ensure(account, WANTED)

    assert [group.name for group in fake.plane.groups.values()] == ["Default", "mine"]


def test_a_group_that_was_not_made_makes_no_user(fake: FakeSynadia, account: AccountRef) -> None:
    fake.faults.next("create group", status(500))

    with visit(fake, group="mine") as provider, pytest.raises(AnswerLostError):
        provider.ensure(account, WANTED)

    assert fake.plane.users == {}


def test_a_scoped_group_decides_what_its_users_may(fake: FakeSynadia, account: AccountRef) -> None:
    fake.plane.add_group(account.id, "scoped", {"pub": {"allow": ["x"]}})
    wanted = replace(WANTED, spec=UserSpec(3600, None))
    with visit(fake, group="scoped") as provider:
        first = provider.ensure(account, wanted)
        second = provider.ensure(account, wanted)

    assert fake.plane.users[first.user.id].settings == {"tags": [f"troth-owner:{OWNER}"]}
    assert not second.made
    assert fake.called("change user") == 0


def test_an_account_that_is_gone_is_said(fake: FakeSynadia, account: AccountRef) -> None:
    fake.plane.delete_account(account.id)

    with pytest.raises(PermanentError, match=f"list the users of account {account.id}.*404"):
        ensure(fake, account)


@pytest.mark.parametrize(
    "where",
    [
        Where("A1", "sys000001"),
        Where("A1", "A System", "A Team"),
        Where("A1", "sys000001", "team000001"),
    ],
)
def test_an_account_is_found_by_names_and_ids(
    fake: FakeSynadia, account: AccountRef, where: Where
) -> None:
    with visit(fake) as provider:
        assert provider.find_account(where) == account


def test_an_account_is_found_by_its_id_alone(fake: FakeSynadia, account: AccountRef) -> None:
    with visit(fake) as provider:
        assert provider.find_account(Where(account.id)) == account


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (
            Where("a1", "sys000001"),
            "account of system 'sys000001' called 'a1': the token sees 'A1'",
        ),
        (Where("A1", "other", "A Team"), "system of team 'A Team' called 'other'"),
        (Where("A1", "A System", "other"), "no single team called 'other'"),
        (Where("A1", None, "A Team"), "no system in it"),
    ],
)
def test_an_account_that_is_not_there_is_said(
    fake: FakeSynadia, account: AccountRef, where: Where, says: str
) -> None:
    with visit(fake) as provider, pytest.raises(InvalidInputError, match=says):
        provider.find_account(where)


def test_a_name_that_two_accounts_have_is_refused(fake: FakeSynadia, account: AccountRef) -> None:
    other = fake.plane.add_account("A1").id

    with (
        visit(fake) as provider,
        pytest.raises(InvalidInputError, match=f"2 have that name.*{account.id}, {other}"),
    ):
        provider.find_account(Where("A1", "sys000001"))


def test_an_id_counts_before_a_name(fake: FakeSynadia, account: AccountRef) -> None:
    fake.plane.add_account(account.id)

    with visit(fake) as provider:
        assert provider.find_account(Where(account.id, "sys000001")) == account
