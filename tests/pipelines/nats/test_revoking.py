"""What is revoked stays out, whoever else changes the account, and nothing else of it changes."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nats.errors
import pytest
from support.nats_client import PATIENCE, connect_nats
from support.nats_server import NatsServer, serve_nats
from support.nats_system import BORN, TestAccount, TestSystem, raw_key

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError, NotServedError, Reason, TransientError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.minting import Generation, Minted, mint
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.permissions import Permissions, SubjectRules
from troth_pipelines.nats.revoking import AccountWriter
from troth_pipelines.nats.users import Grant

TESTS = Path(__file__).parents[2]


def user(name: str) -> str:
    return KeyPair.from_bytes(KeyKind.USER, raw_key(name)).public_key


OLD = {"revocations": {user("long gone"): BORN + 5, user("lately"): BORN + 1000}}
UNKNOWN: JsonObject = {"invented": {"by": ["others"]}, "description": "of the orders"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    system = TestSystem(more={**UNKNOWN, **OLD})
    with serve_nats(tmp_path / "nats", system) as running:
        yield running


def writer(
    server: NatsServer,
    *,
    creds: str | None = None,
    key: KeyPair | None = None,
    longest: int | None = None,
) -> AccountWriter:
    system = server.system
    credentials = Credentials.parse(creds or system.system_creds())
    return AccountWriter(
        Servers((server.url,), credentials, patience=3),
        system.accounts["orders"].public_key,
        key or system.operator_signing,
        longest,
    )


def account_of(server: NatsServer) -> Account:
    """Read what the server has stored, behind everybody's back."""
    public = server.system.accounts["orders"].public_key
    path = server.accounts / f"{public}.jwt"
    return Account.parse(path.read_text(encoding="utf-8"), public)


def minted(account: TestAccount, number: int) -> Minted:
    now = int(time.time())
    raw = raw_key(f"revoked {number}")
    return mint(Generation("app", number, raw, now, now + 3600, Grant()), account.signer())


def test_who_is_revoked_is_cut_off_and_stays_out_while_the_next_generation_works(
    server: NatsServer,
) -> None:
    account = server.system.accounts["orders"]
    first, second = minted(account, 1), minted(account, 2)
    now = int(time.time())

    with (
        connect_nats(server.url, first.creds) as old,
        connect_nats(server.url, second.creds) as new,
    ):
        assert writer(server).revoke({first.public_key: now}, now)

        assert old.ended.wait(PATIENCE)
        with (
            pytest.raises(nats.errors.Error, match=r"(?i)authorization violation|revoked"),
            connect_nats(server.url, first.creds),
        ):
            pass
        heard = new.subscribe("still.there")
        new.publish("still.there", b"yes")
        assert heard.next() == b"yes"
    with connect_nats(server.url, second.creds) as again:
        assert again.is_connected


def test_a_client_goes_on_with_new_credentials(server: NatsServer) -> None:
    account = server.system.accounts["orders"]
    first, second = minted(account, 1), minted(account, 2)
    now = int(time.time())
    with connect_nats(server.url, first.creds) as old:
        writer(server).revoke({first.public_key: now}, now)
        assert old.ended.wait(PATIENCE)
    with connect_nats(server.url, second.creds) as new:
        assert new.is_connected


def test_nothing_but_revocations_and_date_of_the_account_changes(server: NatsServer) -> None:
    before = account_of(server).claims.raw

    writer(server).revoke({user("a"): BORN}, BORN + 50)

    after = account_of(server)
    assert without_revocations(after.claims.raw) == without_revocations(before)
    assert after.claims.nats["invented"] == UNKNOWN["invented"]
    assert after.revocations == {**OLD["revocations"], user("a"): BORN}
    assert after.claims.issued == BORN + 50


def without_revocations(claims: JsonObject) -> dict[str, Json]:
    nats_claims = claims["nats"]
    assert isinstance(nats_claims, dict)
    rest = {key: value for key, value in nats_claims.items() if key != "revocations"}
    return {key: value for key, value in claims.items() if key not in {"jti", "iat"}} | {
        "nats": rest
    }


