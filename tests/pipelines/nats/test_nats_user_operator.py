"""Users of a system in operator mode, from the request to a client at a real server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.nats_client import PATIENCE, NatsClient, connect_nats, refused
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem
from support.nats_users import Asked, operator_account, wall

from troth.errors import InvalidInputError, Reason, TransientError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.creds import Credentials

PERMISSIONS = {
    "publish": {"allow": ["orders.>"], "deny": ["orders.secret"]},
    "subscribe": {"allow": ["orders.>", "_INBOX.>"]},
}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with serve_nats(tmp_path / "nats", TestSystem()) as running:
        yield running


@pytest.fixture
def asked(server: NatsServer, tmp_path: Path) -> Asked:
    accounts = {"apps": operator_account(server)}
    return Asked(tmp_path / "runs", accounts, {"permissions": PERMISSIONS})


def complaint(client: NatsClient) -> str:
    client.flush()
    return " ".join(client.errors).lower()


def rotated(asked: Asked) -> tuple[str, str]:
    """Let two generations be made by schedule, the second 25 hours ago; return their creds."""
    asked.now = wall() - 25 * HOUR - 23 * DAY
    old = asked.run()
    asked.now = wall() - 25 * HOUR
    new = asked.run()
    assert (old.numbers, new.numbers) == ([1], [1, 2])
    return old.creds, new.creds


@pytest.mark.parametrize("bare", [False, True])
def test_a_client_opens_the_secret_and_speaks(server: NatsServer, asked: Asked, bare: bool) -> None:
    ran = asked.run(bare=bare)

    with connect_nats(server.url, ran.creds) as client:
        heard = client.subscribe("orders.new")
        client.publish("orders.new", b"hello")
        assert heard.next() == b"hello"
        assert complaint(client) == ""


@pytest.mark.parametrize("subject", ["orders.secret", "billing.new"])
def test_what_the_request_does_not_allow_is_denied(
    server: NatsServer, asked: Asked, subject: str
) -> None:
    with connect_nats(server.url, asked.run().creds) as client:
        client.publish(subject)

        assert f'permissions violation for publish to "{subject}"' in complaint(client)


def test_limits_of_the_request_hold(server: NatsServer, asked: Asked) -> None:
    asked.spec["limits"] = {"subscriptions": 1}

    with connect_nats(server.url, asked.run().creds) as client:
        client.subscribe("orders.one")
        client.subscribe("orders.two", wait=False)

        assert client.ended.wait(PATIENCE)
        assert "maximum subscriptions exceeded" in client.last_error.lower()


def test_a_connection_type_that_was_not_asked_for_is_refused(
    server: NatsServer, asked: Asked
) -> None:
    asked.spec["connectionTypes"] = ["WEBSOCKET"]

    assert refused(server.url, asked.run().creds)


def test_a_scoped_signing_key_decides_what_users_may(server: NatsServer, asked: Asked) -> None:
    asked.accounts["apps"] = operator_account(server, signingKey="SCOPED_KEY", scoped=True)
    del asked.spec["permissions"]

    with connect_nats(server.url, asked.run().creds) as client:
        heard = client.subscribe("scoped.shop.orders-g1.a")
        client.publish("scoped.shop.orders-g1.a", b"mine")
        client.publish("orders.new")

        assert "permissions violation" in complaint(client)
        assert heard.next() == b"mine"


def test_extra_keys_hold_the_same_credentials(server: NatsServer, asked: Asked) -> None:
    keys = {"key": "user.creds", "serversKey": "servers", "jsonKey": "nats.json"}
    asked.spec["secret"] = {"name": "orders-nats", **keys}

    ran = asked.run()

    parsed = Credentials.parse(ran.value("user.creds"))
    assert ran.value("servers") == server.url
    assert json.loads(ran.value("nats.json")) == {
        "servers": [server.url],
        "jwt": parsed.jwt,
        "seed": parsed.key.seed,
    }


def test_both_generations_get_in_during_the_overlap(server: NatsServer, asked: Asked) -> None:
    old, new = rotated(asked)

    assert not refused(server.url, old)
    assert not refused(server.url, new)


def test_the_old_one_is_refused_once_its_overlap_is_over(server: NatsServer, asked: Asked) -> None:
    old, new = rotated(asked)
    with connect_nats(server.url, old) as client:
        asked.now = wall()

        ran = asked.run()

        assert ran.numbers == [2]
        assert client.ended.wait(PATIENCE)
    assert refused(server.url, old)
    assert not refused(server.url, new)


def test_the_old_one_stays_until_its_overlap_is_over(server: NatsServer, asked: Asked) -> None:
    old, _ = rotated(asked)
    asked.now = wall() - HOUR

    assert asked.run().numbers == [1, 2]
    assert not refused(server.url, old)


def test_runs_in_between_write_the_same_bytes(asked: Asked) -> None:
    first = asked.run()
    for _ in range(3):
        asked.now += HOUR

        again = asked.run()

        assert again.sealed == first.sealed
        assert again.status == first.status


def test_the_next_run_is_wanted_when_the_next_step_is_due(asked: Asked) -> None:
    assert asked.run().after == 23 * DAY  # lifetime less renewBefore
    asked.now += 23 * DAY
    assert asked.run().after == HOUR + DAY  # allowance and overlap


def test_a_changed_rotation_request_renews_once(server: NatsServer, asked: Asked) -> None:
    first = asked.run()
    asked.spec["rotation"] = {"request": "after the audit"}

    second, third = asked.run(), asked.run()

    assert (second.numbers, third.sealed) == ([1, 2], second.sealed)
    assert not refused(server.url, first.creds)
    assert not refused(server.url, second.creds)


def test_revoke_before_ends_older_generations_at_once(server: NatsServer, asked: Asked) -> None:
    first = asked.run()
    asked.spec["rotation"] = {"revokeBefore": 2}

    second, third = asked.run(), asked.run()

    assert second.numbers == third.numbers == [2]
    assert second.sealed == third.sealed
    assert refused(server.url, first.creds)
    assert not refused(server.url, second.creds)


def test_the_delete_pipeline_revokes_every_generation(server: NatsServer, asked: Asked) -> None:
    old, new = rotated(asked)

    asked.run("delete")

    assert refused(server.url, old)
    assert refused(server.url, new)


def test_a_request_that_is_no_good_any_more_can_be_deleted(
    server: NatsServer, asked: Asked
) -> None:
    creds = asked.run().creds
    asked.spec["permissions"] = {"publish": {"allow": ["a..b"]}}

    asked.run("delete")

    assert refused(server.url, creds)


def test_an_account_that_cannot_revoke_lets_users_end_by_themselves(
    server: NatsServer, asked: Asked
) -> None:
    asked.accounts["apps"] = operator_account(server, operatorKey=None, systemCreds=None)
    old, _ = rotated(asked)
    asked.now = wall()
    assert asked.run().numbers == [1, 2]

    asked.run("delete")

    assert not refused(server.url, old)


def test_what_cannot_be_revoked_is_said_and_tried_again(server: NatsServer, asked: Asked) -> None:
    asked.accounts["apps"] = operator_account(server, operatorKey=None, systemCreds=None)
    asked.run()
    asked.spec["rotation"] = {"revokeBefore": 2}

    ran = asked.run()

    assert ran.numbers == [1, 2]
    assert "generation 1 cannot be revoked" in ran.message
    assert ran.after == timedelta(minutes=1)


def test_a_generation_is_ended_in_the_account_that_it_was_made_in(
    server: NatsServer, asked: Asked
) -> None:
    system = server.system
    billing = system.accounts["billing"]
    asked.variables["BILLING_KEY"] = billing.signing.seed
    asked.accounts["billing"] = operator_account(
        server, account=billing.public_key, signingKey="BILLING_KEY"
    )
    asked.now = wall() - 26 * HOUR
    old = asked.run().creds
    asked.spec["account"] = "billing"
    new = asked.run().creds
    assert Credentials.parse(new).claims.nats["issuer_account"] == billing.public_key
    assert not refused(server.url, old)
    asked.now = wall()

    ran = asked.run()

    assert ran.numbers == [2]
    assert refused(server.url, old)
    assert not refused(server.url, new)


def test_an_account_that_is_left_has_to_stay_known_until_its_generations_ended(
    server: NatsServer, asked: Asked
) -> None:
    asked.now = wall() - 26 * HOUR
    asked.run()
    asked.accounts["other"] = operator_account(server)
    asked.spec["account"] = "other"
    asked.run()
    del asked.accounts["apps"]
    asked.now = wall()

    assert "generation 1 was made in the account 'apps'" in asked.run().message
    with pytest.raises(InvalidInputError, match="generation 1 was made in the account 'apps'"):
        asked.run("delete")


def test_nats_being_down_leaves_the_old_one_and_says_since_when(
    asked: Asked, server: NatsServer
) -> None:
    _, _ = rotated(asked)
    server.process.terminate()
    server.process.wait(PATIENCE)
    asked.now = since = wall()
    sealed = None
    waits: list[timedelta] = []
    for later in (0, 30, 300):
        asked.now = since + timedelta(minutes=later)
        ran = asked.run()
        assert ran.numbers == [1, 2]
        assert f"Since {since:%Y-%m-%dT%H:%M:%SZ}: NATS at {server.url} does not answer" in (
            ran.message
        )
        assert sealed in {None, str(ran.sealed)}
        sealed = str(ran.sealed)
        waits.append(ran.after)

    assert waits == [timedelta(minutes=1), timedelta(minutes=30), HOUR]


def test_deleting_fails_while_nats_is_down(asked: Asked, server: NatsServer) -> None:
    asked.run()
    server.process.terminate()
    server.process.wait(PATIENCE)

    with pytest.raises(TransientError) as caught:
        asked.run("delete")
    assert caught.value.reason == Reason.PROVIDER_UNREACHABLE


def test_a_rebuilt_cluster_gets_new_credentials_once(server: NatsServer, asked: Asked) -> None:
    first = asked.run()
    asked.epoch = "2"

    second, third = asked.run(), asked.run()

    assert (second.numbers, third.sealed) == ([1, 2], second.sealed)
    assert second.creds != first.creds
    assert not refused(server.url, second.creds)


def test_a_lost_state_makes_new_credentials_and_cuts_nobody_off(
    server: NatsServer, asked: Asked
) -> None:
    first = asked.run()
    asked.status = {}

    second = asked.run()

    assert second.numbers == [1]
    assert second.creds != first.creds
    assert not refused(server.url, first.creds)
    assert not refused(server.url, second.creds)


def test_revocations_that_lie_beyond_the_longest_lifetime_are_dropped(
    server: NatsServer, asked: Asked
) -> None:
    def revoked() -> set[str]:
        account = server.system.accounts["orders"].public_key
        (path,) = server.accounts.rglob(f"{account}.jwt")
        return set(Account.parse(path.read_text(), account).revocations)

    def renewed(number: int) -> str:
        asked.spec["rotation"] = {"revokeBefore": number}
        return Credentials.parse(asked.run().creds).claims.subject

    asked.accounts["apps"] = operator_account(server, longestLifetime="30d")
    asked.now = wall() - 40 * DAY
    first = Credentials.parse(asked.run().creds).claims.subject
    renewed(2)
    assert revoked() == {first}
    asked.now = wall()
    third = renewed(3)

    renewed(4)

    assert revoked() == {third}
