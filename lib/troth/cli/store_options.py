"""Options that say which state stores a command means, and how it is let in to them.

No option takes a secret: an argument is seen by every user of the machine. A password comes from a
file, or from the variable TROTH_GIT_PASSWORD, which nothing else reads.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import click

from troth.api import CommitEach, Destination, GitStateStore
from troth.local import CommitPolicy, SecretsFolder, StoreChoice, WaysIn
from troth.local.stores import choose, named
from troth_statestore.git import Author, KeyFile

__all__ = ["StoreOptions", "store_options"]


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Which stores a command means, and how it is let in; `state_store` None leaves it to files."""

    state_store: str | None
    branch: str | None
    ways: WaysIn

    def choose(
        self, destinations: Iterable[Destination], stores: Mapping[str, GitStateStore]
    ) -> dict[str, StoreChoice]:
        """Return the stores by name. Raises as `troth.local.stores.choose`."""
        return choose(self.state_store, self.branch, destinations, stores, self.ways)

    def one(self) -> StoreChoice:
        """Return the one store of a command that reads no files.

        Raises:
            click.UsageError: it was not given.
            InvalidInputError: its address is wrong.
        """
        if self.state_store is None:
            raise click.UsageError("give --state-store, or set TROTH_STATE_STORE.")
        return named(self.state_store, self.branch, self.ways)


def store_options(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `StoreOptions` holds, and hand it over as ``stores``."""

    @wraps(function)
    def collected(  # noqa: PLR0913  (each is an option, handed over by name)
        *,
        state_store: str | None,
        branch: str | None,
        git_username: str | None,
        git_password_file: Path | None,
        git_ssh_key: Path | None,
        git_known_hosts: Path | None,
        git_ca_file: Path | None,
        secrets_dir: Path | None,
        git_author: Author | None,
        git_signing_key: Path | None,
        one_commit_a_flush: bool,
        **others: object,
    ) -> int:
        ways = WaysIn(
            username=git_username,
            password=os.environ.get("TROTH_GIT_PASSWORD"),
            password_file=git_password_file,
            ssh_key=git_ssh_key,
            known_hosts=git_known_hosts,
            ca_file=git_ca_file,
            secrets=None if secrets_dir is None else SecretsFolder(secrets_dir),
            commits=CommitPolicy(
                author=git_author,
                each=CommitEach.FLUSH if one_commit_a_flush else None,
                signing_key=None if git_signing_key is None else KeyFile(git_signing_key),
            ),
        )
        return function(stores=StoreOptions(state_store, branch, ways), **others)

    decorated: Callable[..., int] = collected
    for decorate in reversed(_OPTIONS):
        decorated = decorate(decorated)
    return decorated


def _file_option(
    name: str, envvar: str, text: str
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return an option that takes a file, which need not be there yet: it is read when needed."""
    return click.option(
        name,
        envvar=envvar,
        show_envvar=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=text,
    )


def _author(_: click.Context, __: click.Parameter, given: str | None) -> Author | None:
    if given is None:
        return None
    name, rest = given.split("<", 1) if "<" in given else (given, "")
    email, end, after = rest.partition(">")
    if not name.strip() or not email.strip() or not end or after.strip():
        raise click.BadParameter(f"{given!r} is no 'NAME <EMAIL>'.")
    try:
        return Author(name.strip(), email.strip())
    except ValueError as exc:
        raise click.BadParameter(f"{exc}.") from exc


_OPTIONS = (
    click.option(
        "--state-store",
        "-s",
        envvar="TROTH_STATE_STORE",
        show_envvar=True,
        metavar="URL|DIR",
        help="Git URL, or a path: a bare repository, made when it does not exist. dir:PATH is a "
        "plain folder. Without it the GitStateStore among the files is used.",
    ),
    click.option(
        "--branch", "-b", metavar="NAME", help="Branch that agents read.  [default: main]"
    ),
    click.option(
        "--git-username",
        envvar="TROTH_GIT_USERNAME",
        show_envvar=True,
        metavar="NAME",
        help="User for an https --state-store; not needed with a token.",
    ),
    _file_option(
        "--git-password-file",
        "TROTH_GIT_PASSWORD_FILE",
        "File that holds the password or token for an https --state-store. It may stand in the "
        "variable TROTH_GIT_PASSWORD instead.",
    ),
    _file_option(
        "--git-ssh-key",
        "TROTH_GIT_SSH_KEY",
        "Private key for an ssh --state-store; no other is tried.",
    ),
    _file_option(
        "--git-known-hosts",
        "TROTH_GIT_KNOWN_HOSTS",
        "Keys of the hosts that may be trusted with --git-ssh-key.  [default: those of this user]",
    ),
    _file_option(
        "--git-ca-file", "TROTH_GIT_CA_FILE", "Certificates that vouch for https hosts, in PEM."
    ),
    click.option(
        "--secrets-dir",
        envvar="TROTH_SECRETS_DIR",
        show_envvar=True,
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where the Secrets are that GitStateStores refer to: DIR/NAMESPACE/NAME/KEY, as a "
        "Pod mounts them, or DIR/NAMESPACE/NAME.yaml.",
    ),
    click.option(
        "--git-author",
        envvar="TROTH_GIT_AUTHOR",
        show_envvar=True,
        callback=_author,
        metavar="'NAME <EMAIL>'",
        help="Who commits are by.  [default: Troth <noreply@troth.dev>]",
    ),
    _file_option(
        "--git-signing-key",
        "TROTH_GIT_SIGNING_KEY",
        "Private SSH key to sign every commit with. Without it in its place nothing is written.",
    ),
    click.option(
        "--one-commit-a-flush",
        is_flag=True,
        envvar="TROTH_ONE_COMMIT_A_FLUSH",
        show_envvar=True,
        help="Commit all that is written at once together, instead of a commit for each request.",
    ),
)
