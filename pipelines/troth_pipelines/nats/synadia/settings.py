"""How Synadia's API is reached: address, token, trust and patience, checked once."""

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import httpx

from troth.errors import InvalidInputError, PermanentError, Reason

__all__ = ["API_PATH", "DEFAULT_URL", "SynadiaSettings"]

API_PATH = "/api/core/beta"
DEFAULT_URL = "https://cloud.synadia.com"

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# What a header may carry; tokens look like uat_… and hold letters, digits, "_" and "-".
_TOKEN = re.compile(r"[\x21-\x7e]+")

_PROXY = re.compile(r"https?://([^\s/@]*@)?([\w.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/?")


@dataclass(frozen=True, slots=True)
class SynadiaSettings:
    """How the API is reached.

    Attributes:
        token: a personal access token or one of a service account; never shown.
        base_url: the address without ``/api``; https, or http on this machine alone.
        ca_bundle: certificates in PEM that vouch for the host, None for the public ones.
        proxy: the http address of a proxy, with its login if it wants one; never shown.
        answer_within: seconds for the host to connect, and for each part of an answer.
        budget: seconds for all calls together, pauses included; well below a stage's 60.
        attempts: how often a call that may be repeated is sent at most.

    Raises:
        InvalidInputError: the address cannot be used.
        PermanentError: the token or the CA bundle cannot be used.
    """

    token: str = field(repr=False)
    base_url: str = DEFAULT_URL
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)
    answer_within: float = 15.0
    budget: float = 45.0
    attempts: int = 3

    def __post_init__(self) -> None:
        """Drop what is no part of address and token, and refuse what cannot be used."""
        # Files and Secrets often end with a line end that is no part of the token.
        object.__setattr__(self, "token", self.token.strip())
        object.__setattr__(self, "base_url", self.base_url.strip().rstrip("/"))
        if problem := _problem_of_url(self.base_url):
            raise InvalidInputError(
                Reason.INVALID_OBJECT, f"The address of Synadia's API cannot be used: {problem}."
            )
        if self.proxy is not None and not _PROXY.fullmatch(self.proxy):
            raise InvalidInputError(
                Reason.INVALID_OBJECT,
                "The address of the proxy for Synadia's API cannot be used: it has to be like "
                "http://USER:PASSWORD@HOST:PORT, the login left out where there is none.",
            )
        if not _TOKEN.fullmatch(self.token):
            raise PermanentError(
                Reason.INVALID_CREDENTIALS,
                "The token for Synadia's API is empty, or has a space, a line end or a character "
                "that is not ASCII within. Put a token into the Secret, and nothing else.",
            )

    @property
    def host(self) -> str:
        """The host and port, for messages."""
        parts = urlsplit(self.base_url)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.hostname}{port}"

    def trust(self) -> ssl.SSLContext:
        """Return what decides whether a host is the right one; it is never switched off.

        Raises:
            PermanentError: the CA bundle holds no certificate that can be read.
        """
        if self.ca_bundle is None:
            return httpx.create_ssl_context(trust_env=False)
        try:
            # Not create_default_context: that takes an empty bundle for the machine's own.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=self.ca_bundle)
        except (ssl.SSLError, ValueError):
            # No cause: somebody may have put a private key there.
            raise PermanentError(
                Reason.HOST_NOT_TRUSTED,
                "The CA bundle for Synadia's API holds no certificate that can be read. Give "
                "certificates in PEM (-----BEGIN CERTIFICATE-----).",
            ) from None
        return context


def _problem_of_url(url: str) -> str | None:
    """Say what is wrong with an address, without showing a login in it; None when nothing is."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it raises where it is no number)
    except ValueError:
        return "it is no URL"
    if parts.username is not None or parts.password is not None:
        return "there is a login in it; the token belongs into the Secret"
    return _problem_of_parts(parts, url)


def _problem_of_parts(parts: SplitResult, url: str) -> str | None:
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return f"{url!r} is no https URL such as {DEFAULT_URL}"
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return f"{url!r} would send the token in the clear; use https"
    if parts.query or parts.fragment:
        return f"{url!r} has a query or a fragment"
    if parts.path.endswith(("/api", API_PATH)):
        return f"{url!r} is to end before /api, which is added by itself"
    return None
