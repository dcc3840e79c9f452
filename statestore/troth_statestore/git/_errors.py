"""What git says when a remote will not, as one table of Troth's errors.

Git has no error codes: its exit status is 128 for nearly everything, so its English is read
(``LC_ALL=C``). The first row that matches decides.
"""

import re
from dataclasses import dataclass

from troth.errors import Reason, StoreError, TransientError, TrothError, shorten
from troth_statestore.git._location import Location, scrub

__all__ = ["ROWS", "Row", "error_of", "known_error", "remote_text", "sha256_refused"]


@dataclass(frozen=True, slots=True)
class Row:
    """What git's words mean.

    Attributes:
        pattern: what is searched in git's standard error.
        error: the class of the error.
        reason: its word.
        advice: what to do.
        retry_after: seconds before which it is of no use to try again, of a transient error.
    """

    pattern: re.Pattern[str]
    error: type[StoreError] | type[TransientError]
    reason: Reason
    advice: str
    retry_after: float | None = None


def _row(
    pattern: str,
    error: type[StoreError] | type[TransientError],
    reason: Reason,
    advice: str,
    retry_after: float | None = None,
) -> Row:
    return Row(re.compile(pattern), error, reason, advice, retry_after)


# Seconds to leave a host alone that is asked too much. It says for how long in a header
# (Retry-After), which git shows to nobody but in a trace, and in that stand secrets as well.
_TOO_OFTEN = 60.0

_SHA1_ONLY = "SHA-256 repositories are not served: use one with SHA-1."

# Most telling first: git follows a precise line with general ones ("Could not read from remote
# repository", "the remote end hung up").
ROWS = (
    _row(
        r"mismatched algorithms|does not support this repository's hash algorithm",
        StoreError,
        Reason.STATE_STORE_UNSUPPORTED,
        _SHA1_ONLY,
    ),
    _row(
        r"transport '.*' not allowed|[Uu]nable to find remote helper|dumb http transport"
        r"|cannot run ssh",
        StoreError,
        Reason.STATE_STORE_UNSUPPORTED,
        "Use an address over https or ssh, or a path.",
    ),
    _row(
        r"detected dubious ownership",
        StoreError,
        Reason.STATE_STORE_REFUSED,
        "The repository belongs to another user: run as that user.",
    ),
    _row(
        r"returned error: 429|[Rr]ate limit|Too [Mm]any [Rr]equests",
        TransientError,
        Reason.STATE_STORE_UNREACHABLE,
        "The host is asked too often; leave it alone for a minute.",
        _TOO_OFTEN,
    ),
    _row(
        r"returned error: 403|Permission to .* denied|service not enabled",
        StoreError,
        Reason.STATE_STORE_REFUSED,
        "Give this account the right to read and write the repository.",
    ),
    _row(
        r"response 407|code 407 from proxy|returned error: 407",
        StoreError,
        Reason.INVALID_CREDENTIALS,
        "The proxy wants a login: http://USER:PASSWORD@HOST:PORT in HTTPS_PROXY.",
    ),
    _row(
        r"could not read (Username|Password)",
        StoreError,
        Reason.INVALID_CREDENTIALS,
        "The host asks for a login, and there is none for it.",
    ),
    _row(
        r"Authentication failed|returned error: 401",
        StoreError,
        Reason.INVALID_CREDENTIALS,
        "The host does not take this user name and password or token; it may have expired.",
    ),
    _row(
        r"Permission denied \(",
        StoreError,
        Reason.INVALID_CREDENTIALS,
        "The host does not take this key, or not for this user; the user stands in the address.",
    ),
    _row(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed|REVOKED HOST KEY",
        StoreError,
        Reason.HOST_NOT_TRUSTED,
        "The host shows another key than the known hosts have for it. Ask who runs it whether the "
        "key was changed; if so, put the new one in its place, and else somebody is in between.",
    ),
    _row(
        r"Host key verification failed",
        StoreError,
        Reason.HOST_NOT_TRUSTED,
        "The known hosts have no key for this host. Ask who runs it for the key, and add it.",
    ),
    _row(
        r"non-properly terminated|unexpected eof while reading|SSL_ERROR_SYSCALL",
        TransientError,
        Reason.STATE_STORE_UNREACHABLE,
        "The connection was cut.",
    ),
    _row(
        r"certificate|SSL routines|gnutls_handshake",
        StoreError,
        Reason.HOST_NOT_TRUSTED,
        "Check the host's certificate and the CA bundle; it is never left unverified.",
    ),
    _row(
        r"does not appear to be a git repository|[Rr]epository ('.*' )?not found"
        r"|repository not exported",
        StoreError,
        Reason.STATE_STORE_UNREACHABLE,
        "Check the address and what this account may see; create the repository if there is none.",
    ),
    _row(
        r"Could not resolve host|unable to look up|Connection (refused|reset|timed out|closed)"
        r"|Could not resolve proxy|CONNECT tunnel failed|Failed to connect|Couldn't connect"
        r"|Network is unreachable|No route to host"
        r"|returned error: (408|5\d\d)|early EOF|hung up unexpectedly|Empty reply|RPC failed"
        r"|Broken pipe|Operation (timed out|too slow)",
        TransientError,
        Reason.STATE_STORE_UNREACHABLE,
        "The host cannot be reached now.",
    ),
)

_UNKNOWN = _row("", TransientError, Reason.STATE_STORE_UNREACHABLE, "Git failed.")


def known_error(location: Location, stderr: str) -> TrothError | None:
    """Return the error for what git said about the remote, None when no row knows it."""
    row = next((row for row in ROWS if row.pattern.search(stderr)), None)
    return None if row is None else _error(row, location, stderr)


def error_of(location: Location, stderr: str) -> TrothError:
    """Return the error for what git said about the remote, a general one in the last resort."""
    return known_error(location, stderr) or _error(_UNKNOWN, location, stderr)


def _error(row: Row, location: Location, stderr: str) -> TrothError:
    text = shorten(scrub(stderr)) or "nothing"
    message = f"State store {location.description}: {row.advice} Git says: {text}"
    if row.error is StoreError:
        return StoreError(row.reason, message)
    return TransientError(row.reason, message, row.retry_after)


def sha256_refused(location: Location) -> StoreError:
    """Return the error for a repository whose object names are SHA-256."""
    message = f"State store {location.description}: {_SHA1_ONLY}"
    return StoreError(Reason.STATE_STORE_UNSUPPORTED, message)


def remote_text(stderr: str) -> str:
    """Return what the remote itself said, such as the words of a hook; all, if it said nothing."""
    said = (line for line in stderr.splitlines() if line.startswith("remote:"))
    lines = filter(None, (line.removeprefix("remote:").strip() for line in said))
    return shorten(scrub("\n".join(lines) or stderr))
