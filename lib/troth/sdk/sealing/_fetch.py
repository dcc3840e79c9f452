"""One question to a host: bounded in time and size, verified, and never with a login in clear.

A loop of its own bounds the whole, since a host that sends a byte now and then would keep any limit
on single steps. Redirects are not followed: a token would go where nobody meant it to.
"""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from troth.errors import InvalidInputError, Reason, TransientError, TrothError, shorten
from troth.sdk.sealing._access import HttpAccess, without_query

__all__ = ["exchange", "fetch"]

_SIZE = 256 * 1024  # bytes of an answer; a bundle of certificates has some thousands
_TEXT_LIMIT = 300  # characters of a library's own words
_OK = 200
_REDIRECTS = range(300, 400)
_BUSY = frozenset({408, 425, 429, *range(500, 600)})


def fetch(url: str, access: HttpAccess) -> bytes:
    """Return what a host answers.

    Proxies are those of the environment, as for Git; not for this machine itself.

    Args:
        url: https, or http on this machine itself.
        access: whom to trust, and how to log in.

    Raises:
        InvalidInputError: the address may not be asked, the host is not trusted, or it refuses.
        TransientError: it does not answer, or not now.
    """
    status, body = exchange(url, access)
    if status != _OK:
        raise _refusal(url, status)
    if len(body) > _SIZE:
        message = (
            f"{without_query(url)} answers with more than {_SIZE} bytes; that is no certificate."
        )
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
    return body


def exchange(
    url: str, access: HttpAccess, sent: bytes | None = None, size: int = _SIZE
) -> tuple[int, bytes]:
    """Ask a host; return the status of its answer, and the answer as far as it was read.

    Args:
        url: as in `fetch`.
        access: whom to trust, and how to log in.
        sent: JSON to be posted; without it the address is only read.
        size: bytes of an answer that are wanted at most; a longer one is cut off behind these.

    Raises:
        InvalidInputError: the address may not be asked, or the host is not trusted.
        TransientError: it does not answer.
    """
    is_local = _refuse_unsafe(url, access)
    trust = None if urlsplit(url).scheme == "http" else _trust(access.ca)
    question = _ask(url, access, trust, _Question(sent, size, not is_local))
    # In a thread, since the caller's may have a loop that runs.
    with ThreadPoolExecutor(max_workers=1) as thread:
        try:
            return thread.submit(asyncio.run, question).result()
        except (TimeoutError, httpx.TimeoutException):
            text = f"{without_query(url)} did not answer within {access.limit:g} s."
            raise TransientError(Reason.CERTIFICATE_UNREACHABLE, text) from None
        except httpx.HTTPError as error:
            raise _failure(url, error) from None  # its request has the token


@dataclass(frozen=True, slots=True)
class _Question:
    """What is sent, how much of an answer is wanted, and whether through a proxy."""

    sent: bytes | None
    size: int
    trust_env: bool


async def _ask(
    url: str, access: HttpAccess, trust: ssl.SSLContext | None, question: _Question
) -> tuple[int, bytes]:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if access.token is not None:
        headers["Authorization"] = f"Bearer {access.token}"
    if question.sent is not None:
        headers["Content-Type"] = "application/json"
    verify = True if trust is None else trust
    method, trust_env = ("GET" if question.sent is None else "POST"), question.trust_env
    async with (
        asyncio.timeout(access.limit),
        httpx.AsyncClient(verify=verify, trust_env=trust_env, timeout=access.limit) as client,
        client.stream(method, url, headers=headers, content=question.sent) as response,
    ):
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > question.size:
                break
        return response.status_code, bytes(body)


def _refuse_unsafe(url: str, access: HttpAccess) -> bool:
    """Refuse an address that would tell a secret or believe anybody; tell if it is this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        message = (
            "the address of a sealing certificate is no URL: a host and perhaps a port and path."
        )
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message) from None
    if "@" in parts.netloc:
        message = f"the address of a sealing certificate on {host} has a login in it; leave it out."
        raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
    if not host or parts.scheme not in {"http", "https"}:
        message = f"{without_query(url)!r} is no address: https://HOST/PATH is needed."
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
    is_local = _is_loopback(host)
    if parts.scheme == "http" and (not is_local or access.token is not None):
        message = (
            f"{without_query(url)} is asked over https alone: over plain http anybody on the way "
            "could put a certificate of his own in its place, or read the token. Give an https "
            "address, go through the API server's service proxy, or forward the port to this "
            "machine."
        )
        raise InvalidInputError(Reason.HOST_NOT_TRUSTED, message)
    if access.token is not None and not _is_plain(access.token):
        message = (
            f"the token for {without_query(url)} is empty or has characters that no token has, "
            "such as a line end."
        )
        raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
    return is_local


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_plain(token: str) -> bool:
    return token.isascii() and token.isprintable() and bool(token) and " " not in token


def _trust(ca: Path | bytes | None) -> ssl.SSLContext:
    """Return whom to trust: the given authorities alone, or those of the machine."""
    name = str(ca) if isinstance(ca, Path) else "given as text"
    try:
        if isinstance(ca, bytes):
            return ssl.create_default_context(cadata=ca.decode("ascii"))
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = (isinstance(error, OSError) and error.strerror) or "it holds no certificate in PEM"
        message = f"the bundle of certificate authorities {name} cannot be used: {why}."
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message) from None


def _failure(url: str, error: httpx.HTTPError) -> TrothError:
    place = without_query(url)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = (
                f"{place} is not trusted: {shorten(cause.verify_message, _TEXT_LIMIT)}. Ask who "
                "runs it, and give the bundle of the authority that signs its certificate."
            )
            return InvalidInputError(Reason.HOST_NOT_TRUSTED, message)
        cause = cause.__cause__ or cause.__context__
    said = shorten(str(error), _TEXT_LIMIT) or type(error).__name__
    return TransientError(Reason.CERTIFICATE_UNREACHABLE, f"{place} cannot be reached: {said}.")


def _refusal(url: str, status: int) -> TrothError:
    place = without_query(url)
    if status in _BUSY:
        message = f"{place} answers with the status {status}; it is tried again."
        return TransientError(Reason.CERTIFICATE_UNREACHABLE, message)
    if status in _REDIRECTS:
        message = f"{place} leads elsewhere (status {status}); give the address that it leads to."
        return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
    if status in {401, 403}:
        message = (
            f"{place} refuses (status {status}): a token is missing, wrong, or may not do this "
            "(through an API server: get services, get services/proxy)."
        )
        return InvalidInputError(Reason.INVALID_CREDENTIALS, message)
    message = (
        f"{place} answers with the status {status}: there is no certificate. Check the address."
    )
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
