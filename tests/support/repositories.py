"""Real Git repositories for tests: a bare remote, an ordinary clone, and what git says of them.

Git is called directly here, not through the code under test.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from troth_statestore.git import GitSettings, GitStore

__all__ = ["RECORDS", "Clone", "OpenStore", "Remote", "git", "git_fails"]

RECORDS = "troth/records/main"

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Somebody Else",
    "GIT_AUTHOR_EMAIL": "else@example.com",
    "GIT_COMMITTER_NAME": "Somebody Else",
    "GIT_COMMITTER_EMAIL": "else@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **_ENVIRONMENT},
    )


def git(*arguments: str | Path) -> str:
    """Run git and return what it prints, without the last newline."""
    done = _run(*arguments)
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.removesuffix("\n")


def git_fails(*arguments: str | Path) -> bool:
    """Tell whether git refuses."""
    return _run(*arguments).returncode != 0


@dataclass(frozen=True)
class Clone:
    """An ordinary clone with a worktree: a person, or another writer."""

    folder: Path

    def push(self, files: dict[str, str], message: str = "By hand") -> str:
        """Commit files on top of what the remote has, push, and return the commit."""
        if not git_fails("-C", self.folder, "fetch", "-q", "origin", "main"):
            git("-C", self.folder, "reset", "-q", "--hard", "origin/main")
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        return self.commit_and_push(message)

    def commit_and_push(self, message: str, *options: str) -> str:
        """Commit the worktree as it is and push."""
        git("-C", self.folder, "add", "-A", "-f")
        git("-C", self.folder, "commit", "-q", "--allow-empty", "-m", message)
        git("-C", self.folder, "push", "-q", *options, "origin", "HEAD:main")
        return git("-C", self.folder, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Remote:
    """A bare repository on this machine, and a log of the pushes it took."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Remote":
        """Make it empty, counting pushes from the start."""
        git("init", "-q", "--bare", "-b", "main", folder)
        remote = cls(folder)
        remote.hook("post-receive", 'sed "s/.* //" | tr "\\n" " " >> pushes; echo >> pushes')
        return remote

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        return git("--git-dir", self.folder, *arguments)

    def clone(self, folder: Path) -> Clone:
        """Make an ordinary clone."""
        git("clone", "-q", self.folder, folder)
        return Clone(folder)

    def hook(self, name: str, script: str) -> None:
        """Install a hook."""
        path = self.folder / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def pushes(self) -> list[list[str]]:
        """Return the refs of each push so far, sorted."""
        log = self.folder / "pushes"
        return (
            [sorted(line.split()) for line in log.read_text().splitlines()] if log.exists() else []
        )

    def files(self, branch: str = "main") -> dict[str, str]:
        """Return path → content at the tip of a branch."""
        if not self.has(branch):
            return {}
        names = self.git("ls-tree", "-r", "-z", "--name-only", branch).split("\0")[:-1]
        return {name: self.git("cat-file", "blob", f"{branch}:{name}") for name in names}

    def has(self, branch: str) -> bool:
        """Tell whether a branch exists."""
        return not git_fails("--git-dir", self.folder, "rev-parse", "-q", "--verify", branch)

    def messages(self, branch: str = "main") -> list[str]:
        """Return the messages of a branch's commits, the oldest first."""
        if not self.has(branch):
            return []
        log = self.git("log", "--reverse", "--format=%B%x00", branch)
        return [message.strip("\n") for message in log.split("\0")[:-1]]

    def subjects(self, branch: str = "main") -> list[str]:
        """Return the subjects of a branch's commits, the oldest first."""
        return [message.splitlines()[0] for message in self.messages(branch)]

    def tip(self, branch: str = "main") -> str:
        """Return the commit at the tip of a branch."""
        return self.git("rev-parse", "--verify", branch)


class OpenStore(Protocol):
    """Opens a `GitStore` on the test's remote, or on another."""

    def __call__(
        self,
        url: str | None = None,
        *,
        branch: str = "main",
        path: str = "",
        settings: GitSettings | None = None,
    ) -> GitStore: ...
