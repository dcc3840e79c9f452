"""Looking at NATS users behind their requests' backs: what is found, whom it costs what."""

from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_client import connect_nats
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem
from support.nats_users import Asked, operator_account, synadia_account, wall
from support.synadia.faults import Cut, Fault, status
from support.synadia.plane import Plane
from support.synadia.pushing import kept_in_step
from support.synadia.visits import TOKEN

from troth.api import Fields, Json, JsonObject
from troth.sdk import Drift, Finding, Outside
from troth_pipelines.nats.accounts import EVERYBODY, Account
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.revoking import AccountWriter

HOUR = timedelta(hours=1)
WHO = "shop/orders"
DOWN = Fault(cut=Cut.BEFORE)


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


@pytest.fixture
def asked(fake: FakeSynadia, tmp_path: Path) -> Asked:
    """A request whose user was made an hour ago."""
    asked = Asked(tmp_path / "runs", {"apps": synadia_account(fake)})
    fake.plane.now = lambda: int(asked.now.timestamp())
    asked.run()
    asked.now += HOUR
    return asked


@pytest.fixture
def server(tmp_path: Path) -> Generator[NatsServer]:
    with serve_nats(tmp_path / "nats", TestSystem()) as running:
        yield running


@pytest.fixture
def operated(server: NatsServer, tmp_path: Path) -> Asked:
    """A request whose user was signed for an account of a real server."""
    asked = Asked(tmp_path / "operated", {"apps": operator_account(server)})
    asked.now = wall() - HOUR
    asked.run()
    asked.now = wall()
    return asked


def found(asked: Asked) -> Finding:
    return asked.look().findings[WHO]


def group(fake: FakeSynadia) -> str:
    (one,) = fake.plane.groups
    return one


def user(fake: FakeSynadia) -> str:
    (one,) = fake.plane.users
    return one


def account(fake: FakeSynadia) -> str:
    (one,) = fake.plane.accounts
    return one


def test_a_user_that_is_there_is_intact_and_nothing_is_made(
    fake: FakeSynadia, asked: Asked
) -> None:
    before, made = fake.called(), len(fake.plane.issuances)

    inspection = asked.look()

    assert inspection.findings == {WHO: Finding.intact()}
    assert inspection.calls == {"apps": fake.called() - before}
    assert len(fake.plane.issuances) == made


def behind_our_back(fake: FakeSynadia, what: str) -> None:
    plane = fake.plane
    if what == "deleted":
        plane.delete_user(user(fake))
    elif what == "another key":
        plane.rotate_user(user(fake))
    elif what == "signing key":
        plane.rotate_signing_key(group(fake), keep_old=False)
    elif what == "group disabled":
        plane.disable_group(group(fake))
    elif what == "revoked":
        plane.revoke(account(fake), plane.issuances[-1].public_key, 0)
    else:
        plane.delete_user(user(fake))
        plane.rotate_signing_key(group(fake), keep_old=False)


@pytest.mark.parametrize(
    ("what", "words", "ended"),
    [
        ("deleted", "was deleted", False),
        ("another key", "another key", False),
        ("signing key", "signing key", False),
        ("group disabled", "signing key", False),
        ("revoked", "revoked", False),
        ("deleted and dead", "was deleted", True),
    ],
)
def test_what_was_done_behind_our_back_is_found(
    fake: FakeSynadia, asked: Asked, what: str, words: str, ended: bool
) -> None:
    behind_our_back(fake, what)

    one = found(asked)

    assert (one.state, one.ended, one.mendable) == (Outside.DRIFTED, ended, True)
    assert words in one.message
    assert "shop.orders-g1" in one.message


@pytest.mark.parametrize("what", ["deleted", "another key", "signing key", "revoked"])
def test_a_run_that_is_told_makes_one_more_and_a_real_server_takes_it(
    server: NatsServer, fake: FakeSynadia, asked: Asked, what: str
) -> None:
    asked.now = wall()
    with kept_in_step(fake.plane, server):
        behind_our_back(fake, what)
        one = found(asked)

        ran = asked.run(drift=Drift(one.message, ended=one.ended))
        calls = fake.called()
        again = asked.run()

        with connect_nats(server.url, ran.creds):
            assert len(fake.plane.issuances) == 2
        assert fake.called() == calls
        assert (again.sealed, again.status) == (ran.sealed, ran.status)
        assert found(asked) == Finding.intact()
    assert ran.numbers == [1, 2]
    assert one.message.removesuffix(".") in ran.message


