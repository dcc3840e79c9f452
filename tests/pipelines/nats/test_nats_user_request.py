"""What a request or a platform may not say, and which field the message names."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.nats_users import SECRETS, Asked, Ran, operator_account, synadia_account
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN
from support.tools import require

from troth.api import Fields, JsonObject
from troth.errors import (
    InvalidInputError,
    NotServedError,
    OutputRefusedError,
    Reason,
    TrothError,
)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path, {"apps": operator_account()})


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


def message_of(asked: Asked) -> str:
    with pytest.raises(TrothError) as caught:
        asked.run()
    return caught.value.message


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"account": "none"}, "spec.account: there is no account 'none'; the platform offers"),
        (
            {"permissions": {"publish": {"allow": ["fine", "a..b"]}}},
            "spec.permissions.publish.allow[0]: 'a..b' has an empty token",
        ),
        (
            {"permissions": {"publish": {"deny": ["a b"]}}},
            "spec.permissions.publish.deny[0]: 'a b' holds a blank",
        ),
        (
            {"permissions": {"subscribe": {"allow": ["a.>.b"]}}},
            "spec.permissions.subscribe.allow[0]: 'a.>.b' has '>' before its end",
        ),
        (
            {"permissions": {"subscribe": {"deny": ["a.b* q"]}}},
            "spec.permissions.subscribe.deny[0]: 'a.b* q' holds '*' within 'b*'",
        ),
        (
            {"permissions": {"responses": {"ttl": "0s"}}},
            "spec.permissions.responses.ttl: '0s' is no duration",
        ),
        (
            {"lifetime": "2d", "renewBefore": "1d", "overlap": "23h1s"},
            "spec.lifetime: the next one would be made 1 day, 0:00:00 before the end, which",
        ),
        ({"lifetime": "7d"}, "spec.lifetime: the lifetime (7 days, 0:00:00) is shorter"),
        (
            {"lifetime": "1h2m", "renewBefore": "1h1m", "overlap": "1m"},
            "spec.lifetime: the lifetime (1:02:00) is shorter than the time before its end",
        ),
        ({"overlap": "0s"}, "spec.overlap: '0s' is no duration"),
        ({"lifetime": "99999d"}, "spec.lifetime: '99999d' is no duration"),
        (
            {"secret": {"name": "s", "serversKey": "nats.creds"}},
            "spec.secret.serversKey: the key 'nats.creds' is taken already",
        ),
        (
            {"secret": {"name": "s", "serversKey": "one", "jsonKey": "one"}},
            "spec.secret.jsonKey: the key 'one' is taken already",
        ),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_fulfilled_is_refused_by_field(
    asked: Asked, spec: dict[str, object], said: str
) -> None:
    asked.spec |= spec

    assert message_of(asked).startswith(said)


@pytest.mark.parametrize(("interval", "taken"), [("2h", True), ("2h1s", False), ("5m", True)])
def test_the_platform_says_how_long_a_delivery_may_take(
    asked: Asked, interval: str, *, taken: bool
) -> None:
    asked.variables["TROTH_RECONCILE_INTERVAL"] = interval
    asked.spec |= {"lifetime": "6h", "renewBefore": "3h", "overlap": "1h"}

    if taken:
        assert asked.run().numbers == [1]
    else:
        assert "the time allowed for delivery (3:00:01)" in message_of(asked)


def test_an_interval_that_is_none_is_refused_by_its_variable(asked: Asked) -> None:
    asked.variables["TROTH_RECONCILE_INTERVAL"] = "often"

    assert message_of(asked).startswith("TROTH_RECONCILE_INTERVAL: 'often' is no duration")


def test_the_shortest_lifetime_that_is_possible_is_taken(asked: Asked) -> None:
    asked.spec |= {"lifetime": "2d", "renewBefore": "1d", "overlap": "23h"}

    assert asked.run().numbers == [1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("permissions", {"publish": {"allow": ["a"]}}),
        ("limits", {"payload": 1}),
        ("connectionTypes", ["STANDARD"]),
    ],
)
def test_what_a_scoped_key_decides_cannot_be_asked_for(
    asked: Asked, field: str, value: object
) -> None:
    asked.accounts["apps"] = operator_account(signingKey="SCOPED_KEY", scoped=True)
    asked.spec[field] = value

    assert message_of(asked).startswith(f"spec.{field}: in the account 'apps' the platform's")


def test_a_lifetime_beyond_the_accounts_longest_is_refused(asked: Asked) -> None:
    asked.accounts["apps"] = operator_account(longestLifetime="14d")

    assert message_of(asked) == (
        "spec.lifetime: the account 'apps' allows 14 days, 0:00:00 at most; make it shorter."
    )


def test_keys_for_servers_need_servers(asked: Asked) -> None:
    asked.accounts["apps"] = operator_account(servers=None)
    asked.spec["secret"] = {"name": "s", "serversKey": "servers"}

    assert message_of(asked).startswith("spec.secret.serversKey: the platform does not say where")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"provider": "kafka"}, "NATS_ACCOUNTS.apps.provider: 'kafka' is none of"),
        ({"provider": None}, "NATS_ACCOUNTS.apps.provider"),
        ({"signingKey": None}, "NATS_ACCOUNTS.apps.signingKey"),
        ({"token": "TOKEN"}, "NATS_ACCOUNTS.apps.token"),
        ({"operatorKey": None}, "NATS_ACCOUNTS.apps.operatorKey: users are revoked with both"),
        ({"systemCreds": None}, "NATS_ACCOUNTS.apps.operatorKey: users are revoked with both"),
        ({"longestLifetime": "0s"}, "NATS_ACCOUNTS.apps.longestLifetime: '0s' is no duration"),
        ({"longestLifetime": "soon"}, "NATS_ACCOUNTS.apps.longestLifetime: 'soon' is no duration"),
    ],
)
def test_a_platform_that_says_it_wrong_is_told_the_field(
    asked: Asked, changed: dict[str, object], said: str
) -> None:
    asked.accounts["apps"] = operator_account(None, **changed)

    assert message_of(asked).startswith(said)


def test_a_platform_without_accounts_is_told_what_to_set(asked: Asked) -> None:
    asked.accounts = {}

    assert "the platform offers: none" in message_of(asked)


@pytest.mark.parametrize("value", [None, "", "S" * 58, SECRETS["OPERATOR_KEY"]])
def test_a_signing_key_that_is_missing_or_wrong_is_refused_without_showing_it(
    asked: Asked, value: str | None
) -> None:
    asked.variables.pop("KEY")
    if value is not None:
        asked.variables["KEY"] = value

    message = message_of(asked)

    assert not value or value not in message
    assert "signing key" in message if not value else message


@pytest.mark.parametrize("name", ["OPERATOR_KEY", "SYSTEM_CREDS"])
def test_what_is_revoked_with_has_to_be_there_when_it_is_needed(asked: Asked, name: str) -> None:
    del asked.variables[name]
    asked.run()
    asked.spec["rotation"] = {"revokeBefore": 2}

    ran = asked.run()

    assert ran.numbers == [1, 2]
    assert "users of account apps cannot be revoked: the variables" in ran.message
    with pytest.raises(InvalidInputError) as caught:
        asked.run("delete")
    assert caught.value.reason == Reason.SECRET_NOT_FOUND


def test_a_token_that_is_missing_is_said(asked: Asked, fake: FakeSynadia) -> None:
    asked.accounts["apps"] = synadia_account(fake)
    del asked.variables["TOKEN"]

    assert message_of(asked).startswith("the token for account apps is not given")
    assert fake.paths == []


def forget(asked: Asked, name: str) -> None:
    """Take a field out of the first credential of the status."""
    first = dict(Fields(asked.status).items("credentials")[0].raw)
    del first[name]
    asked.status = {**asked.status, "credentials": [first]}


@pytest.mark.parametrize("name", ["id", "user", "publicKey"])
def test_a_status_that_somebody_changed_is_said_by_field(
    asked: Asked, fake: FakeSynadia, name: str
) -> None:
    asked.accounts["apps"] = synadia_account(fake)
    asked.run()
    forget(asked, name)
    asked.spec["rotation"] = {"revokeBefore": 2}

    assert f": status.credentials['generation 1'].{name}: a text is needed" in asked.run().message


def test_a_public_key_that_somebody_removed_is_missed(asked: Asked) -> None:
    asked.run()
    forget(asked, "publicKey")

    with pytest.raises(InvalidInputError, match=r"'generation 1'\]\.publicKey"):
        asked.run("delete")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"publish": {"allow": ["a", "b"]}}, {"publish": {"allow": ["b", "a", "b"]}}),
        ({"subscribe": {"deny": ["a", "b"]}}, {"subscribe": {"deny": ["b", "a"]}}),
    ],
)
def test_the_order_of_subjects_renews_nothing(asked: Asked, before: object, after: object) -> None:
    asked.spec["permissions"] = before
    first = asked.run()
    asked.spec["permissions"] = after

    assert asked.run() == first


def test_the_order_of_connection_types_renews_nothing(asked: Asked) -> None:
    asked.spec["connectionTypes"] = ["STANDARD", "WEBSOCKET"]
    first = asked.run()
    asked.spec["connectionTypes"] = ["WEBSOCKET", "STANDARD"]

    assert asked.run() == first


@pytest.mark.parametrize(
    "spec",
    [
        {"lifetime": "20d"},
        {"renewBefore": "5d"},
        {"overlap": "2d"},
        {"secret": {"name": "orders-nats", "seen": ["patch"]}},
    ],
)
def test_a_changed_policy_renews_nothing_at_once(asked: Asked, spec: dict[str, object]) -> None:
    first = asked.run()
    asked.spec |= spec

    assert asked.run().sealed == first.sealed


@pytest.mark.parametrize(
    "spec",
    [
        {"permissions": {"publish": {"allow": ["a"]}}},
        {"limits": {"payload": 1}},
        {"secret": {"name": "orders-nats", "key": "other"}},
        {"secret": {"name": "other"}},
        {"secret": {"name": "orders-nats", "namespace": "other"}},
    ],
)
def test_what_is_made_into_credentials_renews_once(asked: Asked, spec: dict[str, object]) -> None:
    asked.run()
    asked.spec |= spec

    second, third = asked.run(), asked.run()

    assert second.numbers == [1, 2]
    assert second == third


def annotations_of(ran: Ran) -> JsonObject:
    """Return the annotations of the template."""
    template = Fields(ran.sealed or {}).section("spec").section("template")
    return template.section("metadata").mapping("annotations")


def test_a_secret_that_a_person_handed_over_is_taken_over(asked: Asked) -> None:
    asked.spec["secret"] = {"name": "orders-nats", "mode": "take-over"}

    assert annotations_of(asked.run()) == {"sealedsecrets.bitnami.com/managed": "true"}


def test_a_changed_mode_needs_a_look_and_renews_nothing(asked: Asked) -> None:
    first = asked.run()
    asked.spec["secret"] = {"name": "orders-nats", "mode": "patch"}
    with pytest.raises(OutputRefusedError, match=r"spec\.secret\.seen"):
        asked.run()
    asked.spec["secret"] = {"name": "orders-nats", "mode": "patch", "seen": ["patch"]}

    second = asked.run()

    assert annotations_of(second) == {"sealedsecrets.bitnami.com/patch": "true"}
    assert second.creds == first.creds
    assert second.numbers == [1]


def test_kubeseal_seals_the_credentials_where_the_promise_says_so(asked: Asked) -> None:
    asked.variables["TROTH_SEALER"] = str(require("kubeseal"))

    first = asked.run()

    assert "NATS USER JWT" in first.creds
    assert asked.run().sealed == first.sealed


def test_a_kubeseal_that_is_missing_is_said_before_a_user_is_made(asked: Asked) -> None:
    asked.variables["TROTH_SEALER"] = "/nowhere/kubeseal"

    with pytest.raises(NotServedError, match="/nowhere/kubeseal that is to seal was not found"):
        asked.run()


def test_no_secret_is_written_or_said(asked: Asked) -> None:
    ran = asked.run()
    seed = ran.creds.split("-----BEGIN USER NKEY SEED-----")[1].split()[0]

    for secret in (seed, *SECRETS.values()):
        assert secret not in ran.text
        assert secret not in repr(ran.status)


def test_a_rehearsal_says_what_would_be_done_and_leaves_no_state(asked: Asked) -> None:
    ran = asked.run(effects="recall")

    assert ran.control["effects"] == ["make the NATS user shop.orders-g1 of account apps"]
    assert ran.numbers == []
    assert "(known after apply)" in ran.text


def test_other_clocks_and_seeds_change_nothing_once_it_is_made(asked: Asked) -> None:
    first = asked.run()
    later = replace(asked, now=asked.now + timedelta(days=2), count=40)

    again = later.run()

    assert (again.sealed, again.status) == (first.sealed, first.status)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nats.example.com:4222", "an address such as tls://"),
        ("https://nats.example.com", "an address such as tls://"),
        ("tls://", "an address such as tls://"),
        ("tls://a:99999", "an address such as tls://"),
        ("tls://a:4222,tls://b:4222", "an address such as tls://"),
        ("tls://user:hidden@a:4222", "an address names no user"),
    ],
)
@pytest.mark.parametrize("provider", ["operator", "synadia"])
def test_an_address_of_servers_is_checked_and_not_quoted(
    asked: Asked, fake: FakeSynadia, provider: str, address: str, said: str
) -> None:
    servers = {"servers": ["tls://fine.example.com:4222", address]}
    made = operator_account() if provider == "operator" else synadia_account(fake)
    asked.accounts["apps"] = {**made, **servers}

    message = message_of(asked)

    assert message.startswith("NATS_ACCOUNTS.apps.servers: of the servers, number 2")
    assert said in message
    assert "hidden" not in message


def test_nothing_beyond_the_next_generation_is_ended(asked: Asked) -> None:
    asked.run()
    asked.spec["rotation"] = {"revokeBefore": 3}

    assert message_of(asked).startswith(
        "spec.rotation.revokeBefore: 3 is beyond the next generation; the newest is 1"
    )


def test_where_no_state_is_left_the_request_alone_says_the_number(asked: Asked) -> None:
    asked.spec["rotation"] = {"revokeBefore": 7}

    assert asked.run().numbers == [7]
