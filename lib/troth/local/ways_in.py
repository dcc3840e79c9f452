"""How a command is let in to its state stores: files, the environment, or Secrets."""

from dataclasses import dataclass, field
from pathlib import Path

from troth.api import AuthMethod, GitStateStore, SecretRef, Secrets
from troth.errors import InvalidInputError, NotServedError, Reason, StoreError
from troth.local.commit_policy import CommitPolicy
from troth_statestore.git import (
    BasicLogin,
    Credentials,
    Login,
    SshLogin,
    login_of_secret,
    scheme_of,
)

__all__ = ["WaysIn"]


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What a command was given to log in with.

    All but the last three is for the store that the command itself names: a password that
    somebody gave for one place is not for whatever place an object among the files points to.

    Attributes:
        username: None for the one that goes with tokens.
        password: from the environment.
        password_file: holds the password; wins over `password`.
        ssh_key: a file with a private key.
        known_hosts: a file with the keys of hosts; None for those of the account.
        ca_file: certificates that vouch for hosts.
        secrets: where the Secrets are that GitStateStores refer to.
        commits: how commits are made, where a store does not say.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    ssh_key: Path | None = None
    known_hosts: Path | None = None
    ca_file: Path | None = None
    secrets: Secrets | None = None
    commits: CommitPolicy = field(default_factory=CommitPolicy)

    @property
    def has_login(self) -> bool:
        """Whether there is one for a store that the command names."""
        return not (self.password is None and self.password_file is None and self.ssh_key is None)

    def to(self, url: str) -> Credentials | None:
        """Return the login for the store that the command names, None when it needs none.

        Both kinds may be given; the address says which is meant. A path has no door.

        Raises:
            InvalidInputError: the address is wrong.
        """
        scheme = scheme_of(url)
        self._refuse_half(scheme)
        if scheme == "file" or not self.has_login:
            return None
        has_password = self.password is not None or self.password_file is not None
        if self.ssh_key is not None and (scheme == "ssh" or not has_password):
            return _KeyFiles(self.ssh_key, self.known_hosts)
        if self.password_file is not None:
            return _PasswordFile(self.username, self.password_file)
        return _Given(_login(self.username, self.password or ""))

    def _refuse_half(self, scheme: str) -> None:
        """Refuse what says something of a login that was not given: it would be passed over."""
        if scheme == "ssh" and self.known_hosts is not None and self.ssh_key is None:
            message = (
                "known hosts were given (--git-known-hosts) and no key they go with; add "
                "--git-ssh-key, or put the host's keys into this user's known hosts."
            )
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        without = self.password is None and self.password_file is None
        if scheme == "https" and self.username is not None and without:
            message = (
                "a user was given (--git-username) and no password; add --git-password-file, or "
                "set TROTH_GIT_PASSWORD."
            )
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)

    def to_store(self, store: GitStateStore) -> Credentials | None:
        """Return the login that a GitStateStore refers to, None when it refers to none.

        Raises:
            InvalidInputError: nobody said where Secrets are.
            NotServedError: it logs in by a method that is not served.
        """
        if store.auth_method is AuthMethod.GITHUB_APP:
            message = (
                f"GitStateStore {store.name} has the authMethod githubApp, which comes later; use "
                "basicAuth with a token, or ssh with a deploy key."
            )
            raise NotServedError(Reason.STATE_STORE_UNSUPPORTED, message)
        if store.secret is None:
            return None
        if self.secrets is None:
            message = (
                f"GitStateStore {store.name} has a secretRef, to Secret {store.secret}: say with "
                "--secrets-dir DIR where Secrets are, or give --state-store a URL and a login."
            )
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
        return _SecretLogin(self.secrets, store.secret, store)


@dataclass(frozen=True, slots=True)
class _Given:
    login: Login

    @property
    def name(self) -> str:
        return "the password in TROTH_GIT_PASSWORD"

    def read(self) -> Login:
        return self.login


@dataclass(frozen=True, slots=True)
class _PasswordFile:
    username: str | None
    file: Path

    @property
    def name(self) -> str:
        return f"the password file {self.file}"

    def read(self) -> Login:
        return _login(self.username, _content(self.file, self.name).rstrip("\r\n"))


@dataclass(frozen=True, slots=True)
class _KeyFiles:
    key: Path
    known_hosts: Path | None

    @property
    def name(self) -> str:
        beside = f" and the known hosts {self.known_hosts}" if self.known_hosts else ""
        return f"the SSH key {self.key}{beside}"

    def read(self) -> Login:
        key = _content(self.key, f"the SSH key {self.key}")
        if self.known_hosts is None:
            return SshLogin(key)
        return SshLogin(key, _content(self.known_hosts, f"the known hosts {self.known_hosts}"))


@dataclass(frozen=True, slots=True)
class _SecretLogin:
    secrets: Secrets
    reference: SecretRef
    store: GitStateStore

    @property
    def name(self) -> str:
        return f"Secret {self.reference} of GitStateStore {self.store.name}"

    def read(self) -> Login:
        which = f"{self.reference} of GitStateStore {self.store.name}"
        try:
            secret = self.secrets.read(self.reference)
        except InvalidInputError as error:
            message = f"{error.message} GitStateStore {self.store.name} refers to it."
            raise StoreError(error.reason, message) from error
        return login_of_secret(self.store.auth_method, secret, which)


def _login(username: str | None, password: str) -> BasicLogin:
    return BasicLogin(password) if username is None else BasicLogin(password, username)


def _content(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as exc:
        why = exc.strerror
    except UnicodeDecodeError:
        why = "it is no text in UTF-8"
    raise StoreError(Reason.INVALID_CREDENTIALS, f"{name} cannot be read: {why}.")
