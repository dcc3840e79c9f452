"""How a login reaches git, for one command at a time.

Never in a URL, an argument or the repository's config: those are seen by every user, or stay. The
environment is better, but it is handed on to every process that git starts, and lives as long as
they do. So the secrets lie in files that exist only in memory (``memfd_create``) and belong to this
process; git's environment has nothing but their paths below ``/proc``. Only this user and root can
open them, as they could read the environment or the memory of a process. They are gone when the
command is done, and with us if we are killed, when a temporary file would have stayed.

* A password goes through a credential helper, a line of shell. Git asks it for the host that the
  store is on and for no other, so a redirect cannot carry the password away.
* A key goes to ssh as its identity file, with nothing else that ssh would try or trust.
"""

import base64
import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from troth.errors import Reason, StoreError, TrothError
from troth_statestore.git._location import SCHEMES, Location
from troth_statestore.git._logins import BasicLogin, Credentials, Login, SshLogin
from troth_statestore.git._private_key import normal_key, why_unusable

__all__ = ["Access", "Grant"]

# A host that falls silent for a minute is given up, as over https. An ssh whose writer was killed
# would otherwise wait for hours, and nobody would end it.
_NO_SILENCE = "-o ServerAliveInterval=15 -o ServerAliveCountMax=4"

# Without a login of ours the account's own ssh is used: its keys, agent and configuration. It may
# not ask on the terminal, nor trust a host that it does not know.
_OWN_SSH = f"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes {_NO_SILENCE}"

# With one, nothing else counts: no configuration, no agent, no other key, no other way to log in.
_OUR_SSH = (
    f"{_OWN_SSH} -F none -o IdentitiesOnly=yes -o IdentityAgent=none -o UpdateHostKeys=no "
    "-o PreferredAuthentications=publickey"
)

# What a caller may have set for git to log in with; it has no say beside a login of ours.
_LOGIN_VARIABLES = frozenset(
    {"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_ASKPASS"}
)
_NOTHING: frozenset[str] = frozenset()

# Characters; a shorter secret would be found in every text.
_SHORTEST_REDACTED = 4


