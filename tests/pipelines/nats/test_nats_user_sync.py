"""NATS users through ``troth``: what the engine adds, and what asks no provider for anything."""

from collections.abc import Generator
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.nats_users import SECRETS, synadia_account
from support.nats_workspace import SECRETS_DIR, ask, destination, nats_workspace
from support.sealing import certificate_pem, private_key
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN
from support.workspace import ROOT, Run, Workspace


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


@pytest.fixture
def workspace(tmp_path: Path, fake: FakeSynadia) -> Workspace:
    """The Promise with one account, a Destination with a certificate, Secrets, a store."""
    workspace = nats_workspace(tmp_path, {"apps": synadia_account(fake, token="SYNADIA_TOKEN")})  # noqa: S106  (a name)
    ask(workspace, "orders")
    return workspace


def sync(workspace: Workspace, *options: str) -> Run:
    return workspace.sync(*SECRETS_DIR, *options)


def users(fake: FakeSynadia) -> list[str]:
    return sorted(user.name for user in fake.plane.users.values())


def test_a_sync_writes_the_sealed_secret_and_the_next_one_nothing(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    first = sync(workspace)
    assert first.code == 0, first.out + first.err
    calls, commits = fake.called(), workspace.commits()

    again = sync(workspace)

    assert again.code == 0, again.out
    assert users(fake) == ["default.orders-g1"]
    assert len(fake.plane.issuances) == 1
    assert fake.called() == calls
    assert workspace.commits() == commits


@pytest.mark.parametrize("command", ["plan", "render", "test"])
def test_looking_calls_no_provider(workspace: Workspace, fake: FakeSynadia, command: str) -> None:
    arguments = {
        "plan": ("promise.yaml", "requests", "--state-store", "fleet.git", *SECRETS_DIR),
        "render": ("requests/orders.yaml", "-p", "promise.yaml"),
        "test": (str(ROOT / "promises/nats-user"),),
    }

    run = workspace.troth(command, *arguments[command])

    assert run.code == 0, run.out + run.err
    assert fake.paths == []


def test_a_second_request_for_a_secret_is_refused_before_a_user_is_made(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    assert sync(workspace).code == 0
    ask(workspace, "billing")

    run = sync(workspace)

    assert run.code == 1
    assert run.items["billing"]["reason"] == "ObjectHeld"
    assert "orders" in str(run.items["billing"]["message"])
    assert users(fake) == ["default.orders-g1"]
    assert len(fake.plane.issuances) == 1


def test_two_new_requests_for_one_secret_make_no_second_user(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    ask(workspace, "billing")

    run = sync(workspace)

    assert run.code == 1
    assert len(fake.plane.users) <= 1
    assert len(fake.plane.issuances) == len(fake.plane.users)


def test_a_secret_in_a_foreign_namespace_is_refused_before_a_user_is_made(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    ask(workspace, "orders", namespace="kube-system")

    run = sync(workspace)

    assert run.code == 1
    assert users(fake) == []


def test_deleting_a_request_ends_its_user(workspace: Workspace, fake: FakeSynadia) -> None:
    assert sync(workspace).code == 0
    (workspace.path / "requests/orders.yaml").unlink()

    run = sync(workspace)

    assert run.code == 0, run.out
    assert users(fake) == []
    (account,) = fake.plane.accounts.values()
    assert set(account.keys.revocations) == {fake.plane.issuances[0].public_key}


def test_a_new_epoch_of_a_clusters_keys_renews_once(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    assert sync(workspace).code == 0
    certificate = certificate_pem(private_key("rebuilt")).decode()
    epoch = destination(certificate, **{"troth.dev/sealing-epoch": "2"})
    workspace.write("requests/destination.yaml", epoch)

    assert [sync(workspace).code for _ in range(2)] == [0, 0]

    assert users(fake) == ["default.orders-g1", "default.orders-g2"]
    assert len(fake.plane.issuances) == 2


def test_neither_git_nor_a_report_holds_a_secret(workspace: Workspace, fake: FakeSynadia) -> None:
    run = sync(workspace)
    everything = workspace.git("log", "--all", "-p", "--format=fuller") + run.out + run.err

    (issued,) = fake.plane.issuances
    secrets = [TOKEN, SECRETS["TROTH_SEALING_KEY"], *issued.text.split()]
    assert [
        one for one in secrets if len(one) > 40 and "---" not in one and one in everything
    ] == []


def test_the_platforms_secrets_are_read_where_the_promise_says_and_nowhere_else(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    (workspace.path / "secrets/default").rename(workspace.path / "secrets/platform")
    workspace.write("secrets/default/nats-platform/token", "what a team has put there")
    promise = workspace.path / "promise.yaml"
    line = "# troth.dev/secrets-namespace: platform"
    assert line in promise.read_text()
    promise.write_text(promise.read_text().replace(line, line.removeprefix("# ")))

    assert sync(workspace).code == 0
    assert users(fake) == ["default.orders-g1"]
