"""Servers are verified, what they refuse is said, and nothing secret is said or left behind."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.certificates import Certificates, ServerCertificate
from support.nats_client import PATIENCE, connect_nats
from support.nats_server import NatsServer, serve_nats
from support.nats_system import BORN, TestSystem, raw_key

from troth.errors import InvalidInputError, PermanentError, Reason, TransientError, TrothError
from troth_pipelines.nats.connecting import Servers, connect
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.minting import Generation, mint
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.revoking import AccountWriter
from troth_pipelines.nats.users import Grant, User, sign_user

SYSTEM = TestSystem()
CREDS = Credentials.parse(SYSTEM.system_creds())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NatsServer]:
    folder = tmp_path_factory.mktemp("encrypted")
    with serve_nats(folder, SYSTEM, tls=certificates.good) as server:
        yield server


def ask(servers: Servers) -> None:
    """Do the least that needs a connection."""
    account = SYSTEM.accounts["orders"].public_key
    AccountWriter(servers, account, SYSTEM.operator_signing).missing({})


def failure(servers: Servers) -> TrothError:
    with pytest.raises(TrothError) as caught:
        ask(servers)
    assert CREDS.key.seed not in caught.value.message
    assert CREDS.jwt not in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def servers(url: str, credentials: Credentials = CREDS, ca: str | None = None) -> Servers:
    return Servers((url,), credentials, ca, patience=2)


@pytest.mark.parametrize("scheme", ["tls", "nats"])
def test_a_server_is_trusted_by_the_ca_that_is_given(
    encrypted: NatsServer, certificates: Certificates, scheme: str
) -> None:
    ask(servers(f"{scheme}://127.0.0.1:{encrypted.port}", ca=certificates.bundle.read_text()))


def test_a_user_connects_over_tls(encrypted: NatsServer, certificates: Certificates) -> None:
    now = int(time.time())
    generation = Generation("app", 1, raw_key("tls"), now, now + 60, Grant())
    creds = mint(generation, SYSTEM.accounts["orders"].signer()).creds
    trust = ssl.create_default_context(cafile=str(certificates.bundle))

    with connect_nats(encrypted.url, creds, tls=trust) as client:
        assert client.is_connected


def test_without_its_ca_a_server_is_not_trusted(encrypted: NatsServer) -> None:
    error = failure(servers(encrypted.url))

    assert isinstance(error, PermanentError)
    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert "certificate that is not trusted" in error.message


@pytest.mark.parametrize("which", ["expired", "other_host", "other_authority"])
def test_a_certificate_that_proves_nothing_is_not_trusted(
    tmp_path: Path, certificates: Certificates, which: str
) -> None:
    shown: ServerCertificate = getattr(certificates, which)
    with serve_nats(tmp_path, SYSTEM, tls=shown) as server:
        error = failure(servers(server.url, ca=certificates.bundle.read_text()))

    assert error.reason is Reason.HOST_NOT_TRUSTED


@pytest.mark.parametrize(("scheme", "with_ca"), [("tls", False), ("tls", True), ("nats", True)])
def test_a_connection_that_is_to_be_encrypted_is_never_plain(
    shared_server: NatsServer, certificates: Certificates, scheme: str, with_ca: bool
) -> None:
    ca = certificates.bundle.read_text() if with_ca else None

    error = failure(servers(f"{scheme}://127.0.0.1:{shared_server.port}", ca=ca))

    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert "offers no TLS; nothing was sent in plain text" in error.message


def test_one_server_that_answers_is_enough(shared_server: NatsServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dead = f"nats://127.0.0.1:{listening.getsockname()[1]}"

    ask(Servers((dead, shared_server.url), CREDS, patience=5))


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        error = failure(servers(f"nats://127.0.0.1:{listening.getsockname()[1]}"))

    assert isinstance(error, TransientError)
    assert error.reason is Reason.PROVIDER_UNREACHABLE


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"INFO {\r\n", b"INFO 1\r\n", b"\0" * 100_000, b""],
    ids=["another protocol", "no JSON", "no object", "rubbish", "nothing"],
)
def test_what_is_no_nats_server_is_given_up(said: bytes) -> None:
    def serve(listening: socket.socket) -> None:
        with suppress(OSError):  # the client, or the test, has gone
            while True:
                client, _ = listening.accept()
                with client:
                    client.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        try:
            error = failure(servers(f"nats://127.0.0.1:{listening.getsockname()[1]}"))
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()

    assert error.reason is Reason.PROVIDER_UNREACHABLE


def stranger() -> Credentials:
    """Credentials of an account that the servers do not know."""
    key = KeyPair.from_bytes(KeyKind.USER, raw_key("stranger"))
    account = SYSTEM.accounts["orders"].signer()
    thief = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("thief"))
    forged = type(account)(account.account, thief)
    return Credentials.of(sign_user(User("x", key.public_key, BORN, None, Grant()), forged), key)


def ended() -> Credentials:
    """Credentials of the right account that have ended."""
    key = KeyPair.from_bytes(KeyKind.USER, raw_key("ended"))
    user = User("x", key.public_key, BORN, BORN + 1, Grant())
    return Credentials.of(sign_user(user, SYSTEM.system.signer()), key)


@pytest.mark.parametrize("credentials", [stranger(), ended()], ids=["stranger", "ended"])
def test_credentials_that_servers_refuse_are_a_persons_task(
    shared_server: NatsServer, credentials: Credentials
) -> None:
    error = failure(servers(shared_server.url, credentials))

    assert isinstance(error, InvalidInputError)
    assert error.reason is Reason.INVALID_CREDENTIALS
    assert "does not let user 'x'" in error.message
    assert credentials.key.seed not in error.message


def test_why_a_server_ends_a_connection_is_said(shared_server: NatsServer) -> None:
    key = KeyPair.from_bytes(KeyKind.USER, raw_key("ending"))
    soon = int(time.time()) + 2
    user = User("x", key.public_key, BORN, soon, Grant())
    ending = Credentials.of(sign_user(user, SYSTEM.system.signer()), key)

    async def stay() -> None:
        async with connect(servers(shared_server.url, ending)) as client:
            while not client.is_closed:  # noqa: ASYNC110  (nats-py has no event for it)
                await asyncio.sleep(0.02)
            await client.request("$SYS.REQ.SERVER.PING")

    with pytest.raises(InvalidInputError, match=r"(?i)does not let user 'x'.*expired"):
        asyncio.run(asyncio.wait_for(stay(), PATIENCE))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nats://user:hunter2@example.com:4222", "cannot be read, or holds a login"),
        ("nats://hunter2@example.com", "cannot be read, or holds a login"),
        ("nats://example.com:hunter2", "cannot be read, or holds a login"),
        ("nats://[hunter2", "cannot be read, or holds a login"),
        ("example.com:4222", "is no address such as"),
        ("http://example.com", "is no address such as"),
        ("wss://example.com", "is no address such as"),
        ("nats://", "is no address such as"),
        ("", "is no address such as"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_login(url: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Servers((url,), CREDS)

    assert words in caught.value.message
    assert "hunter2" not in caught.value.message


def test_an_address_is_needed() -> None:
    with pytest.raises(InvalidInputError, match="no address"):
        Servers((), CREDS)


@pytest.mark.parametrize(
    "ca",
    ["", " \n", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "\ud800"],
)
def test_a_ca_that_is_none_is_refused(ca: str) -> None:
    with pytest.raises(InvalidInputError, match="CA certificates for the NATS servers cannot be"):
        Servers(("nats://example.com",), CREDS, ca)


def test_servers_do_not_show_what_is_secret() -> None:
    shown = repr(Servers(("nats://example.com",), CREDS))

    assert CREDS.key.seed not in shown
    assert CREDS.jwt not in shown


def test_no_credentials_are_left_in_a_file(
    shared_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    ask(servers(shared_server.url))

    assert list(tmp_path.rglob("*")) == []