@dataclass(frozen=True, slots=True)
class Grant:
    """What one git command is given to be let in.

    Attributes:
        variables: for its environment; no secret in them.
        withheld: variables of this process that it must not see.
    """

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    withheld: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str) -> str:
        """Return `text` without the secrets, which a host may have sent back."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Access:
    """The way in to one repository.

    Args:
        location: the repository.
        credentials: where the login comes from, None for what the machine's git has by itself.
        ca_file: certificates in PEM that vouch for hosts, None for those of the machine.
    """

    def __init__(
        self,
        location: Location,
        credentials: Credentials | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._location = location
        self._credentials = credentials
        self._ca_file = ca_file

    @contextmanager
    def granted(self) -> Generator[Grant]:
        """Read the login, and hold it ready for git until the end of the block.

        Raises:
            StoreError: there is no login, or none that can be used here.
        """
        with ExitStack() as held:
            login = self._login()
            scheme = self._location.scheme
            variables = {"GIT_ALLOW_PROTOCOL": scheme if scheme in SCHEMES else ":".join(SCHEMES)}
            # Stated, since what is given this way wins over every file of configuration.
            config = {"http.sslVerify": "true"}
            if self._ca_file is not None:
                bundle = _checked_bundle(self._ca_file)
                variables["GIT_SSL_CAINFO"] = bundle
                if "GIT_PROXY_SSL_CAINFO" not in os.environ:  # that of a proxy may differ
                    variables["GIT_PROXY_SSL_CAINFO"] = bundle
            if isinstance(login, BasicLogin):
                config |= self._helper(_held(held, "login", _answer(login)))
                variables["GIT_ASKPASS"] = ""
            elif isinstance(login, SshLogin):
                variables["GIT_SSH_COMMAND"] = _ssh(login, held)
                variables["GIT_SSH_VARIANT"] = "ssh"
            elif not os.environ.keys() & {"GIT_SSH", "GIT_SSH_COMMAND"}:
                variables["GIT_SSH_COMMAND"] = _OWN_SSH
            withheld = _NOTHING if login is None else _LOGIN_VARIABLES - variables.keys()
            yield Grant(variables | _configured(config), withheld, _secrets_of(login))

    def _login(self) -> Login | None:
        if self._credentials is None:
            return None
        name = self._credentials.name
        try:
            login = self._credentials.read()
            self._refuse_other_scheme(login)
            if problem := _problem(login):
                raise _invalid(f"{name} cannot be used: {problem}.")
        except TrothError as error:
            raise error.about(f"State store {self._location.description}") from error
        return login

    def _refuse_other_scheme(self, login: Login) -> None:
        method, scheme = ("SSH", "ssh") if isinstance(login, SshLogin) else ("HTTPS", "https")
        if self._location.scheme != scheme:
            # The words are Kratix's, up to the full stop.
            raise _invalid(
                f"invalid URL for {method} auth method: {self._location.description}. "
                f"{self._credentials.name if self._credentials else 'The login'} is for {scheme}."
            )

    def _helper(self, path: str) -> dict[str, str]:
        parts = urlsplit(self._location.url)
        return {
            "credential.helper": "",
            f"credential.{parts.scheme}://{parts.netloc}.helper": (
                f'!f() {{ test "$1" = get && cat {path}; }}; f'
            ),
            # Newer versions of git then send it at once, and save asking twice; others ignore it.
            "http.proactiveAuth": "basic",
        }


def _invalid(message: str) -> StoreError:
    return StoreError(Reason.INVALID_CREDENTIALS, message)


def _checked_bundle(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        raise _invalid(f"The CA bundle {path} cannot be read: {exc.strerror}.") from exc
    if "-----BEGIN " not in text:
        raise _invalid(f"The CA bundle {path} holds no certificate (-----BEGIN CERTIFICATE-----).")
    return str(path.absolute())


def _problem(login: Login) -> str | None:
    """Return what is wrong with a login before anybody is asked, None when nothing is."""
    if isinstance(login, BasicLogin):
        if not login.password:
            return "the password is empty"
        if any(mark in text for mark in "\n\r\0" for text in (login.username, login.password)):
            return "there is a line end or a NUL within the user name or the password"
        return None
    if (problem := why_unusable(normal_key(login.private_key))) is not None:
        return f"of the private key: {problem}"
    if login.known_hosts is not None and not login.known_hosts.strip():
        return "the known hosts are empty, so no host could be trusted"
    return None


def _answer(login: BasicLogin) -> str:
    # Format: https://git-scm.com/docs/git-credential#IOFMT
    return f"username={login.username}\npassword={login.password}\n"


def _ssh(login: SshLogin, held: ExitStack) -> str:
    command = f"{_OUR_SSH} -o IdentityFile={_held(held, 'key', normal_key(login.private_key))}"
    if login.known_hosts is None:
        return command
    hosts = _held(held, "known-hosts", normal_key(login.known_hosts))
    return f"{command} -o UserKnownHostsFile={hosts} -o GlobalKnownHostsFile=none"


def _held(held: ExitStack, name: str, content: str) -> str:
    """Put content in a file in memory that lasts as long as `held`; return its path."""
    try:
        descriptor = os.memfd_create(f"troth-{name}", os.MFD_CLOEXEC)
        held.callback(os.close, descriptor)
        os.fchmod(descriptor, 0o600)  # ssh reads no key that others might
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content.encode())
    except OSError as exc:
        raise _invalid(f"No file in memory can be made for a login: {exc.strerror}.") from exc
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def _configured(values: Mapping[str, str]) -> dict[str, str]:
    # Format: https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    found = {"GIT_CONFIG_COUNT": str(len(values))}
    for index, (key, value) in enumerate(values.items()):
        found |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return found


def _secrets_of(login: Login | None) -> tuple[str, ...]:
    """Return what must not show, in the forms in which it may come back."""
    if login is None:
        return ()
    if isinstance(login, SshLogin):
        found = {line for line in login.private_key.splitlines() if not line.startswith("-----")}
    else:
        pair = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        found = {pair, login.password, quote(login.password, safe="")}
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST_REDACTED), key=len))[::-1]
