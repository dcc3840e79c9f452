"""A revocation or renewal that failed is said by every command, and is success for none of them."""

import re
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.nats_users import synadia_account
from support.nats_workspace import SECRETS_DIR, ask, destination, nats_workspace
from support.repositories import RECORDS, git
from support.sealing import certificate_pem, private_key
from support.synadia.faults import Cut, Fault, status
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN
from support.workspace import Run, Workspace

from troth.api import Fields, Json, load_object

ROUTES = (
    *("list teams", "list systems", "list accounts", "show account", "list users"),
    *("create user", "issue creds", "show user"),
)
ENDED = "end the NATS user default.orders-g1 of account apps"
MADE = "make the NATS user default.orders-g2 of account apps"


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("A1")
        yield served


@pytest.fixture
def workspace(tmp_path: Path, fake: FakeSynadia) -> Workspace:
    """Give a request that is fulfilled, and then asks for its first generation to be revoked."""
    workspace = nats_workspace(tmp_path, {"apps": synadia_account(fake, token="SYNADIA_TOKEN")})  # noqa: S106  (a name)
    ask(workspace, "orders")
    assert sync(workspace).code == 0
    want(workspace, rotation={"revokeBefore": 2})
    return workspace


def sync(workspace: Workspace, *options: str) -> Run:
    return workspace.sync(*SECRETS_DIR, *options)


def want(workspace: Workspace, *, forced: bool = False, **spec: Json) -> None:
    """Change the request; `forced` has its stages run before they are due."""
    path = ask(workspace, "orders")
    asked = load_object(path.read_text(), "orders")
    labels = {"labels": {"kratix.io/manual-reconciliation": "true"}} if forced else {}
    metadata: dict[str, Json] = {"name": "orders", "namespace": "default", **labels}
    old = asked["spec"]
    assert isinstance(old, dict)
    workspace.write(
        "requests/orders.yaml", {**asked, "metadata": metadata, "spec": {**old, **spec}}
    )


def show(workspace: Workspace, *which: str) -> Run:
    return workspace.troth("status", *which, "-s", workspace.store, "-o", "json")


def told(run: Run) -> tuple[int, object, object]:
    (item,) = run.all_items
    return run.code, item["state"], item["reason"]


UNDONE = (1, "Failed", "EffectsUndone")


def go_away(fake: FakeSynadia) -> None:
    """Have the provider answer nothing any more."""
    for kind in ROUTES:
        fake.faults.always(kind, Fault(cut=Cut.BEFORE, works=False))


def come_back(fake: FakeSynadia) -> None:
    for kind in ROUTES:
        fake.faults.always(kind, None)


