"""Sealed secrets as people use them: real commands, a real repository, what its clusters open."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.sealed_workspace import SealedWorkspace
from support.sealing import certificate_pem, private_key
from support.workspace import ROOT

from troth.api import Fields

FORCED = "kratix.io/manual-reconciliation"
ENDED = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def workspace(tmp_path: Path) -> SealedWorkspace:
    return SealedWorkspace(tmp_path)


def generation(workspace: SealedWorkspace) -> object:
    return Fields(workspace.status()).items("credentials")[-1].raw["generation"]


def test_the_first_sync_seals_and_the_next_ones_change_nothing(workspace: SealedWorkspace) -> None:
    states = [workspace.run()["state"] for _ in range(3)]

    assert states == ["Written", "Unchanged", "Unchanged"]
    assert len(workspace.opened()) == 32
    assert len(workspace.commits()) == 1


def test_forced_syncs_change_nothing(workspace: SealedWorkspace) -> None:
    workspace.run()
    workspace.labels[FORCED] = "true"
    first = workspace.sealed()
    states = [workspace.run()["state"]]
    records = workspace.commits("troth/records/main")
    states += [workspace.run()["state"] for _ in range(2)]

    assert states == ["Unchanged"] * 3
    assert workspace.sealed() == first
    assert workspace.commits("troth/records/main") == records


def test_nothing_of_the_value_stands_anywhere(workspace: SealedWorkspace) -> None:
    workspace.run()
    workspace.run(rotation={"request": "again"})

    assert workspace.opened() not in workspace.everything()


def test_a_plan_makes_nothing_and_says_what_would_be_done(workspace: SealedWorkspace) -> None:
    workspace.lay()
    run = workspace.sealing("plan")

    assert "Outside, sync would: make the password orders, generation 1." in run.out
    assert "+    password: (known after apply)" in run.out
    assert not (workspace.path / workspace.store).exists()


def test_a_plan_of_a_rotation_changes_nothing(workspace: SealedWorkspace) -> None:
    workspace.run()
    before = workspace.sealed()
    workspace.lay(rotation={"request": "now"})
    run = workspace.sealing("plan")

    assert "make the password orders, generation 2" in run.out
    assert "+    password: (known after apply)" in run.out
    assert workspace.sealed() == before


def test_a_request_for_a_new_one_rotates_once(workspace: SealedWorkspace) -> None:
    workspace.run()
    first = workspace.opened()
    states = [workspace.run(rotation={"request": "leaked"})["state"] for _ in range(2)]

    assert states == ["Written", "Unchanged"]
    assert workspace.opened() != first
    assert generation(workspace) == 2


@pytest.mark.parametrize("key", [None, "another key, as long as it needs to be"])
def test_a_lost_sealing_key_keeps_the_ciphertext_and_is_said_once_it_was_missed(
    workspace: SealedWorkspace, key: str | None
) -> None:
    workspace.run()
    first = workspace.sealed()
    if key is None:
        shutil.rmtree(workspace.path / "secrets/default")
    else:
        workspace.write("secrets/default/troth-sealing/key", key)
    workspace.labels[FORCED] = "true"
    forced = workspace.run()
    kept = workspace.sealed()
    workspace.run(rotation={"request": "now"})

    assert forced["state"] == "Unchanged"
    assert kept == first
    message = str(workspace.status()["message"])
    assert message == (
        "generation 2, sealed without a sealing key" if key is None else "generation 2"
    )


def test_a_renewed_certificate_changes_nothing(workspace: SealedWorkspace) -> None:
    workspace.run()
    first = workspace.sealed()
    renewed = certificate_pem(private_key("renewed")).decode()
    workspace.write("platform/ours.pem", renewed)
    unforced = workspace.run()
    workspace.labels[FORCED] = "true"
    forced = workspace.run()

    assert (unforced["state"], forced["state"]) == ("Unchanged", "Unchanged")
    assert workspace.sealed() == first


def test_another_sealing_epoch_rotates_exactly_once(workspace: SealedWorkspace) -> None:
    workspace.run()
    first = workspace.opened()
    epoch = {"troth.dev/sealing-epoch": "rebuilt", "troth.dev/sealing-certificate": "new.pem"}
    workspace.write("platform/new.pem", certificate_pem(private_key("new")).decode())
    workspace.cluster("west", **epoch)
    states = [workspace.run()["state"] for _ in range(2)]

    assert states == ["Written", "Unchanged"]
    assert workspace.opened("new") != first
    assert generation(workspace) == 2


def test_rotations_for_lost_keys_are_counted_and_limited(workspace: SealedWorkspace) -> None:
    workspace.run()
    first = workspace.sealed()
    workspace.cluster("west", **{"troth.dev/sealing-epoch": "rebuilt"})

    plan = workspace.sealing("plan")
    held = workspace.sealing("sync", "--rotation-limit", "0")
    between = workspace.sealed()
    workspace.environ["TROTH_ROTATION_LIMIT"] = "1"
    made = workspace.sealing("sync")

    counted = "Credentials for clusters that lost their keys:"
    assert plan.out.rstrip().endswith(f"Would be: 1 written. {counted} 1 made anew.")
    assert held.out.rstrip().endswith(f"1 waiting. {counted} 0 made anew, 1 waiting.")
    assert (held.code, made.code) == (0, 0)
    assert between == first != workspace.sealed()
    assert made.out.rstrip().endswith(f"1 written. {counted} 1 made anew.")


def test_another_secret_is_made_for_another_name(workspace: SealedWorkspace) -> None:
    workspace.run()
    states = [workspace.run(secretName="renamed")["state"] for _ in range(2)]

    assert states == ["Written", "Unchanged"]
    assert len(workspace.opened(name="renamed")) == 32
    assert generation(workspace) == 2


def test_an_expired_certificate_stops_what_is_to_be_sealed_and_nobody_else(
    workspace: SealedWorkspace,
) -> None:
    workspace.run()
    first = workspace.sealed()
    workspace.write("platform/ours.pem", certificate_pem(private_key(), end=ENDED).decode())
    workspace.labels[FORCED] = "true"
    kept = workspace.run()
    refused = workspace.run(rotation={"request": "now"})

    assert kept["state"] == "Unchanged"
    assert (refused["state"], refused["reason"]) == ("Refused", "CertificateUnusable")
    assert "Destination west: the sealing certificate" in str(refused["message"])
    assert "has expired" in str(refused["message"])
    assert workspace.sealed() == first


def test_an_expired_certificate_is_told_by_a_plan_too(workspace: SealedWorkspace) -> None:
    workspace.write("platform/ours.pem", certificate_pem(private_key(), end=ENDED).decode())
    workspace.lay()

    run = workspace.sealing("plan", "-o", "json")

    assert run.items["orders"]["reason"] == "CertificateUnusable"


def test_an_expired_certificate_stops_no_promise_that_seals_nothing(
    workspace: SealedWorkspace,
) -> None:
    workspace.write("platform/ours.pem", certificate_pem(private_key(), end=ENDED).decode())
    workspace.ask("shop")  # a TeamNamespace, of the Promise that is still there

    assert workspace.sealing("sync", "-o", "json").items["shop"]["state"] == "Written"


def test_without_a_certificate_nothing_is_made_and_the_message_says_what_to_do(
    workspace: SealedWorkspace,
) -> None:
    workspace.cluster("west", None)
    item = workspace.run()

    assert (item["state"], item["reason"]) == ("Refused", "CertificateUnusable")
    assert "Give the Destination the annotation troth.dev/sealing-certificate" in str(
        item["message"]
    )
    assert workspace.commits() == []


def test_a_certificate_that_was_taken_away_leaves_what_was_sealed(
    workspace: SealedWorkspace,
) -> None:
    workspace.run()
    first = workspace.sealed()
    workspace.cluster("west", None)

    assert workspace.run()["reason"] == "CertificateUnusable"
    assert workspace.sealed() == first


def test_several_clusters_need_to_be_told_apart(workspace: SealedWorkspace) -> None:
    workspace.cluster("east", "east")
    item = workspace.run()

    assert item["reason"] == "CertificateUnusable"
    assert "troth.dev/seals-for" in str(item["message"])


def test_of_several_clusters_the_one_is_sealed_for_that_the_selectors_match(
    workspace: SealedWorkspace,
) -> None:
    workspace.cluster("west", zone="west")
    workspace.cluster("east", "east", zone="east")
    workspace.selectors = {"zone": "east"}
    workspace.run()

    assert len(workspace.opened("east", "east")) == 32


def test_of_several_that_match_only_what_goes_where_it_is_sealed_for_is_made(
    workspace: SealedWorkspace,
) -> None:
    workspace.cluster("east", "east")
    outcomes: dict[str, object] = {}
    for name in ("west", "east"):
        workspace.store = f"{name}.git"
        workspace.annotations["troth.dev/seals-for"] = name
        outcomes[name] = workspace.run()["reason"]
        written = len(workspace.commits())
        assert written == (outcomes[name] == "Created")

    assert set(outcomes.values()) == {"Created", "SealedForAnother"}


def test_a_promise_that_seals_for_one_without_a_certificate_is_refused(
    workspace: SealedWorkspace,
) -> None:
    workspace.cluster("north", None)
    workspace.annotations["troth.dev/seals-for"] = "north"

    assert workspace.run()["reason"] == "CertificateUnusable"
    assert workspace.commits() == []


def test_another_name_of_the_same_cluster_rotates_nothing(workspace: SealedWorkspace) -> None:
    workspace.run()
    first = workspace.sealed()
    workspace.cluster("backup")  # of both, the first by name counts for what is new
    workspace.labels[FORCED] = "true"

    assert workspace.run()["state"] == "Unchanged"
    assert workspace.sealed() == first


def test_testing_the_bundle_makes_nothing(workspace: SealedWorkspace) -> None:
    shutil.copytree(ROOT / "promises/generated-secret", workspace.path / "bundle")
    run = workspace.troth("test", "bundle")

    assert run.code == 0, run.out
    assert "failed" not in run.out