def test_what_is_revoked_already_is_not_pushed_again(server: NatsServer) -> None:
    assert writer(server).revoke({user("a"): BORN}, BORN + 50)
    before = account_of(server).jwt

    assert not writer(server).revoke({user("a"): BORN}, BORN + 60)
    assert not writer(server).revoke({user("a"): BORN - 1}, BORN + 60)
    assert account_of(server).jwt == before


def test_revocations_older_than_the_longest_lifetime_are_dropped(server: NatsServer) -> None:
    writer(server, longest=100).revoke({user("a"): BORN + 1050}, BORN + 1060)

    assert account_of(server).revocations == {
        user("lately"): BORN + 1000,
        user("a"): BORN + 1050,
    }


def test_without_a_longest_lifetime_every_revocation_stays(server: NatsServer) -> None:
    writer(server).revoke({user("a"): BORN}, BORN + 10**9)

    assert account_of(server).revocations.keys() >= OLD["revocations"].keys()


def test_what_the_account_lost_is_found_missing(server: NatsServer) -> None:
    ours = {user("a"): BORN, user("b"): BORN + 1}
    writer(server).revoke({user("a"): BORN, user("b"): BORN}, BORN + 50)

    assert writer(server).missing(ours) == {user("b"): BORN + 1}
    assert writer(server).missing({}) == {}


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_revoke_at_the_same_time_all_get_it(
    server: NatsServer, processes: int
) -> None:
    users = [[user(f"{number} {one}") for one in range(4)] for number in range(processes)]
    now = int(time.time())
    running = [revoker(server, theirs, now) for theirs in users]

    for one in running:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said

    expected = {one for theirs in users for one in theirs}
    assert account_of(server).revocations.keys() >= expected