def test_a_revocation_that_failed_fails_every_run_until_it_is_done(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    fake.faults.always("delete user", status(403, "not yours"))

    runs = [sync(workspace) for _ in range(3)]

    assert [told(run) for run in runs] == [UNDONE] * 3
    for run in runs:
        message = str(run.all_items[0]["message"])
        assert message.startswith(f"could not: {ENDED}: Since 20")
        assert "would" not in message
        assert "ProviderRefused" not in message
        assert "It is tried again from 20" in message
    assert sorted(user.name for user in fake.plane.users.values()) == [
        "default.orders-g1",
        "default.orders-g2",
    ]
    assert len(fake.plane.issuances) == 2

    fake.faults.always("delete user", None)
    want(workspace, forced=True, rotation={"revokeBefore": 2})
    assert sync(workspace).code == 0
    want(workspace, rotation={"revokeBefore": 2})
    assert told(sync(workspace)) == told(show(workspace)) == (0, "Unchanged", "UpToDate")
    assert [user.name for user in fake.plane.users.values()] == ["default.orders-g2"]


def test_a_renewal_that_failed_fails_every_run_and_says_since_when(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    go_away(fake)

    first, second = sync(workspace), sync(workspace)

    assert told(first) == told(second) == UNDONE
    for run in (first, second):
        assert str(run.all_items[0]["message"]).startswith(f"could not: {MADE}: Since 20")
    assert first.all_items[0]["placements"] == second.all_items[0]["placements"] != []

    come_back(fake)
    want(workspace, forced=True, rotation={"revokeBefore": 2})
    assert sync(workspace).code == 0


def test_what_is_undone_is_told_by_status_and_by_the_list_of_secrets(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    go_away(fake)
    sync(workspace)

    all_of_them, one = show(workspace), show(workspace, "nats-user/orders")
    listed = workspace.troth("secrets", "list", "-s", workspace.store, "--problems", "-o", "json")

    assert told(all_of_them) == told(one) == UNDONE
    assert str(one.all_items[0]["message"]).startswith(f"could not: {MADE}")
    (problem,) = (value["problems"] for value in listed.all_items)
    assert isinstance(problem, list)
    assert [one["kind"] for one in problem if isinstance(one, dict)] == ["EffectsUndone"]


def test_a_plan_says_what_would_be_done(workspace: Workspace, fake: FakeSynadia) -> None:
    given = ("promise.yaml", "requests", "-s", workspace.store, *SECRETS_DIR, "-o", "json")
    before = workspace.troth("plan", *given)
    go_away(fake)
    sync(workspace)

    after = workspace.troth("plan", *given)

    assert before.code == 0
    assert f"Outside, sync would: {MADE}; {ENDED}." in str(before.all_items[0]["message"])
    assert told(after) == UNDONE  # as the next sync says it: nothing is due yet


def set_back(workspace: Workspace) -> None:
    """Have the record of `orders` say that its credentials ended long ago, and are due."""
    clone, store = workspace.path / "clone", workspace.path / workspace.store
    git("clone", "-q", "-b", RECORDS, store, clone)
    (record,) = clone.rglob("orders.yaml")
    text = record.read_text()
    text = re.sub(r'("(?:expires|reconcileAt)": ")\d{4}', r"\g<1>2001", text)
    record.write_text(re.sub(r'("issued": ")\d{4}', r"\g<1>2000", text))
    git("-C", clone, "commit", "-qam", "Set the clock back")
    git("-C", clone, "push", "-q")


def test_credentials_that_ended_while_the_provider_is_away_are_no_success(
    workspace: Workspace, fake: FakeSynadia
) -> None:
    want(workspace, rotation={})
    assert sync(workspace).code == 0
    set_back(workspace)
    go_away(fake)

    runs = [sync(workspace), sync(workspace), show(workspace)]
    listed = workspace.troth("secrets", "list", "-s", workspace.store, "--problems")

    assert [told(run) for run in runs] == [UNDONE] * 3
    assert "which ended at 2001" in str(runs[1].all_items[0]["message"])
    assert "Expired: default/orders (nats-user), nats.creds: it ended at 2001" in listed.out


def test_what_waits_for_its_turn_since_its_cluster_lost_its_keys_is_not_called_sealed(
    workspace: Workspace,
) -> None:
    want(workspace, rotation={})
    ask(workspace, "phone", into="phone")
    assert sync(workspace).code == 0
    certificate = certificate_pem(private_key("rebuilt")).decode()
    epoch = destination(certificate, **{"troth.dev/sealing-epoch": "2"})
    workspace.write("requests/destination.yaml", epoch)

    assert sync(workspace, "--rotation-limit", "1").code == 0
    waits = show(workspace).items["phone"]
    records = workspace.git("rev-parse", RECORDS)
    listed = workspace.troth("secrets", "list", "-s", workspace.store, "--problems", "-o", "json")
    plan = ("promise.yaml", "requests", "-s", workspace.store, *SECRETS_DIR)
    workspace.troth("plan", *plan, "--rotation-limit", "0")

    assert (waits["state"], waits["reason"]) == ("Waiting", "KeyReplaced")
    assert sealed(show(workspace, "nats-user/phone")) == ("False", "KeyReplaced")
    assert sealed(show(workspace, "nats-user/orders")) == ("True", "Sealed")
    assert list(listed.items) == ["phone"]
    assert workspace.git("rev-parse", RECORDS) == records

    assert sync(workspace).code == 0
    assert sealed(show(workspace, "nats-user/phone")) == ("True", "Sealed")
    assert {item["reason"] for item in show(workspace).all_items} == {"UpToDate"}


def sealed(run: Run) -> tuple[str, str]:
    (item,) = run.all_items
    conditions = Fields(item).section("status").items("conditions")
    (one,) = (each for each in conditions if each.text("type") == "Sealed")
    return one.text("status"), one.text("reason")


def test_the_status_tells_the_next_rotation_and_a_fingerprint_of_each_live_generation(
    workspace: Workspace,
) -> None:
    want(workspace, rotation={"request": "another"})
    assert sync(workspace).code == 0

    (item,) = show(workspace, "nats-user/orders").all_items

    state = Fields(item).section("status")
    first, second = state.items("credentials")
    kept = state.section("sealed").section("values").section("nats.creds")
    assert second.text("fingerprint") == kept.text("fingerprint")
    assert len({first.text("fingerprint"), second.text("fingerprint")}) == 2
    expires = datetime.fromisoformat(second.text("expires"))
    assert datetime.fromisoformat(state.text("nextRotation")) == expires - timedelta(days=7)
