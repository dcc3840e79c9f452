"""Running git, and nothing else: GitPython's process handling in an environment of our own.

Everything in this package that runs git does it through `GitCommand.run`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, BinaryIO

from troth.errors import Reason, StoreError, TransientError
from troth_statestore.git._access import Access, Grant
from troth_statestore.git._location import SCHEMES

if TYPE_CHECKING:
    from git.cmd import Git

__all__ = ["Finished", "GitCommand"]

# What git sees whatever the machine and the user have configured.
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
    "LANGUAGE": "C",
    "LC_ALL": "C",
    "XDG_CONFIG_HOME": os.devnull,
    # Git takes a zlib buffer of 256 kB for every object it writes, and glibc by default gives each
    # back to the kernel at once. Keeping them halves the time of an import. Others ignore this.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}

# The commands that speak to the remote: they alone are let in.
_REMOTE = frozenset({"fetch", "ls-remote", "push"})

# Variables of git that are left as the caller has them: how to reach and trust a host. All others
# are taken away, GIT_DIR and GIT_SSL_NO_VERIFY among them, and Troth's own, which may be secret.
_KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_EXEC_PATH",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
    }
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that came to its end."""

    command: str
    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode(errors="replace")


class GitCommand:
    """Git on one repository, or on none.

    Args:
        git_dir: the repository.
        timeout: seconds after which a command is killed.
        access: the way in to the remote, None where no remote is spoken to.
    """

    def __init__(self, git_dir: Path | None, timeout: float, access: Access | None = None) -> None:
        self._git_dir = git_dir
        self._timeout = timeout
        self._access = access
        self._git, self._missing = _load_gitpython()

    def run(self, *arguments: str, stdin: BinaryIO | None = None) -> Finished:
        """Run ``git ARGUMENTS`` to its end; a status other than 0 is the caller's to judge.

        Args:
            arguments: the command and what follows it.
            stdin: an open file, read from its position.

        Raises:
            StoreError: the login that the remote needs cannot be used.
            TransientError: it took longer than the timeout and was killed.
        """
        if self._access is None or arguments[0] not in _REMOTE:
            return self._run(arguments, stdin, Grant())
        with self._access.granted() as grant:
            return self._run(arguments, stdin, grant)

    def _run(self, arguments: Sequence[str], stdin: BinaryIO | None, grant: Grant) -> Finished:
        where = [] if self._git_dir is None else [f"--git-dir={self._git_dir}"]
        environment = {**_ENVIRONMENT, **grant.variables}
        # `env` only ever takes variables away, so no value shows in a list of processes.
        without = [text for name in _taken_away(environment, grant) for text in ("-u", name)]
        command = [
            *(("env", *without) if without else ()),
            *("git", *where, "--literal-pathspecs", *arguments),
        ]
        try:
            status, stdout, stderr = self._git.execute(
                command,
                istream=stdin,
                env=environment,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=self._timeout,
            )
        except self._missing as exc:
            raise _no_git() from exc
        if status == -SIGKILL and stderr.startswith("Timeout: "):
            raise _timed_out(arguments[0], self._timeout)
        output = _as_bytes(stdout)
        if status != 0:
            # Only what is shown is changed: what succeeded is read, and must be as it is.
            output = grant.redact(output.decode(errors="replace")).encode()
        return Finished(arguments[0], status, output, grant.redact(stderr))


def _timed_out(command: str, timeout: float) -> TransientError:
    return TransientError(
        Reason.STATE_STORE_UNREACHABLE,
        f"git {command} on the state store was killed: it took longer than {timeout:g} seconds. "
        "Whether it had an effect is not known; it is safe to try again.",
    )


def _as_bytes(output: str | bytes | None) -> bytes:
    # GitPython's type leaves open what `stdout_as_string=False` decides.
    return output if isinstance(output, bytes) else b""


def _taken_away(environment: Mapping[str, str], grant: Grant) -> Iterator[str]:
    return (
        name
        for name in sorted(os.environ)
        if name not in environment
        and (name in grant.withheld or name.startswith(("GIT_", "TROTH_")))
        and (name in grant.withheld or name not in _KEPT)
        and not name.startswith("GIT_PYTHON_")
    )


def _load_gitpython() -> "tuple[Git, type[Exception]]":
    """Import GitPython, which looks for git while it is imported and fails if there is none.

    Returns:
        GitPython's runner, and what it raises when git is gone later.
    """
    try:
        from git.cmd import Git  # noqa: PLC0415  (so that a missing git is an error of ours)
        from git.exc import GitCommandNotFound  # noqa: PLC0415  (the same)
    except ImportError as exc:
        raise _no_git() from exc
    # A folder that is always there: all that git is given is absolute.
    return Git(os.sep), GitCommandNotFound


def _no_git() -> StoreError:
    return StoreError(
        Reason.STATE_STORE_UNSUPPORTED,
        "A state store in Git needs the program git (2.39 or newer); it is not on PATH.",
    )
