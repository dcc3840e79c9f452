"""A real server lets real clients do what they were granted, no more, and no longer."""

import time
from collections.abc import Callable
from datetime import timedelta

import nats.errors
import pytest
from support.nats_client import PATIENCE, connect_nats
from support.nats_server import NatsServer
from support.nats_system import TestAccount, raw_key

from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.limits import ConnectionType, Hours, Limits
from troth_pipelines.nats.minting import Generation, mint
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.users import Grant

Change = Callable[[str], str]

ALL = Grant()
SOME = Grant(
    Permissions(
        publish=SubjectRules(("orders.>", "_INBOX.>"), ("orders.secret.>",)),
        subscribe=SubjectRules(("orders.*", "work.> crew", "_INBOX.>"), ("orders.none",)),
    )
)


@pytest.fixture
def orders(shared_server: NatsServer) -> TestAccount:
    return shared_server.system.accounts["orders"]


def creds(
    account: TestAccount,
    grant: Grant | None = ALL,
    *,
    signer: str = "identity",
    user: str = "app",
    number: int = 1,
    issued: int = 0,
    seconds: int = 3600,
) -> str:
    """Mint; `issued` counts from now."""
    begin = int(time.time()) + issued
    raw = raw_key(f"{account.name} {user} {number}")
    generation = Generation(user, number, raw, begin, begin + seconds, grant)
    return mint(generation, account.signer(signer)).creds


@pytest.mark.parametrize("signer", ["identity", "signing"])
def test_a_client_with_minted_creds_speaks(
    shared_server: NatsServer, orders: TestAccount, signer: str
) -> None:
    with connect_nats(shared_server.url, creds(orders, signer=signer)) as client:
        heard = client.subscribe("any.thing")
        client.publish("any.thing", b"hello")

        assert heard.next() == b"hello"
        assert client.errors == []


