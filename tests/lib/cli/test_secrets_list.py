"""``troth secrets list``: every sealed value, told from the stores alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.generated_secrets import opened
from support.sealed_workspace import SealedWorkspace
from support.sealing import certificate, certificate_pem, private_key
from support.workspace import Run

from troth.api import Json, load_object


@pytest.fixture
def workspace(tmp_path: Path) -> SealedWorkspace:
    """Give a workspace with two requests that are fulfilled, one of which has two values."""
    made = SealedWorkspace(tmp_path)
    made.lay(rotation={"every": "30d"})
    for name, namespace in (("login", "shop"),):
        made.write(
            f"requests/{name}.yaml",
            {
                "apiVersion": "marketplace.troth.dev/v1alpha1",
                "kind": "GeneratedSecret",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"type": "basic-auth", "secretName": f"{name}-secret", "username": "anna"},
            },
        )
        made.write(f"secrets/{namespace}/troth-sealing/key", "0123456789abcdef")
    assert made.sealing("sync").code == 0
    return made


def listed(workspace: SealedWorkspace, *arguments: str) -> Run:
    return workspace.troth("secrets", "list", *arguments, "-s", workspace.store)


def items(workspace: SealedWorkspace, *arguments: str) -> list[dict[str, Json]]:
    run = listed(workspace, *arguments, "-o", "json")
    assert run.code == 0, run.err
    return run.all_items


def keys(found: list[dict[str, Json]]) -> list[object]:
    return [one["key"] for one in found]


def renew(workspace: SealedWorkspace) -> None:
    workspace.write("platform/ours.pem", certificate_pem(private_key("renewed")).decode())


def test_each_value_is_told_with_all_that_is_known_of_it(workspace: SealedWorkspace) -> None:
    first, second, third = items(workspace, "platform")

    assert [first["key"], second["key"], third["key"]] == ["password", "password", "username"]
    issued = datetime.fromisoformat(str(first.pop("issued")))
    expires = first.pop("expires")
    assert (datetime.fromisoformat(str(expires)) - issued).days == 30
    assert abs((datetime.now(UTC) - issued).total_seconds()) < 3600
    assert first == {
        "namespace": "default",
        "promise": "generated-secret",
        "name": "orders",
        "secret": "default/orders",
        "key": "password",
        "destination": "west",
        "certificate": certificate().fingerprint,
        "current": True,
        "generation": 1,
        "reconcileAt": expires,
        "problems": [],
    }
    assert (second["secret"], second["reconcileAt"]) == ("shop/login-secret", None)


def test_a_table_has_a_line_for_each_and_the_counts(workspace: SealedWorkspace) -> None:
    lines = listed(workspace, "platform").out.splitlines()

    assert lines[0].split()[:4] == ["NAMESPACE", "NAME", "PROMISE", "SECRET"]
    assert lines[1].split()[:6] == [
        "default", "orders", "generated-secret", "default/orders", "password", "west",
    ]  # fmt: skip
    assert lines[-1] == "Values: 3 under the newest certificate."


def test_no_plain_value_is_in_it(workspace: SealedWorkspace) -> None:
    password = workspace.opened().decode()
    told = listed(workspace, "platform").out + listed(workspace, "platform", "-o", "json").out

    assert password not in told
    assert opened(workspace.sealed(), "orders", "ours", "default")


def test_without_destinations_nobody_can_tell_what_is_old(workspace: SealedWorkspace) -> None:
    run = listed(workspace)

    assert {one["current"] for one in items(workspace)} == {None}
    assert run.out.splitlines()[-1].startswith("Give the Destinations as PATH")


def test_after_a_renewal_all_are_old(workspace: SealedWorkspace) -> None:
    assert listed(workspace, "platform", "--old").out == "None of 3 sealed values is meant.\n"
    renew(workspace)

    assert len(items(workspace, "platform", "--old")) == 3
    assert "Values: 3 under an old one." in listed(workspace, "platform").out


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (("-n", "shop"), 2),
        (("-n", "default"), 1),
        (("--name", "orders"), 1),
        (("-p", "generated-secret"), 3),
        (("-p", "other"), 0),
        (("-d", "west"), 3),
        (("-d", "east"), 0),
        (("--problems",), 0),
    ],
)
def test_what_is_chosen_is_listed(
    workspace: SealedWorkspace, arguments: tuple[str, ...], number: int
) -> None:
    assert len(items(workspace, "platform", *arguments)) == number


@pytest.mark.parametrize(
    ("order", "first"), [("owner", "orders"), ("secret", "orders"), ("next", "orders")]
)
def test_the_list_is_in_the_order_that_is_asked_for(
    workspace: SealedWorkspace, order: str, first: str
) -> None:
    assert items(workspace, "--sort", order)[0]["name"] == first


@pytest.mark.parametrize("order", ["destination", "age"])
def test_every_order_can_be_had(workspace: SealedWorkspace, order: str) -> None:
    assert len(items(workspace, "--sort", order)) == 3


def problems(found: list[dict[str, Json]]) -> set[str]:
    return {one["kind"] for item in found for one in item["problems"]}  # type: ignore[union-attr, index, call-overload, misc]


def test_values_without_a_fingerprint_are_told(workspace: SealedWorkspace) -> None:
    (workspace.path / "secrets/default/troth-sealing/key").unlink()
    (workspace.path / "secrets/default/troth-sealing").rmdir()
    workspace.run(rotation={"request": "now"})

    assert problems(items(workspace, "platform", "--problems")) == {"NoFingerprint"}


def test_values_of_a_cluster_that_lost_its_keys_are_told(workspace: SealedWorkspace) -> None:
    workspace.cluster("west", **{"troth.dev/sealing-epoch": "rebuilt"})

    found = items(workspace, "platform", "--problems")

    assert problems(found) == {"KeyReplaced"}
    assert {one["current"] for one in found} == {None}


def test_a_certificate_that_cannot_be_had_is_told(workspace: SealedWorkspace) -> None:
    (workspace.path / "platform/ours.pem").unlink()

    assert problems(items(workspace, "platform")) == {"CertificateUnusable"}


def test_a_destination_that_is_gone_is_told(workspace: SealedWorkspace) -> None:
    (workspace.path / "platform/west.yaml").unlink()
    workspace.cluster("east")

    assert problems(items(workspace, "platform")) == {"DestinationGone"}


def test_what_no_status_tells_of_is_listed_as_unknown(workspace: SealedWorkspace) -> None:
    sealed = load_object(workspace.sealed().decode(), "sealed")
    workspace.write(
        "platform/static.yaml",
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": "static"},
            "spec": {"dependencies": [{**sealed, "metadata": {"name": "x", "namespace": "y"}}]},
        },
    )
    workspace.sealing("sync")

    [found] = items(workspace, "platform", "-p", "static")

    assert (found["secret"], found["key"], found["destination"]) == ("y/x", "password", "west")
    assert (found["certificate"], found["current"], found["generation"]) == (None, None, None)


def edit_record(workspace: SealedWorkspace, change: str) -> None:
    """Change the text of the record of the first request, as somebody might by hand."""
    branch, name = "troth/records/main", "requests/*/default/generated-secret/orders.yaml"
    hand = workspace.path / "hand"
    workspace.git("worktree", "add", "-q", str(hand), branch)
    [path] = hand.glob(name)
    record = path.read_text()
    if change == "broken":
        path.write_text("{")
    else:
        spelled = json.loads(record)
        spelled["status"]["sealed"]["values"]["password"]["generation"] = change
        path.write_text(json.dumps(spelled))
    for arguments in (["add", "."], ["commit", "-qm", "By hand"]):
        workspace.git("-C", str(hand), "--git-dir", str(hand / ".git"), "-c", "user.name=me",
                      "-c", "user.email=me@example.com", *arguments)  # fmt: skip


def test_a_record_that_cannot_be_read_is_said_and_ends_with_one(
    workspace: SealedWorkspace,
) -> None:
    edit_record(workspace, "broken")

    run = listed(workspace, "platform", "-o", "json")

    assert run.code == 1
    assert "Not looked at: the record requests/" in run.err
    assert keys(run.all_items) == ["password", "username"]


def test_a_status_that_somebody_changed_is_told_and_its_files_are_unknown(
    workspace: SealedWorkspace,
) -> None:
    edit_record(workspace, "many")

    found = items(workspace, "platform", "--name", "orders")

    assert problems(found) == {"InvalidStatus"}
    assert [one["certificate"] for one in found] == [None, None]
