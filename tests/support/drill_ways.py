"""The ways in to a repository that drills take, and what their writers are told to get in."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from support.certificates import Certificates
from support.git_http import serve_git
from support.git_ssh import serve_ssh
from support.repositories import Remote

__all__ = ["Reached", "Way", "by_file_url", "by_https", "by_path", "by_ssh"]

_PASSWORD = "battery of the drills"  # noqa: S105  (of a server of these tests)


@dataclass(frozen=True)
class Reached:
    """An address, and the options of `support.drill_writer` that go with it."""

    url: str
    options: tuple[str, ...] = ()


Way = Callable[[Remote, Path, ExitStack], Reached]
"""Serves a repository, with what that takes in a folder, until the end of the stack."""


def by_path(remote: Remote, _: Path, __: ExitStack) -> Reached:
    """Read it where it lies."""
    return Reached(str(remote.folder), ("borrow",))


def by_file_url(remote: Remote, _: Path, __: ExitStack) -> Reached:
    """Fetch it from this machine."""
    return Reached(remote.folder.as_uri())


def by_https(remote: Remote, folder: Path, exits: ExitStack) -> Reached:
    """Reach it over TLS, with a password and an authority of its own."""
    certificates = Certificates.make(folder / "certificates")
    password = folder / "secrets" / "password"
    password.parent.mkdir(parents=True)
    password.write_text(_PASSWORD)
    serving = serve_git(
        remote.folder.parent, tls=certificates.good, users={"x-access-token": _PASSWORD}
    )
    host = exits.enter_context(serving)
    options = (f"ca={certificates.bundle}", f"password={password}")
    return Reached(host.url(remote.folder.name), options)


def by_ssh(remote: Remote, folder: Path, exits: ExitStack) -> Reached:
    """Reach it through a real sshd, with a key."""
    host = exits.enter_context(serve_ssh(folder / "ssh"))
    options = (f"ssh-key={host.key}", f"known-hosts={host.known_hosts}")
    return Reached(host.url(remote.folder), options)
