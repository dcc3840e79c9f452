"""Connecting to NATS servers as one user, for as long as one piece of work takes.

The seam to nats-py: its exceptions end here. Credentials come as text and stay in memory; no file
is written. A connection that is to be encrypted is never used in plain text: nats-py itself would,
if a server, or somebody in between, offers no TLS.
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client

from troth.errors import (
    InvalidInputError,
    NotServedError,
    PermanentError,
    Reason,
    TransientError,
    TrothError,
    shorten,
)
from troth_pipelines.nats.creds import Credentials

__all__ = ["Servers", "connect"]

# What nats-py speaks without another library: no WebSocket.
_PLAIN, _ENCRYPTED = "nats", "tls"
_QUOTE_LIMIT = 200  # characters of a server's own words that a message quotes
_SECONDS = 5  # that connecting, or an answer, may take
_PARTING = 1  # second that closing a connection may take


class _DowngradeError(Exception):
    """The server does not encrypt, although the address says that it does."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a NATS system, and who connects.

    Attributes:
        urls: such as ``tls://nats.example.com:4222``; one of them has to answer.
        credentials: of the user.
        ca: certificates in PEM that vouch for the servers; those of the machine when None. With
            them, connections are encrypted whatever the scheme.
        patience: seconds that connecting, or one answer, may take.

    Raises:
        InvalidInputError: an address is none, or holds a login; or `ca` holds no certificate.
    """

    urls: tuple[str, ...]
    credentials: Credentials
    ca: str | None = field(default=None, repr=False)
    patience: int = _SECONDS

    def __post_init__(self) -> None:
        """Check the addresses and the certificates."""
        if not self.urls:
            raise InvalidInputError(Reason.INVALID_OBJECT, "no address of a NATS server is given.")
        for url in self.urls:
            _check_address(url)
        self.trust()

    def trust(self) -> ssl.SSLContext:
        """Return how servers are verified."""
        message = "the CA certificates for the NATS servers cannot be read; give them in PEM."
        if self.ca is not None and not self.ca.strip():
            # Python would trust the machine's instead.
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        try:
            return ssl.create_default_context(cadata=self.ca)
        except (ssl.SSLError, ValueError, TypeError):
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message) from None

    @property
    def must_encrypt(self) -> bool:
        """Whether plain text is refused."""
        return self.ca is not None or any(urlsplit(url).scheme == _ENCRYPTED for url in self.urls)

    def __str__(self) -> str:
        """Return them as messages name them."""
        return ", ".join(self.urls)


@asynccontextmanager
async def connect(servers: Servers) -> AsyncGenerator[Client, None]:
    """Connect until the end of the block.

    Raises:
        TransientError: no server answered, or it broke off.
        InvalidInputError: the server does not let the user in.
        NotServedError: the server refused something for another reason.
        PermanentError: the server is not trusted.
    """
    client = Client()
    heard: list[Exception] = []
    try:
        await _enter(client, servers, heard)
        yield client
    except (nats.errors.Error, OSError, TimeoutError, _DowngradeError) as error:
        # Why a server closed a connection stands in `last_error` alone.
        told = [] if client.last_error is None else [client.last_error]
        raise _translate(servers, [*told, *heard, error]) from None
    finally:
        await _part(client)


async def _enter(client: Client, servers: Servers, heard: list[Exception]) -> None:
    async def hear(error: Exception) -> None:
        heard.append(error)

    try:
        async with asyncio.timeout(2 * servers.patience):
            await client.connect(
                list(servers.urls),
                error_cb=hear,
                allow_reconnect=False,
                connect_timeout=servers.patience,
                max_reconnect_attempts=1,  # 0 would be taken for endless attempts
                reconnect_time_wait=0,
                dont_randomize=True,
                tls=servers.trust() if servers.must_encrypt else None,
                signature_cb=lambda nonce: _sign(client, servers, nonce),
                user_jwt_cb=lambda: bytearray(servers.credentials.jwt.encode()),
            )
    except (nats.errors.Error, OSError, TimeoutError, _DowngradeError):
        raise
    except Exception as error:  # noqa: BLE001  (nats-py raises what comes when no server answers it)
        message = f"what answers at {servers} is no NATS server ({type(error).__name__})."
        raise TransientError(Reason.PROVIDER_UNREACHABLE, message) from None


async def _part(client: Client) -> None:
    # After a TLS handshake that failed, nats-py would wait for ever for an end that has been.
    with suppress(TimeoutError):
        async with asyncio.timeout(_PARTING):
            await client.close()


def _sign(client: Client, servers: Servers, nonce: str) -> bytes:
    # nats-py has switched to TLS by now if the server asked for it, and not else; it offers no
    # other way to know.
    info: object = vars(client).get("_server_info")
    if servers.must_encrypt and not (isinstance(info, dict) and info.get("tls_required")):
        raise _DowngradeError
    return base64.b64encode(servers.credentials.key.sign(nonce.encode()))


def _translate(servers: Servers, errors: list[Exception]) -> TrothError:
    """Say who must act; the last of the errors that tell something counts."""
    for error in reversed(errors):
        if isinstance(error, _DowngradeError):
            message = f"NATS at {servers} offers no TLS; nothing was sent in plain text."
            return PermanentError(Reason.HOST_NOT_TRUSTED, message)
        if isinstance(error, ssl.SSLCertVerificationError):
            said = shorten(error.verify_message, _QUOTE_LIMIT)
            message = f"NATS at {servers} shows a certificate that is not trusted: {said}"
            return PermanentError(Reason.HOST_NOT_TRUSTED, message)
        words = shorten(str(error).removeprefix("nats: ").strip("'\" "), _QUOTE_LIMIT)
        if any(word in words.lower() for word in ("authoriz", "authentic", "revoked")):
            message = f"NATS at {servers} does not let {_who(servers)} in: {words}"
            return InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        if "permissions violation" in words.lower():
            message = f"NATS at {servers} forbids it to {_who(servers)}: {words}"
            return NotServedError(Reason.PROVIDER_REFUSED, message)
    last = errors[-1]
    words = shorten(str(last), _QUOTE_LIMIT) or type(last).__name__
    message = f"NATS at {servers} does not answer: {words}"
    return TransientError(Reason.PROVIDER_UNREACHABLE, message)


def _who(servers: Servers) -> str:
    claims = servers.credentials.claims
    return f"user {claims.name!r} ({claims.subject})"


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    # What is wrong may hold a password: nothing of it is quoted.
    if parts is None or "@" in parts.netloc:
        message = "an address of a NATS server cannot be read, or holds a login; leave that out."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if not host or parts.scheme not in {_PLAIN, _ENCRYPTED}:
        message = f"{shorten(url, _QUOTE_LIMIT)!r} is no address such as tls://nats.example.com."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
