"""``troth drift``: users that vanish behind our back are found and made anew; nobody else asks."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_client import connect_nats
from support.nats_server import serve_nats
from support.nats_system import TestSystem
from support.nats_users import SECRETS, synadia_account
from support.nats_workspace import SECRETS_DIR, ask, give_secrets, nats_workspace
from support.sealing import private_key, unseal
from support.synadia.faults import Cut, Fault
from support.synadia.plane import Plane
from support.synadia.pushing import kept_in_step
from support.synadia.visits import TOKEN
from support.workspace import ROOT, Run, Workspace

from troth.api import Fields, load_object

FOLDER = "worker/resources/default/nats-user"
MANY = 50


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        served.plane.add_account("A2")
        yield served


@pytest.fixture
def workspace(tmp_path: Path, fake: FakeSynadia) -> Workspace:
    """Two accounts, and one request for a user of the first, which is fulfilled."""
    given = {
        name: synadia_account(fake, account=account, token="SYNADIA_TOKEN")  # noqa: S106  (a name)
        for name, account in {"apps": "A1", "devices": "A2"}.items()
    }
    workspace = nats_workspace(tmp_path, given)
    ask(workspace, "orders")
    assert sync(workspace).code == 0
    return workspace


def sync(workspace: Workspace) -> Run:
    return workspace.sync(*SECRETS_DIR)


def drift(workspace: Workspace, *options: str, paths: tuple[str, ...] = ("requests",)) -> Run:
    given = ("promise.yaml", *paths, "--state-store", workspace.store)
    return workspace.troth("drift", *given, *SECRETS_DIR, *options)


def states(run: Run) -> dict[str, object]:
    return {name: item["state"] for name, item in run.items.items()}


def delete(fake: FakeSynadia, name: str) -> None:
    (found,) = (user.id for user in fake.plane.users.values() if user.name == name)
    fake.plane.delete_user(found)


def creds(workspace: Workspace, name: str) -> str:
    """Return what the cluster has."""
    path = f"{FOLDER}/{name}/configure/5058f/sealed-secret.yaml"
    sealed = load_object(workspace.git("show", f"main:{path}"), path)
    data = Fields(sealed).section("spec").section("encryptedData").text("nats.creds")
    return unseal(data, "default/nats", private_key()).decode()


def test_all_is_well_says_so_in_one_line_and_changes_nothing(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    issued, commits = len(fake.plane.issuances), workspace.git("rev-list", "--all")

    run = drift(workspace)

    assert run.code == 0, run.out + run.err
    assert run.out == "Asked account apps (nats-user) in 5 calls.\n1 intact.\n"
    assert len(fake.plane.issuances) == issued
    assert workspace.git("rev-list", "--all") == commits


def test_fifty_requests_in_two_accounts_ask_each_account_once(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    (workspace.path / "requests/orders.yaml").unlink()
    give_secrets(workspace, "other")
    for number in range(MANY):
        of, home = ("apps", "devices")[number % 2], ("default", "other")[number % 4 // 2]
        ask(workspace, f"u{number}", of=of, home=home, into=f"nats-{number}")
    assert sync(workspace).code == 0
    fake.faults.calls.clear()

    run = drift(workspace, "-o", "json")

    assert set(states(run).values()) == {"Intact"}
    assert len(run.all_items) == MANY
    assert fake.calls == {
        "list teams": 2,
        "list systems": 2,
        "list accounts": 2,
        "list users": 2,
        "show account": 2,
    }
    assert json.loads(run.out)["calls"] == [
        {"promise": "nats-user", "account": name, "calls": 5} for name in ("apps", "devices")
    ]


def test_a_user_deleted_behind_our_back_is_found_repaired_and_found_well(
    workspace: Workspace, fake: FakeSynadia, tmp_path: Path
) -> None:
    ask(workspace, "billing", into="billing")
    with serve_nats(tmp_path / "nats", TestSystem()) as server, kept_in_step(fake.plane, server):
        assert sync(workspace).code == 0
        delete(fake, "default.orders-g1")
        issued, commits = len(fake.plane.issuances), workspace.commits()

        found = drift(workspace)
        assert workspace.commits() == commits
        repaired = drift(workspace, "--repair", "-o", "json")

        assert (found.code, repaired.code) == (1, 0), found.err + repaired.out + repaired.err
        assert "Drifted: default/orders (nats-user): the user default.orders-g1 was" in found.out
        assert states(repaired) == {"orders": "Repaired", "billing": "Intact"}
        assert len(fake.plane.issuances) == issued + 1
        assert len(workspace.commits()) == len(commits) + 1
        with connect_nats(server.url, creds(workspace, "orders")) as client:
            client.publish("orders.new")

    tips, fake_calls = workspace.git("rev-list", "--all"), fake.called()
    assert sync(workspace).code == 0
    assert fake.called() == fake_calls
    assert drift(workspace, "--repair").code == 0
    assert len(fake.plane.issuances) == issued + 1
    assert workspace.git("rev-list", "--all") == tips


def test_a_repair_removes_and_writes_nothing_else(workspace: Workspace, fake: FakeSynadia) -> None:
    ask(workspace, "billing", into="billing")
    assert sync(workspace).code == 0
    (workspace.path / "requests/billing.yaml").unlink()
    ask(workspace, "new", into="new")
    delete(fake, "default.orders-g1")

    run = drift(workspace, "--repair")

    assert run.code == 0, run.out + run.err
    names = sorted(user.name for user in fake.plane.users.values())
    assert names == ["default.billing-g1", "default.orders-g2"]
    kept = workspace.git("ls-tree", "--name-only", f"main:{FOLDER}").split()
    assert kept == ["billing", "orders"]


def test_a_repair_without_the_request_says_that_it_is_missing(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    delete(fake, "default.orders-g1")

    run = drift(workspace, "--repair", paths=("requests/destination.yaml",))

    assert run.code == 1
    assert "was not handed in" in run.out
    assert len(fake.plane.issuances) == 1


def test_a_provider_that_is_down_is_said_and_nothing_changes(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    ask(workspace, "phone", of="devices", into="phone")
    assert sync(workspace).code == 0
    delete(fake, "default.orders-g1")
    fake.faults.next("list users", *[Fault(cut=Cut.BEFORE)] * 3)
    tips = workspace.git("rev-list", "--all")

    run = drift(workspace, "--repair", "-o", "json")

    assert run.code == 1
    assert states(run) == {"orders": "Unknown", "phone": "Intact"}
    assert workspace.git("rev-list", "--all") == tips
    assert len(fake.plane.issuances) == 2


def test_a_missing_token_is_said_and_nothing_changes(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    (workspace.path / "secrets/default/nats-platform/token").unlink()
    fake.paths.clear()

    run = drift(workspace, "--repair")

    assert run.code == 1
    assert "the token for account apps is not given" in run.out
    assert fake.paths == []


def test_what_looks_at_nothing_outside_is_counted_and_listed_on_request(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    bundle = ROOT / "promises/generated-secret"
    request = bundle / "resource-request.yaml"
    workspace.write("more/promise.yaml", (bundle / "promise.yaml").read_text())
    workspace.write("requests/request.yaml", request.read_text())
    arguments = ("promise.yaml", "more", "requests", "--state-store", workspace.store)
    synced = workspace.troth("sync", *arguments, *SECRETS_DIR)
    assert synced.code == 0, synced.out

    quiet = workspace.troth("drift", *arguments, *SECRETS_DIR)
    loud = workspace.troth("drift", *arguments, *SECRETS_DIR, "-v")

    assert quiet.code == loud.code == 0
    assert quiet.out.endswith("1 intact, 1 not checked.\n")
    assert "NotChecked" not in quiet.out
    assert "looks at nothing outside" in loud.out
    del fake


@pytest.mark.parametrize("command", ["plan", "sync", "render", "test"])
def test_no_other_command_looks(workspace: Workspace, fake: FakeSynadia, command: str) -> None:
    delete(fake, "default.orders-g1")
    fake.paths.clear()
    arguments = {
        "plan": ("promise.yaml", "requests", "--state-store", "fleet.git", *SECRETS_DIR),
        "sync": ("promise.yaml", "requests", "--state-store", "fleet.git", *SECRETS_DIR),
        "render": ("requests/orders.yaml", "-p", "promise.yaml"),
        "test": (str(ROOT / "promises/nats-user"),),
    }

    run = workspace.troth(command, *arguments[command])

    assert run.code == 0, run.out + run.err
    assert fake.paths == []


def test_only_what_is_selected_is_looked_at(workspace: Workspace, fake: FakeSynadia) -> None:
    ask(workspace, "phone", of="devices", into="phone")
    assert sync(workspace).code == 0
    fake.faults.calls.clear()

    run = drift(workspace, "--name", "phone", "-p", "nats-user", "-n", "default", "-o", "json")

    assert states(run) == {"phone": "Intact"}
    assert fake.called("list users") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--name", "nobody"), "no request of name nobody"),
        (("-n", "x", "-p", "y"), "no request of namespace x, promise y"),
        (("--branch", "elsewhere"), "look at --state-store and --branch"),
    ],
)
def test_what_nobody_knows_is_no_success(
    workspace: Workspace, options: tuple[str, ...], words: str
) -> None:
    run = drift(workspace, *options)

    assert run.code == 2
    assert words in run.err


def test_a_file_that_cannot_be_used_is_no_success(workspace: Workspace) -> None:
    workspace.write("requests/broken.yaml", "{")

    run = drift(workspace)

    assert run.code == 1
    assert "broken.yaml" in run.err
    assert "1 intact" in run.out


def test_neither_git_nor_a_report_holds_a_secret(workspace: Workspace, fake: FakeSynadia) -> None:
    delete(fake, "default.orders-g1")
    runs = [drift(workspace), drift(workspace, "--repair"), drift(workspace, "-v", "-o", "json")]

    told = "".join(run.out + run.err for run in runs)
    everything = workspace.git("log", "--all", "-p", "--format=fuller") + told
    issued = [part for one in fake.plane.issuances for part in one.text.split() if len(part) > 40]
    secrets = [TOKEN, SECRETS["TROTH_SEALING_KEY"], *issued]
    assert [one for one in secrets if "---" not in one and one in everything] == []
