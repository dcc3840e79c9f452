"""The way to Synadia's API: one call in, one answer or one of our errors out.

TLS is always verified, every wait is bounded, redirects are not followed, and nothing of the
environment is used. Calls that may be repeated are, a few times; those that create something are
sent again only where it is certain that nothing was done.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx

from troth.api import JsonObject
from troth.errors import Reason, TransientError
from troth_pipelines.nats.synadia.failures import (
    Asked,
    Failure,
    failed_status,
    failed_to_reach,
    quoted,
    unreadable,
)
from troth_pipelines.nats.synadia.settings import API_PATH, SynadiaSettings

__all__ = ["Answer", "Call", "Transport"]

_LIMIT = 64 * 1024 * 1024  # bytes of an answer; a list of 10,000 users is about half of it
_FIRST_PAUSE = 0.5  # seconds before a call is repeated; each further pause is twice as long
_LONGEST_PAUSE = 10.0  # seconds; whoever asks us to wait longer is asked again by a later run
_READ_IN_ERRORS = 65_536  # bytes of an error's text that are looked at; longer ones are left out
_DIGITS = 9  # of a Retry-After; more would be longer than thirty years


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API.

    Attributes:
        what: what is asked, as in *was asked to list the users of account X*.
        method: the HTTP method; all but POST may be repeated.
        path: below the API's own, quoted.
        expected: the statuses that are an answer; all others are errors.
        body: sent as JSON; None sends nothing.
        media_type: what the answer has to be; None when only its status counts.
        secret: the answer may hold a secret, and is quoted in no message.
    """

    what: str
    method: str
    path: str
    expected: frozenset[int] = frozenset({200})
    body: JsonObject | None = None
    media_type: str | None = "application/json"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of one of the expected statuses; `asked` is for those who find fault with it."""

    status: int
    body: bytes = field(repr=False)
    asked: Asked


class Transport(AbstractContextManager["Transport"]):
    """Sends calls, one after the other, until its time is used up.

    Args:
        settings: address, token, trust and patience.
        sleep: waits for so many seconds.
        clock: seconds that only ever grow; not the time of day.

    Attributes:
        calls: how many were sent, those that were repeated counted each time.
    """

    def __init__(
        self,
        settings: SynadiaSettings,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._clock = clock
        self._ends = clock() + settings.budget
        self.calls = 0
        self._client = httpx.Client(
            base_url=settings.base_url + API_PATH,
            headers={"Authorization": f"Bearer {settings.token}"},
            verify=settings.trust(),
            proxy=settings.proxy,
            trust_env=False,
            # A kept connection that the host has closed meanwhile looks like a lost answer.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what is open."""
        self._client.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def pause(self, seconds: float) -> bool:
        """Wait, unless there is no time for it and a call after it; tell whether there was."""
        if self._clock() + seconds >= self._ends:
            return False
        self._sleep(seconds)
        return True

    def send(self, call: Call) -> Answer:
        """Send a call, again where that is safe and may help.

        Raises:
            AnswerLostError: it may have been done, and must not be asked again unseen.
            ConflictError: the host says that there is such a thing already.
            TransientError: the host is away, or asks to wait.
            PermanentError: a person has to mend something.
        """
        asked = Asked(self._settings.host, call.what, repeatable=call.method != "POST")
        pause = _FIRST_PAUSE
        for _ in range(self._settings.attempts - 1):
            outcome = self._once(call, asked)
            if isinstance(outcome, Answer):
                return outcome
            wait = max(pause, outcome.wait or 0)
            if not outcome.again or wait > _LONGEST_PAUSE or not self.pause(wait):
                raise outcome.error
            pause *= 2
        outcome = self._once(call, asked)
        if isinstance(outcome, Answer):
            return outcome
        raise outcome.error

    def _once(self, call: Call, asked: Asked) -> Answer | Failure:
        left = self._ends - self._clock()
        if left <= 0:
            text = f"{asked} no more: the {self._settings.budget:g} s for all calls are used up."
            return Failure(TransientError(Reason.PROVIDER_UNREACHABLE, text))
        self.calls += 1
        try:
            return self._exchange(call, asked, min(self._settings.answer_within, left))
        except httpx.HTTPError as error:
            # Judged here, raised elsewhere: an error raised here would carry the library's own, and
            # with it the request and its headers.
            return failed_to_reach(asked, error)

    def _exchange(self, call: Call, asked: Asked, patience: float) -> Answer | Failure:
        with self._client.stream(
            call.method,
            call.path,
            json=call.body,
            headers={"Accept": call.media_type or "*/*"},
            timeout=patience,
        ) as response:
            if response.status_code not in call.expected:
                return self._refused(call, asked, response)
            if call.media_type is None or response.status_code >= HTTPStatus.BAD_REQUEST:
                return Answer(response.status_code, b"", asked)
            found = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if found != call.media_type:
                problem = f"its type is {found[:60]!r}, where {call.media_type!r} was expected"
                return unreadable(asked, problem)
            body = self._body(response, _LIMIT)
            if body is None:
                return unreadable(asked, f"it is longer than {_LIMIT:,} bytes, or came too slowly")
            return Answer(response.status_code, body, asked)

    def _refused(self, call: Call, asked: Asked, response: httpx.Response) -> Failure:
        text = ""
        if not call.secret:
            head = self._body(response, _READ_IN_ERRORS)
            text = quoted((head or b"").decode(errors="replace"), self._settings.token)
        return failed_status(asked, response.status_code, text, _retry_after(response.headers))

    def _body(self, response: httpx.Response, limit: int) -> bytes | None:
        """Read at most `limit` bytes; None when there are more, or when the time is up."""
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > limit or self._clock() > self._ends:
                return None
        return bytes(body)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds of ``Retry-After``; RFC 9110, section 10.2.3: a number, or a date.

    A date is taken against the host's own clock, so that ours need not be right.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:_DIGITS])
    try:
        until, now = (parsedate_to_datetime(one) for one in (text, headers.get("Date", "")))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None  # none was given, or none that can be understood