def revoker(server: NatsServer, users: Sequence[str], now: int) -> subprocess.Popen[str]:
    system = server.system
    orders = {
        "url": server.url,
        "creds": system.system_creds(),
        "account": system.accounts["orders"].public_key,
        "seed": system.operator_signing.seed,
        "users": users,
        "now": now,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "support.nats_revoker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders))
    process.stdin.flush()
    process.stdin.close()
    process.stdin = None
    return process


def test_a_change_that_somebody_else_keeps_pushing_survives(server: NatsServer) -> None:
    # Somebody who never looks pushes the same old JWT with other limits, over and over.
    system, public = server.system, server.system.accounts["orders"].public_key
    stale = Account.parse(system.accounts["orders"].jwt, public)
    nats_claims = {**stale.claims.nats, "description": "of somebody else"}
    ended = threading.Event()

    def push() -> None:
        with connect_nats(server.url, system.system_creds("other")) as other:
            for number in range(20):
                claims = {**stale.claims.raw, "iat": BORN + 1000 + number, "nats": nats_claims}
                jwt = encode(claims, system.operator_signing)
                other.request("$SYS.REQ.CLAIMS.UPDATE", jwt.encode())
        ended.set()

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        users = {user(str(number)): BORN for number in range(5)}
        while not ended.is_set():
            writer(server).revoke(users, BORN + 50)
        writer(server).revoke(users, BORN + 50)
    finally:
        pushing.join(PATIENCE)

    after = account_of(server)
    assert after.revokes(users)
    assert after.claims.nats["description"] == "of somebody else"


def test_a_key_that_servers_do_not_trust_signs_nothing(server: NatsServer) -> None:
    before = account_of(server).jwt
    thief = KeyPair.from_bytes(KeyKind.OPERATOR, raw_key("thief"))

    with pytest.raises(InvalidInputError, match="do not trust the operator's key") as caught:
        writer(server, key=thief).revoke({user("a"): BORN}, BORN + 50)

    assert caught.value.reason is Reason.INVALID_CREDENTIALS
    assert account_of(server).jwt == before


def test_where_only_signing_keys_count_the_operators_own_signs_nothing(tmp_path: Path) -> None:
    with serve_nats(tmp_path, TestSystem(strict=True)) as server:
        with pytest.raises(InvalidInputError, match="do not trust the operator's key"):
            writer(server, key=server.system.operator).revoke({user("a"): BORN}, BORN + 50)

        assert writer(server).revoke({user("a"): BORN}, BORN + 50)


@pytest.mark.parametrize(
    ("account", "key", "words"),
    [
        (user("a"), TestSystem().operator, "the public key of an account"),
        (
            TestSystem().accounts["orders"].public_key,
            TestSystem().accounts["orders"].identity,
            "the public key of an operator",
        ),
    ],
)
def test_an_operator_writes_an_account(account: str, key: KeyPair, words: str) -> None:
    credentials = Credentials.parse(TestSystem().system_creds())

    with pytest.raises(InvalidInputError, match=words):
        AccountWriter(Servers(("nats://example.com",), credentials), account, key)


def test_an_account_that_somebody_spoilt_is_not_signed_again(server: NatsServer) -> None:
    public = server.system.accounts["orders"].public_key
    thief = KeyPair.from_bytes(KeyKind.OPERATOR, raw_key("thief"))
    spoilt = account_of(server).sign({}, thief, BORN + 10)
    with connect_nats(server.url, server.system.system_creds("other")) as other:
        assert b'"code":200' in other.request("$SYS.REQ.CLAIMS.UPDATE", spoilt.encode())

    with pytest.raises(NotServedError, match=f"account {public} is signed by {thief.public_key}"):
        writer(server).revoke({user("a"): BORN}, BORN + 50)


def test_an_account_that_servers_do_not_take_is_said_with_their_words(tmp_path: Path) -> None:
    # Whoever made it did not push it: servers read at their start what they would not take.
    system = TestSystem(more={"description": "x" * 9000})
    with (
        serve_nats(tmp_path, system) as server,
        pytest.raises(NotServedError, match=r"(?s)refuses account.*validation failed") as caught,
    ):
        writer(server).revoke({user("a"): BORN}, BORN + 50)

    assert caught.value.reason is Reason.PROVIDER_REFUSED


def test_an_account_that_no_server_knows_is_said(server: NatsServer) -> None:
    unknown = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("unknown")).public_key
    asking = AccountWriter(writer(server).servers, unknown, server.system.operator)

    with pytest.raises(InvalidInputError, match=f"knows no account {unknown}"):
        asking.revoke({user("a"): BORN}, BORN)


def test_a_user_of_another_account_is_told_what_is_needed(server: NatsServer) -> None:
    creds = minted(server.system.accounts["orders"], 1).creds

    with pytest.raises(NotServedError, match="a user of the system account here") as caught:
        writer(server, creds=creds).revoke({user("a"): BORN}, BORN)

    assert caught.value.reason is Reason.PROVIDER_REFUSED


LEAST = Permissions(
    SubjectRules(
        (
            "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
            "$SYS.REQ.CLAIMS.UPDATE",
            "$SYS.REQ.SERVER.PING.VARZ",
        )
    ),
    SubjectRules(("_INBOX.>", "$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE")),
)


def test_the_rights_that_the_docs_show_are_these() -> None:
    """What the page says is what the tests below try on a server."""
    page = (TESTS.parent / "docs/operations.md").read_text()
    code = page.partition("RIGHTS = ")[2].partition("\nnow = ")[0]

    assert tuple(re.findall(r'"([$_][^"]+)"', code)) == (
        *LEAST.publish.allow,
        *LEAST.subscribe.allow,
    )
    table = page.partition("| subject | may | for |")[2].partition("\n\n")[0]
    assert all(f"`{subject}`" in table for subject in LEAST.publish.allow)
    assert all(f"`{subject}`" in table for subject in LEAST.subscribe.allow)


