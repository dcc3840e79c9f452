"""What can go wrong between us and Synadia's API, and who must act: a person, or time.

Every message names what was asked and what came, and says what to do. None holds the token, and
none holds an exception of the HTTP library, which keeps the request with its headers.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from troth.errors import PermanentError, Reason, TransientError, TrothError, shorten

__all__ = [
    "AnswerLostError",
    "Asked",
    "ConflictError",
    "Failure",
    "failed_status",
    "failed_to_reach",
    "quoted",
    "unreadable",
]

_QUOTED = 256  # characters of the host's own text in a message

# Seeds and JWTs, should a host ever send one with an error.
_SECRET_LIKE = re.compile(r"\bS[UAONCX][A-Z2-7]{50,}|\beyJ[\w-]{8,}|-----BEGIN|\buat_\w+")


class AnswerLostError(TransientError):
    """It may have been done: whoever asked has to look before asking again."""


class ConflictError(PermanentError):
    """The host says that there is such a thing already."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom, for messages.

    Attributes:
        host: the host and port.
        what: what was asked, as in *was asked to list the users of account X*.
        repeatable: asking again changes nothing, so that a lost answer does not matter.
    """

    host: str
    what: str
    repeatable: bool

    def __str__(self) -> str:
        """Begin a message."""
        return f"Synadia ({self.host}) was asked to {self.what}"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and whether sending the same call again is safe and may help.

    Attributes:
        wait: seconds that the host asked to wait first; None when it asked nothing.
    """

    error: TrothError
    again: bool = False
    wait: float | None = None


def failed_status(asked: Asked, status: int, text: str, wait: float | None) -> Failure:
    """Judge an answer that is none of those hoped for.

    Args:
        asked: what was asked.
        status: the HTTP status.
        text: the host's own words as `quoted` gives them.
        wait: seconds of its ``Retry-After``, if it had one.
    """
    said = f"{asked}, and answered {_spelled(status)}{text}."
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        # Not done, by the meaning of the status: safe to send again, whatever it was.
        error = TransientError(Reason.PROVIDER_BUSY, f"{said} It is tried again later.", wait)
        return Failure(error, again=True, wait=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return _unclear(asked, said, wait)
    if status == HTTPStatus.CONFLICT:
        return Failure(
            ConflictError(
                Reason.PROVIDER_REFUSED,
                f"{said} Look there what holds the name, and remove it or choose another.",
            )
        )
    reason, advice = _ADVICE.get(status, _OTHERWISE)
    return Failure(PermanentError(reason, f"{said} {advice}"))


def failed_to_reach(asked: Asked, error: httpx.HTTPError) -> Failure:
    """Judge an exception of the HTTP library; only its kind and what TLS says are told."""
    if (why := _why_not_trusted(error)) is not None:
        return Failure(
            PermanentError(
                Reason.HOST_NOT_TRUSTED,
                f"{asked}, but its certificate is not trusted: {why}. Ask who runs it; then give "
                "its CA bundle. It is never left unverified.",
            )
        )
    match error:
        case httpx.ProxyError():
            failure = _not_sent(asked, "the proxy did not let it through; check it and its login")
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            failure = _not_sent(asked, "it did not take the connection in time; check the network")
        case httpx.ConnectError():
            failure = _not_sent(asked, "it cannot be reached; check address and network")
        case httpx.TimeoutException():
            failure = _unclear(asked, f"{asked}, and did not answer in time.", None)
        case httpx.DecodingError():
            failure = unreadable(asked, "its encoding is broken")
        case httpx.TransportError():
            failure = _unclear(asked, f"{asked}, and broke off before it had answered.", None)
        case _:
            text = f"{asked}, and the call failed ({type(error).__name__}). Please report it."
            failure = Failure(PermanentError(Reason.INTERNAL_ERROR, text))
    return failure


def unreadable(asked: Asked, problem: str) -> Failure:
    """Judge an answer of the right status that makes no sense; `problem` quotes none of it."""
    said = f"{asked}, and its answer cannot be read: {problem}."
    if not asked.repeatable:
        return _unclear(asked, said, None)
    return Failure(
        PermanentError(
            Reason.PROVIDER_ANSWER_INVALID,
            f"{said} Check that the address is that of Synadia's API; if it is, its version is "
            "not served here.",
        )
    )


def quoted(body: str, token: str) -> str:
    """Return the host's own words for a message, cut, on one line and without secrets."""
    text = " ".join("".join(c if c.isprintable() else " " for c in body).split())
    if not text:
        return ""
    if token in text or _SECRET_LIKE.search(text):
        return " (its text is withheld: there is a secret in it)"
    return f": {shorten(text, _QUOTED)}"


def _not_sent(asked: Asked, why: str) -> Failure:
    """Nothing was done: safe to send again, whatever it was."""
    text = f"{asked}, but {why}. It is tried again later."
    return Failure(TransientError(Reason.PROVIDER_UNREACHABLE, text), again=True)


def _unclear(asked: Asked, said: str, wait: float | None) -> Failure:
    if asked.repeatable:
        error = TransientError(
            Reason.PROVIDER_UNREACHABLE, f"{said} It is tried again later.", wait
        )
        return Failure(error, again=True, wait=wait)
    return Failure(
        AnswerLostError(
            Reason.PROVIDER_UNREACHABLE,
            f"{said} It may have been done all the same; that is looked up before it is asked "
            "again.",
            wait,
        )
    )


def _spelled(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _why_not_trusted(error: BaseException) -> str | None:
    """Return what the TLS library found wrong with a certificate; None where it found nothing."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message or "it cannot be verified"
        seen = seen.__cause__ or seen.__context__
    return None


_OTHERWISE = (
    Reason.PROVIDER_REFUSED,
    "Nobody expects that of this call; check that the address is that of Synadia's API.",
)
_ADVICE: Mapping[int, tuple[Reason, str]] = {
    HTTPStatus.BAD_REQUEST: (
        Reason.PROVIDER_REFUSED,
        "Mend what the request asks for: names, subjects, limits.",
    ),
    HTTPStatus.UNAUTHORIZED: (
        Reason.INVALID_CREDENTIALS,
        (
            "The token is wrong, expired or withdrawn: make a new one (Profile, Personal Access "
            "Tokens) and put it into the Secret."
        ),
    ),
    HTTPStatus.FORBIDDEN: (
        Reason.INVALID_CREDENTIALS,
        (
            "The token's owner may not do that: give it a role that may, on this team, system or "
            "account."
        ),
    ),
    HTTPStatus.NOT_FOUND: (
        Reason.PROVIDER_REFUSED,
        (
            "It was removed there, or the token may not see it, or the address is not that of "
            "Synadia's API."
        ),
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        Reason.PROVIDER_REFUSED,
        (
            "Mend what the request asks for: the account does not allow it, or a name, a subject "
            "or a limit is wrong."
        ),
    ),
}