def test_a_client_may_publish_what_it_is_allowed(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    everything = creds(orders, user="listener")
    with (
        connect_nats(shared_server.url, everything) as listener,
        connect_nats(shared_server.url, creds(orders, SOME)) as client,
    ):
        heard = listener.subscribe("orders.>")
        client.publish("orders.secret.one", b"denied")
        client.publish("invoices.one", b"not allowed")
        client.publish("orders.made", b"allowed")

        assert heard.next() == b"allowed"
        assert heard.waiting == 0
        assert [error.lower() for error in client.errors] == [
            'nats: permissions violation for publish to "orders.secret.one"',
            'nats: permissions violation for publish to "invoices.one"',
        ]


@pytest.mark.parametrize(
    ("subject", "queue", "allowed"),
    [
        ("orders.made", "", True),
        ("orders.none", "", False),
        ("orders.made.now", "", False),
        ("invoices.one", "", False),
        ("work.a", "crew", True),
        ("work.a", "others", False),
        ("work.a", "", False),
    ],
)
def test_a_client_may_subscribe_to_what_it_is_allowed(
    shared_server: NatsServer, orders: TestAccount, subject: str, queue: str, allowed: bool
) -> None:
    with connect_nats(shared_server.url, creds(orders, SOME)) as client:
        client.subscribe(subject, queue)

        denied = [error for error in client.errors if "for subscription" in error.lower()]
        assert denied == client.errors
        assert len(denied) == (0 if allowed else 1)


def test_accounts_do_not_hear_each_other(shared_server: NatsServer, orders: TestAccount) -> None:
    billing = shared_server.system.accounts["billing"]
    with (
        connect_nats(shared_server.url, creds(orders)) as ours,
        connect_nats(shared_server.url, creds(billing)) as theirs,
    ):
        heard = theirs.subscribe(">")
        ours.publish("any.thing", b"ours")
        theirs.publish("any.thing", b"theirs")

        assert heard.next() == b"theirs"
        assert heard.waiting == 0


def test_one_who_may_only_answer_answers(shared_server: NatsServer, orders: TestAccount) -> None:
    grant = Grant(
        Permissions(
            subscribe=SubjectRules(("ask",)), responses=ResponseLimit(1, timedelta(minutes=1))
        )
    )
    with (
        connect_nats(shared_server.url, creds(orders, grant, user="answerer")) as answerer,
        connect_nats(shared_server.url, creds(orders)) as client,
    ):
        answerer.answer("ask", b"42")

        assert client.request("ask") == b"42"
        answerer.publish("elsewhere")
        assert len(answerer.errors) == 1


def test_a_scoped_key_lets_its_users_do_what_its_template_says(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    scoped = creds(orders, None, signer="scoped", user="app", number=7)
    with connect_nats(shared_server.url, scoped) as client:
        heard = client.subscribe("scoped.app-g7.in")
        client.publish("scoped.app-g7.in", b"own")
        client.publish("scoped.other-g1.in", b"another's")

        assert heard.next() == b"own"
        assert len(client.errors) == 1


def test_a_message_that_is_too_large_ends_the_connection(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    small = creds(orders, Grant(limits=Limits(payload=10)))
    with connect_nats(shared_server.url, small) as client:
        client.publish("a", b"ten bytes.")
        client.publish("a", b"eleven bytes", wait=False)

        assert client.ended.wait(PATIENCE)
        assert "maximum payload violation" in client.last_error.lower()


def test_a_subscription_too_many_ends_the_connection(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    few = creds(orders, Grant(limits=Limits(subscriptions=1)))
    with connect_nats(shared_server.url, few) as client:
        client.subscribe("a")
        client.subscribe("b", wait=False)

        assert client.ended.wait(PATIENCE)
        assert "maximum subscriptions exceeded" in client.last_error.lower()


@pytest.mark.parametrize(
    "limits",
    [
        Limits(connection_types=(ConnectionType.WEBSOCKET,)),
        Limits(sources=("192.0.2.0/24",)),
        Limits(hours=(Hours("00:00:00", "00:00:00"),)),
    ],
    ids=["connection type", "source", "hours"],
)
def test_who_comes_another_way_than_granted_is_not_let_in(
    shared_server: NatsServer, orders: TestAccount, limits: Limits
) -> None:
    with (
        pytest.raises(nats.errors.Error, match=r"(?i)authorization violation"),
        connect_nats(shared_server.url, creds(orders, Grant(limits=limits))),
    ):
        pass


def test_a_client_within_its_limits_is_let_in(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    limits = Limits(
        subscriptions=3,
        data=10_000,
        payload=100,
        sources=("127.0.0.0/8",),
        hours=(Hours("00:00:00", "23:59:59"),),
        time_zone="UTC",
        connection_types=(ConnectionType.STANDARD,),
    )
    with connect_nats(shared_server.url, creds(orders, Grant(limits=limits))) as client:
        heard = client.subscribe("a")
        client.publish("a", b"x" * 100)

        assert len(heard.next()) == 100


def test_the_server_ends_a_connection_when_its_credentials_end(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    with connect_nats(shared_server.url, creds(orders, seconds=2)) as client:
        assert client.ended.wait(PATIENCE)
        assert "expired" in client.last_error.lower()


def test_credentials_that_have_ended_let_nobody_in(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    ended = creds(orders, issued=-60, seconds=50)

    with (
        pytest.raises(nats.errors.Error, match=r"(?i)expired|authorization"),
        connect_nats(shared_server.url, ended),
    ):
        pass


def test_two_generations_are_connected_side_by_side(
    shared_server: NatsServer, orders: TestAccount
) -> None:
    first, second = creds(orders, number=1), creds(orders, number=2)
    with (
        connect_nats(shared_server.url, first) as old,
        connect_nats(shared_server.url, second) as new,
    ):
        heard = old.subscribe("to.old")
        new.publish("to.old", b"from new")

        assert heard.next() == b"from new"
        assert old.errors == new.errors == []


def changed(text: str) -> str:
    """Widen what the JWT says, and keep its signature."""
    read = Credentials.parse(text)
    head, _, signature = read.jwt.split(".")
    stolen = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("thief"))
    nats_claims = {**read.claims.nats, "payload": -1, "name": "admin"}
    body = encode({**read.claims.raw, "nats": nats_claims}, stolen).split(".")[1]
    return text.replace(read.jwt, f"{head}.{body}.{signature}")


def stranger(text: str) -> str:
    """Sign the same claims with a key that the account does not have."""
    read = Credentials.parse(text)
    thief = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("thief"))
    return text.replace(read.jwt, encode(read.claims.raw, thief))


def other_account(text: str) -> str:
    """Let a key of one account sign for the other."""
    read = Credentials.parse(text)
    account = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("account billing"))
    named = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("account orders")).public_key
    claims = {**read.claims.raw, "nats": {**read.claims.nats, "issuer_account": named}}
    return text.replace(read.jwt, encode(claims, account))


def other_seed(text: str) -> str:
    """Put another user's seed beside the JWT."""
    other = KeyPair.from_bytes(KeyKind.USER, raw_key("somebody else")).seed
    return text.replace(Credentials.parse(text).key.seed, other)


def with_permission(text: str) -> str:
    """Give a user of a scoped key a limit of its own, were it -1."""
    read = Credentials.parse(text)
    scoped = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("scoped orders"))
    account = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("account orders")).public_key
    claims = {**read.claims.nats, "issuer_account": account}
    return text.replace(read.jwt, encode({**read.claims.raw, "nats": claims}, scoped))


@pytest.mark.parametrize("change", [changed, stranger, other_account, other_seed, with_permission])
def test_forged_credentials_let_nobody_in(
    shared_server: NatsServer, orders: TestAccount, change: Change
) -> None:
    forged = change(creds(orders))

    with (
        pytest.raises(nats.errors.Error, match=r"(?i)authorization violation"),
        connect_nats(shared_server.url, forged),
    ):
        pass