def test_the_fewest_permissions_that_are_named_are_enough(server: NatsServer) -> None:
    creds = server.system.system_creds("least", Grant(LEAST))

    assert writer(server, creds=creds).revoke({user("a"): BORN}, BORN + 50)


@pytest.mark.parametrize(
    ("side", "subject"),
    [
        *(("publish", subject) for subject in LEAST.publish.allow),
        *(("subscription", subject) for subject in LEAST.subscribe.allow),
    ],
)
def test_a_permission_that_is_missing_is_named(server: NatsServer, side: str, subject: str) -> None:
    sides = {"publish": LEAST.publish.allow, "subscription": LEAST.subscribe.allow}
    sides[side] = tuple(one for one in sides[side] if one != subject)
    less = Permissions(SubjectRules(sides["publish"]), SubjectRules(sides["subscription"]))
    creds = server.system.system_creds("less", Grant(less))

    with pytest.raises(NotServedError) as caught:
        writer(server, creds=creds).revoke({user("a"): BORN}, BORN)

    assert caught.value.reason is Reason.PROVIDER_REFUSED
    account = server.system.accounts["orders"].public_key
    named = subject.replace("*", account).removesuffix(">").lower()
    assert f'violation for {side} to "{named}' in caught.value.message.lower()


def test_a_server_that_takes_no_pushes_is_said(tmp_path: Path) -> None:
    with (
        serve_nats(tmp_path, TestSystem(), resolver="memory") as server,
        pytest.raises(NotServedError, match="a resolver of type full is needed there"),
    ):
        writer(server).revoke({user("a"): BORN}, BORN)


def test_a_server_that_is_down_is_tried_again_later(tmp_path: Path) -> None:
    with serve_nats(tmp_path, TestSystem()) as server:
        gone = writer(server)

    with pytest.raises(TransientError) as caught:
        gone.revoke({user("a"): BORN}, BORN)

    assert caught.value.reason is Reason.PROVIDER_UNREACHABLE
    assert server.url in caught.value.message


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[NatsServer, NatsServer]]:
    """Two servers that know of each other, each with accounts of its own."""
    system = TestSystem()
    with (
        serve_nats(tmp_path / "one", system, routes=()) as one,
        serve_nats(tmp_path / "two", system, routes=(one.route,)) as two,
    ):
        end = time.monotonic() + PATIENCE
        while not all("Route connection created" in each.log.read_text() for each in (one, two)):
            assert time.monotonic() < end
            time.sleep(0.02)
        yield one, two


def test_every_server_of_a_cluster_has_it(cluster: tuple[NatsServer, NatsServer]) -> None:
    one, two = cluster

    writer(one).revoke({user("a"): BORN}, BORN + 50)

    assert account_of(one).jwt == account_of(two).jwt
    assert account_of(two).revokes({user("a"): BORN})


def test_a_server_that_stayed_behind_is_brought_up_to_date(
    cluster: tuple[NatsServer, NatsServer],
) -> None:
    one, two = cluster
    public = one.system.accounts["orders"].public_key
    writer(one).revoke({user("a"): BORN}, BORN + 50)
    # As if the second had been down meanwhile, and has not yet heard of it.
    (two.accounts / f"{public}.jwt").write_text(one.system.accounts["orders"].jwt)

    assert writer(two).missing({user("a"): BORN}) == {user("a"): BORN}
    assert writer(two).revoke({user("a"): BORN}, BORN + 50)

    for each in cluster:
        assert account_of(each).revokes({user("a"): BORN})
    assert account_of(one).claims.issued == BORN + 51


def test_writers_at_two_servers_of_a_cluster_both_get_it(
    cluster: tuple[NatsServer, NatsServer],
) -> None:
    now = int(time.time())
    users = [[user(f"{number} {one}") for one in range(4)] for number in range(2)]
    running = [revoker(server, theirs, now) for server, theirs in zip(cluster, users, strict=True)]

    for one in running:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said

    expected = {one for theirs in users for one in theirs}
    for server in cluster:
        assert account_of(server).revocations.keys() >= expected
