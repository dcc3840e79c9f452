"""The Git hosts of the tests do what the tests of faults rely on; plain git is the client."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git_http import Answer, Cut, Fault, GitHost, serve_git
from support.git_ssh import serve_ssh
from support.repositories import Clone, Remote, git


@pytest.fixture
def clone(remote: Remote, tmp_path: Path) -> Clone:
    return remote.clone(tmp_path / "clone")


def push(clone: Clone, url: str, **environ: str) -> subprocess.CompletedProcess[str]:
    git("-C", clone.folder, "commit", "-q", "--allow-empty", "-m", "One more")
    return subprocess.run(
        ["git", "-C", str(clone.folder), "push", url, "HEAD:main"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_large_push_arrives_in_chunks_and_a_fetch_compressed(
    remote: Remote, clone: Clone
) -> None:
    (clone.folder / "f").write_bytes(os.urandom(2_000_000))
    git("-C", clone.folder, "add", "f")
    with serve_git(remote.folder.parent) as host:
        done = push(clone, host.url("remote.git"))
        git("clone", "-q", host.url("remote.git"), clone.folder.parent / "other")

    assert done.returncode == 0
    assert "chunked" in {one.headers.get("Transfer-Encoding") for one in host.requests}
    assert remote.subjects() == ["One more"]


def pushes(fault: Fault) -> Callable[[GitHost], None]:
    def set_fault(host: GitHost) -> None:
        host.fault = lambda request: fault if request.is_push else None

    return set_fault


@pytest.mark.parametrize(
    ("fault", "landed"),
    [
        (Fault(answer=Answer(429, {"Retry-After": "7"})), False),
        (Fault(cut=Cut.BEFORE), False),
        (Fault(cut=Cut.HALFWAY), True),
        (Fault(cut=Cut.AFTER), True),
    ],
)
def test_a_fault_hook_decides_what_becomes_of_a_push_and_of_its_answer(
    remote: Remote, clone: Clone, fault: Fault, landed: bool
) -> None:
    with serve_git(remote.folder.parent) as host:
        pushes(fault)(host)
        done = push(clone, host.url("remote.git"))

    assert done.returncode != 0
    assert remote.subjects() == (["One more"] if landed else [])


@pytest.mark.parametrize(("user", "lets_in"), [("team:right", True), ("team:wrong", False)])
def test_a_password_is_asked_for(remote: Remote, clone: Clone, user: str, lets_in: bool) -> None:
    with serve_git(remote.folder.parent, users={"team": "right"}) as host:
        done = push(clone, host.url("remote.git", f"{user}@127.0.0.1"))

    assert (done.returncode == 0) is lets_in


def test_sshd_serves_the_one_key(remote: Remote, clone: Clone, tmp_path: Path) -> None:
    with serve_ssh(tmp_path / "ssh") as host:
        options = (
            "ssh -F none -o IdentityAgent=none -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes "
            f"-o UserKnownHostsFile={host.known_hosts}"
        )
        let_in = push(clone, host.url(remote.folder), GIT_SSH_COMMAND=f"{options} -i {host.key}")
        turned_away = push(
            clone, host.url(remote.folder), GIT_SSH_COMMAND=f"{options} -i /dev/null"
        )

    assert let_in.returncode == 0, let_in.stderr
    assert "Permission denied (publickey)" in turned_away.stderr