def test_a_deleted_user_is_ended_at_the_end_of_the_overlap_since_its_credentials_live_on(
    fake: FakeSynadia, asked: Asked
) -> None:
    old = fake.plane.issuances[-1].public_key
    behind_our_back(fake, "deleted")
    asked.run(drift=Drift(found(asked).message))
    asked.now += timedelta(days=2)

    ran = asked.run()

    assert ran.numbers == [2]
    assert old in fake.plane.accounts[account(fake)].keys.revocations


def test_what_is_dead_is_not_ended_in_vain(fake: FakeSynadia, asked: Asked) -> None:
    behind_our_back(fake, "deleted and dead")
    one = found(asked)

    ran = asked.run(drift=Drift(one.message, ended=one.ended))

    assert ran.numbers == [2]
    assert fake.called("revoke", "delete user") == 0


def test_a_rehearsed_run_that_is_told_calls_nobody_and_says_why(
    fake: FakeSynadia, asked: Asked
) -> None:
    calls = fake.called()

    ran = asked.run(effects="recall", drift=Drift("the user was deleted."))

    assert fake.called() == calls
    (wanted,) = Fields(ran.control).texts("effects")
    assert wanted.endswith("since the user was deleted.")


def test_a_list_that_lags_behind_a_young_user_is_read_again(
    fake: FakeSynadia, asked: Asked
) -> None:
    asked.now -= HOUR
    fake.plane.user(user(fake)).hidden = 1
    before = fake.called("list users")

    assert found(asked) == Finding.intact()
    assert fake.called("list users") - before == 2


def test_nothing_is_looked_for_that_has_ended_or_was_never_made(
    fake: FakeSynadia, asked: Asked
) -> None:
    asked.now += timedelta(days=40)
    calls = fake.called()

    never: JsonObject = {**asked.object(), "status": {}, "metadata": {"name": "x"}}
    inspection = asked.look(never)

    assert (inspection.findings, fake.called()) == ({}, calls)


def test_an_older_generation_may_be_gone(fake: FakeSynadia, asked: Asked) -> None:
    first = user(fake)
    asked.spec["rotation"] = {"request": "now"}
    asked.run()
    fake.plane.delete_user(first)

    assert found(asked) == Finding.intact()


def copies(asked: Asked, count: int, **changed: Json) -> list[JsonObject]:
    """Return more requests with the same user."""
    return [
        {**asked.object(), "metadata": {"name": f"r{n}", "namespace": "shop"}, **changed}
        for n in range(count)
    ]


def test_an_account_is_asked_once_for_all(fake: FakeSynadia, asked: Asked) -> None:
    before = fake.called()
    asked.look()
    for_one, before = fake.called() - before, fake.called()

    inspection = asked.look(*copies(asked, 49))

    assert len(inspection.findings) == 50
    assert fake.called() - before == for_one


@pytest.mark.parametrize("fault", [DOWN, status(500, "oops"), status(403)])
def test_a_provider_that_cannot_be_asked_is_said_and_costs_no_other(
    fake: FakeSynadia, asked: Asked, operated: Asked, fault: Fault
) -> None:
    asked.accounts["other"] = operated.accounts["apps"]
    other: JsonObject = {
        **operated.object(),
        "metadata": {"name": "o", "namespace": "shop"},
        "status": {**operated.status, "credentials": _in("other", operated)},
    }
    fake.faults.always("list users", fault)

    findings = asked.look(other).findings

    assert findings["shop/o"] == Finding.intact()
    assert findings[WHO].state is Outside.UNKNOWN
    assert "account apps could not be asked" in findings[WHO].message


def _in(name: str, asked: Asked) -> list[Json]:
    """Return a request's generations, made in an account of this name."""
    return [{**one.raw, "account": name} for one in Fields(asked.status).items("credentials")]


@pytest.mark.parametrize("token", ["", "uat_wrong_token_0815", "two words"])
def test_a_token_that_is_missing_or_wrong_is_said_and_not_shown(asked: Asked, token: str) -> None:
    asked.variables["TOKEN"] = token

    one = found(asked)

    assert one.state is Outside.UNKNOWN
    assert "oken" in one.message
    assert not token or token not in one.message


def test_an_account_that_is_offered_no_more_is_said(asked: Asked) -> None:
    asked.accounts["new"] = asked.accounts.pop("apps")

    one = found(asked)

    assert one.state is Outside.UNKNOWN
    assert "no account 'apps'" in one.message


def test_a_status_that_somebody_changed_costs_that_request_alone(asked: Asked) -> None:
    spoilt = copies(asked, 1, status={"credentials": [{"generation": "two"}]})

    findings = asked.look(*spoilt).findings

    assert findings[WHO] == Finding.intact()
    assert findings["shop/r0"].state is Outside.UNKNOWN


