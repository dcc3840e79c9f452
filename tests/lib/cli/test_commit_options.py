"""How commits are made, as options, variables and annotations of stores say it."""

from pathlib import Path

import pytest
from support.repositories import RECORDS, Remote
from support.signing_keys import Key, make_key, signed_by
from support.workspace import Workspace

STORE = """\
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: fleet, annotations: {annotations}}}
spec: {{url: fleet.git, gitAuthor: {{name: A Bot, email: bot@example.com}}}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {{name: worker}}
spec: {{path: worker, stateStoreRef: {{kind: GitStateStore, name: fleet}}}}
"""


@pytest.fixture
def key(tmp_path: Path) -> Key:
    (tmp_path / "secrets/platform/bot").mkdir(parents=True)
    return make_key(tmp_path / "secrets/platform/bot/sshPrivateKey")


@pytest.fixture
def remote(workspace: Workspace) -> Remote:
    for name in "ab":
        workspace.ask(name)
    return Remote.create(workspace.path / workspace.store)


def sync(workspace: Workspace, *options: str) -> int:
    return workspace.troth("sync", "promise.yaml", "requests", *options).code


def test_a_key_that_is_given_signs_every_commit(
    workspace: Workspace, remote: Remote, key: Key
) -> None:
    assert sync(workspace, "-s", "fleet.git", "--git-signing-key", str(key.file)) == 0

    assert all(signed_by(remote, "main", key))
    assert all(signed_by(remote, RECORDS, key))


def test_a_key_may_be_given_by_a_variable(workspace: Workspace, remote: Remote, key: Key) -> None:
    workspace.environ["TROTH_GIT_SIGNING_KEY"] = str(key.file)

    assert sync(workspace, "-s", "fleet.git") == 0

    assert all(signed_by(remote, "main", key))


def test_without_the_key_nothing_is_written_and_the_report_says_why(
    workspace: Workspace, remote: Remote
) -> None:
    options = ("-s", "fleet.git", "--git-signing-key", "gone")

    run = workspace.troth("sync", "promise.yaml", "requests", *options, "-o", "json")

    assert run.code == 1
    assert {item["reason"] for item in run.all_items} == {"SigningKeyUnusable"}
    assert "gone cannot be read: No such file" in run.out
    assert not remote.has("main")


def test_a_store_whose_key_is_missing_is_not_ready(workspace: Workspace, remote: Remote) -> None:
    run = workspace.troth("stores", "-s", "fleet.git", "--git-signing-key", "gone")

    assert run.code == 1
    assert "the key gone cannot be read" in run.out


def test_what_is_written_at_once_may_be_one_commit(workspace: Workspace, remote: Remote) -> None:
    assert sync(workspace, "-s", "fleet.git", "--one-commit-a-flush") == 0

    assert "Create 2 requests" in remote.subjects()


def test_the_author_may_be_given(workspace: Workspace, remote: Remote) -> None:
    assert sync(workspace, "-s", "fleet.git", "--git-author", "A Team <team@example.com>") == 0

    assert set(remote.git("log", "--format=%an %ae", "main").splitlines()) == {
        "A Team team@example.com"
    }


@pytest.mark.parametrize("text", ["A Team", "<team@example.com>", "A <>", "A <b> c", "A <b<c>"])
def test_an_author_has_a_name_and_an_address(workspace: Workspace, text: str) -> None:
    run = workspace.troth("sync", "promise.yaml", "-s", "fleet.git", "--git-author", text)

    assert run.code == 2
    assert "--git-author" in run.err


def test_a_store_says_itself_how_its_commits_are_made(
    workspace: Workspace, remote: Remote, key: Key
) -> None:
    annotations = "{troth.dev/commit: flush, troth.dev/signing-key: platform/bot}"
    workspace.write("platform.yaml", STORE.format(annotations=annotations))

    assert sync(workspace, "platform.yaml", "--secrets-dir", "secrets") == 0

    assert "Create 2 requests" in remote.subjects()
    assert all(signed_by(remote, "main", key))
    assert set(remote.git("log", "--format=%an %ae", "main").splitlines()) == {
        "A Bot bot@example.com"
    }


def test_what_the_command_says_wins_over_what_a_store_says(
    workspace: Workspace, remote: Remote, key: Key
) -> None:
    annotations = "{troth.dev/commit: request}"
    workspace.write("platform.yaml", STORE.format(annotations=annotations))
    options = ("--one-commit-a-flush", "--git-signing-key", str(key.file), "--git-author", "C <d>")

    assert sync(workspace, "platform.yaml", *options) == 0

    assert "Create 2 requests" in remote.subjects()
    assert all(signed_by(remote, "main", key))
    assert set(remote.git("log", "--format=%an", "main").splitlines()) == {"C"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "say with --secrets-dir DIR where Secrets are"),
        (("--secrets-dir", "secrets"), "platform/bot"),
    ],
)
def test_without_the_secret_a_store_is_read_and_not_written(
    workspace: Workspace, remote: Remote, options: tuple[str, ...], why: str
) -> None:
    (workspace.path / "secrets").mkdir()
    workspace.write(
        "platform.yaml", STORE.format(annotations="{troth.dev/signing-key: platform/bot}")
    )
    arguments = ("promise.yaml", "requests", "platform.yaml", *options)

    assert workspace.troth("plan", *arguments).code == 0
    run = workspace.troth("sync", *arguments, "-o", "json")

    assert {item["reason"] for item in run.all_items} == {"SigningKeyUnusable"}
    assert why in run.out
    assert not remote.has("main")
