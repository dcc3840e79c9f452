"""The sequence that a writer with a worktree runs for each request, in an ordinary clone."""

import os
import subprocess
import time
from pathlib import Path

from bench._workload import files, folder

__all__ = ["worktree_seconds"]

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Troth",
    "GIT_AUTHOR_EMAIL": "noreply@troth.dev",
    "GIT_COMMITTER_NAME": "Troth",
    "GIT_COMMITTER_EMAIL": "noreply@troth.dev",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def worktree_seconds(remote: Path, clone: Path, namespaces: int, numbers: range) -> list[float]:
    """Clone `remote`, then write a new version of each request; return the seconds of each."""
    _git(clone.parent, "clone", "-q", str(remote), str(clone))
    return [_seconds(clone, namespaces, number) for number in numbers]


def _seconds(clone: Path, namespaces: int, number: int) -> float:
    content = files(number, namespaces, version=10_000)
    place = folder(number, namespaces)
    begin = time.perf_counter()
    _git(clone, "reset", "-q", "--hard")
    _git(clone, "clean", "-q", "-ffdx")
    _git(clone, "rm", "-r", "-q", "--ignore-unmatch", "--", place)
    for path, data in content.items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_bytes(data)
    _git(clone, "add", "--", *content)
    if not _git(clone, "diff", "--cached", "--quiet", "--exit-code", allowed=1):
        raise AssertionError("the sample changes nothing")
    _git(clone, "commit", "-q", "-m", f"Update {place}")
    _git(clone, "push", "-q", "origin", "HEAD")
    return time.perf_counter() - begin


def _git(folder: Path, *arguments: str, allowed: int = 0) -> int:
    done = subprocess.run(
        ["git", *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **_ENVIRONMENT},
    )
    if done.returncode not in {0, allowed}:
        raise AssertionError(f"git {arguments[0]}: {done.stderr}")
    return done.returncode