def test_a_user_of_an_operator_is_intact_in_two_calls(operated: Asked) -> None:
    inspection = operated.look(*copies(operated, 49))

    assert set(inspection.findings.values()) == {Finding.intact()}
    assert inspection.calls == {"apps": 2}


def writer(server: NatsServer) -> AccountWriter:
    system = server.system
    servers = Servers((server.url,), Credentials.parse(system.system_creds()))
    return AccountWriter(servers, system.accounts["orders"].public_key, system.operator_signing)


def by_somebody(server: NatsServer, change: Callable[[JsonObject], JsonObject]) -> None:
    """Push the account with other claims, as a person does."""
    orders, operator = server.system.accounts["orders"], server.system.operator_signing
    claims = Account.parse(orders.jwt, orders.public_key).claims
    nats = change(claims.nats)
    jwt = encode({**claims.raw, "iat": int(wall().timestamp()), "nats": nats}, operator)
    with connect_nats(server.url, server.system.system_creds()) as client:
        client.request("$SYS.REQ.CLAIMS.UPDATE", jwt.encode())


@pytest.mark.parametrize("everybody", [False, True])
def test_a_user_that_somebody_else_revoked_is_found_and_made_anew(
    server: NatsServer, operated: Asked, everybody: bool
) -> None:
    (one,) = Fields(operated.status).items("credentials")
    key = EVERYBODY if everybody else one.text("publicKey")
    moment = int(wall().timestamp()) - 5
    writer(server).revoke({key: moment}, moment)

    finding = found(operated)
    ran = operated.run(drift=Drift(finding.message, ended=finding.ended))

    assert (finding.state, finding.ended) == (Outside.DRIFTED, True)
    assert "revoked" in finding.message
    assert ran.numbers == [2]
    with connect_nats(server.url, ran.creds):
        assert found(operated) == Finding.intact()


def test_a_signing_key_that_was_taken_away_is_said_and_not_mended_with_the_same(
    server: NatsServer, operated: Asked
) -> None:
    by_somebody(server, lambda nats: {**nats, "signing_keys": []})

    finding = found(operated)

    assert (finding.state, finding.mendable) == (Outside.DRIFTED, False)
    assert "put the account's present signing key" in finding.message


def test_with_another_signing_key_in_place_it_is_mended(
    server: NatsServer, operated: Asked
) -> None:
    by_somebody(server, lambda nats: {**nats, "signing_keys": []})
    operated.variables["KEY"] = server.system.accounts["orders"].identity.seed

    finding = found(operated)
    ran = operated.run(drift=Drift(finding.message, ended=finding.ended))

    assert (finding.state, finding.mendable, finding.ended) == (Outside.DRIFTED, True, True)
    with connect_nats(server.url, ran.creds):
        assert ran.numbers == [2]


def test_what_was_made_before_issuers_were_noted_is_held_against_the_present_key(
    server: NatsServer, operated: Asked
) -> None:
    (one,) = Fields(operated.status).items("credentials")
    kept: Json = [{key: value for key, value in one.raw.items() if key != "issuer"}]
    operated.status = {**operated.status, "credentials": kept}
    assert found(operated) == Finding.intact()

    by_somebody(server, lambda nats: {**nats, "signing_keys": []})

    assert found(operated).state is Outside.DRIFTED


def test_an_account_that_is_gone_is_said_and_not_mended(tmp_path: Path, operated: Asked) -> None:
    with serve_nats(tmp_path / "bare", TestSystem(names=("billing",))) as bare:
        operated.accounts["apps"] = operator_account(bare)

        finding = found(operated)

    assert (finding.state, finding.mendable) == (Outside.DRIFTED, False)
    assert "knows the account apps" in finding.message


def test_servers_that_are_away_are_said(operated: Asked) -> None:
    operated.accounts["apps"] = operator_account(None)

    finding = found(operated)

    assert finding.state is Outside.UNKNOWN
    assert "does not answer" in finding.message


def test_without_a_user_of_the_system_account_nothing_is_looked_at(operated: Asked) -> None:
    bare = operator_account(None, operatorKey=None, systemCreds=None)
    operated.accounts["apps"] = bare

    assert operated.look().findings == {}


def test_where_all_that_is_named_for_it_is_missing_nothing_is_looked_at(operated: Asked) -> None:
    del operated.variables["SYSTEM_CREDS"], operated.variables["OPERATOR_KEY"]

    assert operated.look().findings == {}


def test_system_credentials_that_are_named_and_missing_are_said(operated: Asked) -> None:
    del operated.variables["SYSTEM_CREDS"]

    finding = found(operated)

    assert finding.state is Outside.UNKNOWN
    assert "systemCreds" in finding.message
