"""The keys of a Kubernetes Secret, as Kratix names them, read as a login."""

from collections.abc import Mapping

from troth.errors import Reason, StoreError
from troth_statestore.git._logins import DEFAULT_USERNAME, BasicLogin, Login, SshLogin

__all__ = ["login_of_secret"]


def login_of_secret(method: str, secret: Mapping[str, bytes], which: str) -> Login:
    """Return the login that a Secret holds.

    ``basicAuth`` reads ``password`` and ``username``, which may be left out; ``ssh`` reads
    ``sshPrivateKey`` and ``knownHosts``. A line end after a value is not part of it.

    Args:
        method: authMethod of the GitStateStore.
        secret: key → value.
        which: ``<namespace>/<name>`` of the Secret, for messages.

    Raises:
        StoreError: a key is missing, or holds no text.
        ValueError: the method is another.
    """
    match method:
        case "basicAuth":
            username = _text("username", secret, which) if "username" in secret else ""
            return BasicLogin(_text("password", secret, which), username or DEFAULT_USERNAME)
        case "ssh":
            return SshLogin(
                _text("sshPrivateKey", secret, which), _text("knownHosts", secret, which)
            )
        case _:
            raise ValueError(f"{method!r} is no authMethod of which a login can be read")


def _text(key: str, secret: Mapping[str, bytes], which: str) -> str:
    if key not in secret:
        # Kratix's words, which runbooks search for.
        message = f"{key} not found in secret {which}"
        raise StoreError(Reason.INVALID_CREDENTIALS, message)
    try:
        return secret[key].decode().rstrip("\r\n")
    except UnicodeDecodeError:
        message = f"{key} in secret {which} is no text in UTF-8"
        raise StoreError(Reason.INVALID_CREDENTIALS, message) from None
