"""Users of a Control Plane, from the request to a client: made once, issued once, ended once."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_client import connect_nats, refused
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem
from support.nats_users import Asked, Ran, operator_account, synadia_account, wall
from support.synadia.faults import Cut, Fault, lost, status
from support.synadia.plane import Plane
from support.synadia.pushing import kept_in_step
from support.synadia.visits import TOKEN

from troth.errors import HeldError, PermanentError, Reason, TransientError
from troth_pipelines.nats.synadia import AnswerLostError

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UNREACHABLE = Fault(cut=Cut.BEFORE)


@pytest.fixture
def server(tmp_path: Path) -> Generator[NatsServer]:
    with serve_nats(tmp_path / "nats", TestSystem()) as running:
        yield running


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


@pytest.fixture
def asked(fake: FakeSynadia, tmp_path: Path) -> Asked:
    """A request whose clock the Control Plane goes by too."""
    asked = Asked(tmp_path / "runs", {"apps": synadia_account(fake)})
    fake.plane.now = lambda: int(asked.now.timestamp())
    return asked


def names(fake: FakeSynadia) -> list[str]:
    return sorted(user.name for user in fake.plane.users.values())


@pytest.mark.parametrize("bare", [False, True])
def test_a_user_is_made_once_and_issued_once(fake: FakeSynadia, asked: Asked, bare: bool) -> None:
    first = asked.run(bare=bare)
    calls = fake.called()

    again = [asked.run(bare=bare) for _ in range(3)]

    assert names(fake) == ["shop.orders-g1"]
    assert len(fake.plane.issuances) == 1
    assert fake.called() == calls
    assert {str(ran.sealed) for ran in again} == {str(first.sealed)}
    assert first.creds == fake.plane.issuances[0].text


def test_a_real_server_takes_both_generations_and_the_new_one_alone_in_the_end(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    with kept_in_step(fake.plane, server):
        asked.now = wall() - 25 * HOUR - 23 * DAY
        old = asked.run().creds
        asked.now = wall() - 25 * HOUR
        new = asked.run().creds
        assert names(fake) == ["shop.orders-g1", "shop.orders-g2"]
        assert not refused(server.url, old)
        assert not refused(server.url, new)
        asked.now = wall()

        ran = asked.run()

        assert ran.numbers == [2]
        assert names(fake) == ["shop.orders-g2"]
        assert refused(server.url, old)
        assert not refused(server.url, new)
    assert len(fake.plane.issuances) == 2


def test_permissions_of_the_request_are_the_users(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    asked.spec["permissions"] = {"publish": {"allow": ["orders.>"]}}
    with kept_in_step(fake.plane, server), connect_nats(server.url, asked.run().creds) as client:
        client.publish("orders.new")
        assert client.errors == []
        client.publish("billing.new")
        client.flush()

        assert "permissions violation" in " ".join(client.errors).lower()


def test_a_scoped_group_decides_what_its_users_may(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    account = next(iter(fake.plane.accounts))
    fake.plane.add_group(account, "scoped", {"pub": {"allow": ["mine.>"]}})
    asked.accounts["apps"] = synadia_account(fake, group="scoped", scoped=True)
    with kept_in_step(fake.plane, server), connect_nats(server.url, asked.run().creds) as client:
        client.publish("mine.a")
        assert client.errors == []
        client.publish("orders.new")
        client.flush()

        assert "permissions violation" in " ".join(client.errors).lower()


def test_a_rotation_request_makes_one_more(fake: FakeSynadia, asked: Asked) -> None:
    asked.run()
    asked.spec["rotation"] = {"request": "now"}

    asked.run()
    asked.run()

    assert names(fake) == ["shop.orders-g1", "shop.orders-g2"]
    assert len(fake.plane.issuances) == 2


def test_revoke_before_deletes_and_revokes_at_once(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    with kept_in_step(fake.plane, server):
        first = asked.run().creds
        asked.spec["rotation"] = {"revokeBefore": 2}

        second = asked.run().creds

        assert names(fake) == ["shop.orders-g2"]
        assert refused(server.url, first)
        assert not refused(server.url, second)


@pytest.mark.parametrize("fault", [lost(), status(500, works=True)], ids=["cut", "500"])
def test_an_answer_that_was_lost_makes_no_second_user(
    fake: FakeSynadia, asked: Asked, fault: Fault
) -> None:
    fake.faults.next("create user", fault)

    ran = asked.run()
    ran = ran if ran.sealed is not None else asked.run()

    assert names(fake) == ["shop.orders-g1"]
    assert ran.creds == fake.plane.issuances[-1].text
    assert len(fake.plane.issuances) == 1


def test_a_run_that_broke_off_after_creating_is_completed(fake: FakeSynadia, asked: Asked) -> None:
    fake.faults.next("issue creds", status(500))
    with pytest.raises(AnswerLostError):
        asked.run()

    asked.run()

    assert fake.called("create user") == 1
    assert names(fake) == ["shop.orders-g1"]
    assert len(fake.plane.issuances) == 1


def test_credentials_that_were_issued_and_lost_are_issued_once_more(
    fake: FakeSynadia, asked: Asked
) -> None:
    fake.faults.next("issue creds", lost())
    with pytest.raises(AnswerLostError):
        asked.run()
    asked.now += timedelta(minutes=1)

    ran = asked.run()

    assert fake.called("create user") == 1
    assert ran.creds == fake.plane.issuances[-1].text
    assert len(fake.plane.issuances) == 2  # one generation, one interruption


def down(fake: FakeSynadia, fault: Fault | None) -> None:
    for kind in ("list teams", "list systems", "list accounts"):
        fake.faults.always(kind, fault)


def test_a_provider_that_is_down_for_a_day_changes_nothing_but_the_message(
    fake: FakeSynadia, asked: Asked
) -> None:
    first = asked.run()
    asked.now += 23 * DAY
    since = asked.now
    down(fake, status(503))
    waits: list[timedelta] = []
    for minutes in (0, 30, 24 * 60):
        asked.now = since + timedelta(minutes=minutes)
        ran = asked.run()
        assert ran.sealed == first.sealed
        assert ran.numbers == [1]
        assert ran.message.startswith(f"Since {since:%Y-%m-%dT%H:%M:%SZ}: Synadia (127.0.0.1")
        assert ran.message.endswith("What was published stays as it is: generation 1.")
        waits.append(ran.after)
    assert waits == [timedelta(minutes=1), timedelta(minutes=30), HOUR]
    down(fake, None)

    back = asked.run()

    assert back.numbers == [1, 2]
    assert back.message == "generation 2"
    assert len(fake.plane.issuances) == 2


def test_a_provider_that_is_down_at_first_is_said(fake: FakeSynadia, asked: Asked) -> None:
    down(fake, status(503))

    with pytest.raises(TransientError) as caught:
        asked.run()

    assert "answered 503" in caught.value.message


def test_an_old_one_that_cannot_be_ended_now_is_ended_later(
    fake: FakeSynadia, asked: Asked
) -> None:
    asked.run()
    asked.now += 23 * DAY
    asked.run()
    asked.now += DAY + HOUR
    fake.faults.always("delete user", status(503))
    ran = asked.run()
    assert (ran.numbers, "Since " in ran.message) == ([1, 2], True)
    fake.faults.always("delete user", None)

    assert asked.run().numbers == [2]
    assert names(fake) == ["shop.orders-g2"]


def test_an_old_one_that_may_not_be_ended_costs_no_second_new_one(
    fake: FakeSynadia, asked: Asked
) -> None:
    asked.run()
    asked.spec["rotation"] = {"revokeBefore": 2}
    fake.faults.always("revoke", status(403))

    runs = [asked.run() for _ in range(3)]

    assert [ran.numbers for ran in runs] == [[1, 2]] * 3
    assert len({str(ran.sealed) for ran in runs}) == 1
    assert "answered 403" in runs[-1].message
    assert len(fake.plane.issuances) == 2


def test_a_token_that_is_wrong_is_said_and_never_shown(fake: FakeSynadia, asked: Asked) -> None:
    first = asked.run()
    asked.now += 23 * DAY
    asked.variables["TOKEN"] = "uat_wrong0123456789"  # noqa: S105  (opens nothing)

    with pytest.raises(PermanentError) as caught:
        asked.run()

    assert caught.value.reason == Reason.INVALID_CREDENTIALS
    assert "uat_" not in caught.value.message
    assert asked.status == first.status


def test_a_name_that_somebody_else_holds_is_left_alone(fake: FakeSynadia, asked: Asked) -> None:
    (group,) = fake.plane.groups.values()
    body = {"name": "shop.orders-g1", "sk_group_id": group.id}
    fake.plane.add_user(group.account, body)

    with pytest.raises(HeldError, match=r"shop\.orders-g1"):
        asked.run()
    assert fake.plane.issuances == []


def test_a_lost_state_finds_its_user_and_issues_once_more(fake: FakeSynadia, asked: Asked) -> None:
    asked.run()
    asked.status = {}

    ran = asked.run()
    asked.run()

    assert names(fake) == ["shop.orders-g1"]
    assert len(fake.plane.issuances) == 2
    assert ran.creds == fake.plane.issuances[-1].text


def rotated(asked: Asked, times: int) -> None:
    """Let a user come to a generation, each of which has followed the one before it for good."""
    asked.run()
    for number in range(times):
        asked.spec["rotation"] = {"request": f"{number}"}
        asked.run()
        asked.now += 2 * DAY
        asked.run()


@pytest.mark.parametrize("bare", [False, True])
def test_after_a_lost_state_no_number_comes_again(
    fake: FakeSynadia, asked: Asked, bare: bool
) -> None:
    rotated(asked, 2)
    assert names(fake) == ["shop.orders-g3"]
    keys = {one.public_key for one in fake.plane.issuances}
    asked.status = {}

    found = asked.run(bare=bare)
    asked.spec["rotation"] = {"request": "once more"}
    following = asked.run(bare=bare)

    assert (found.numbers, following.numbers) == ([3], [3, 4])
    assert names(fake) == ["shop.orders-g3", "shop.orders-g4"]
    assert fake.plane.issuances[-1].public_key not in keys


def test_a_lost_state_cuts_nobody_off(server: NatsServer, fake: FakeSynadia, asked: Asked) -> None:
    asked.now = wall() - 5 * DAY
    with kept_in_step(fake.plane, server):
        rotated(asked, 2)
        used = fake.plane.issuances[-1].text
        asked.status = {}

        found = asked.run().creds

        assert not refused(server.url, used)
        assert not refused(server.url, found)


def test_a_state_of_long_ago_brings_back_no_user_of_then(fake: FakeSynadia, asked: Asked) -> None:
    asked.run()
    before = dict(asked.status)
    rotated(asked, 2)
    asked.status = before
    asked.spec["rotation"] = {"request": "once more"}

    ran = asked.run()

    assert ran.numbers == [1, 3]
    assert names(fake) == ["shop.orders-g3"]
    assert ran.creds == fake.plane.issuances[-1].text


def test_the_delete_pipeline_ends_all_users_even_with_a_lost_state(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    with kept_in_step(fake.plane, server):
        old = asked.run().creds
        asked.spec["rotation"] = {"request": "now"}
        new = asked.run().creds
        asked.status = {}

        asked.run("delete")

        assert names(fake) == []
        assert refused(server.url, old)
        assert refused(server.url, new)


def test_users_of_others_outlive_the_delete_pipeline(fake: FakeSynadia, asked: Asked) -> None:
    (group,) = fake.plane.groups.values()
    fake.plane.add_user(
        group.account,
        {
            "name": "shop.billing-g1",
            "sk_group_id": group.id,
            "jwt_settings": {"tags": ["troth-owner:shop/nats-user/billing"]},
        },
    )
    asked.run()

    asked.run("delete")

    assert names(fake) == ["shop.billing-g1"]


def test_deleting_fails_while_the_provider_is_down(fake: FakeSynadia, asked: Asked) -> None:
    asked.run()
    down(fake, UNREACHABLE)

    with pytest.raises(TransientError):
        asked.run("delete")
    assert names(fake) == ["shop.orders-g1"]


def moved(asked: Asked, account: str) -> Ran:
    """Move to another account; return the run after the overlap."""
    asked.run()
    asked.spec["account"] = account
    asked.run()
    asked.now += DAY + HOUR
    return asked.run()


def test_a_user_that_moves_to_another_provider_is_ended_at_the_old_one(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    asked.accounts["own"] = operator_account(server)

    ran = moved(asked, "own")

    assert (ran.numbers, ran.status["provider"]) == ([2], "operator")
    assert names(fake) == []
    assert not refused(server.url, ran.creds)


def test_a_user_that_moves_to_synadia_is_revoked_at_the_old_account(
    server: NatsServer, fake: FakeSynadia, asked: Asked
) -> None:
    asked.accounts["own"] = operator_account(server)
    asked.spec["account"] = "own"
    first = asked.run()
    ran = moved(asked, "apps")

    assert (ran.numbers, ran.status["provider"]) == ([2], "synadia")
    assert names(fake) == ["shop.orders-g2"]
    assert refused(server.url, first.creds)


def test_credentials_that_end_sooner_than_asked_are_refused(
    fake: FakeSynadia, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = fake.plane.issue

    def short(user: str, kind: str = "Download") -> str:
        found = fake.plane.users[user]
        found.expires_in, asked_for = 3600, found.expires_in
        text = issue(user, kind)
        found.expires_in = asked_for
        return text

    monkeypatch.setattr(fake.plane, "issue", short)

    with pytest.raises(PermanentError, match="valid for 3600 s"):
        asked.run()


@pytest.mark.parametrize("action", ["configure", "delete"])
def test_a_rehearsal_calls_nobody(fake: FakeSynadia, asked: Asked, action: str) -> None:
    del asked.variables["TOKEN"]

    ran = asked.run(action, effects="recall")

    assert fake.paths == []
    assert ran.control["effects"]
