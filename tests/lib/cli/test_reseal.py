"""``troth reseal``: old ciphertexts under a renewed certificate, and nothing else."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.fake_controller import FakeController, serve_controller
from support.generated_secrets import opened
from support.git_http import Answer, Fault, GitHost
from support.sealed_workspace import SealedWorkspace
from support.sealing import certificate_pem, private_key
from support.web import free_port
from support.workspace import Run

from troth.api import Json, JsonObject, load_object

FORCED = "kratix.io/manual-reconciliation"
RECORDS = "troth/records/main"
OTHERS = ("invoices", "shipping")


@dataclass
class Platform:
    """A workspace with a controller whose certificate can be renewed."""

    workspace: SealedWorkspace
    controller: FakeController
    host: GitHost

    def lay(self, *names: str, **labels: Json) -> None:
        """Write further requests like the first one."""
        self.workspace.lay()
        for name in names:
            self.workspace.write(f"requests/{name}.yaml", self.request(name, **labels))

    def request(self, name: str, **labels: Json) -> JsonObject:
        return {
            "apiVersion": "marketplace.troth.dev/v1alpha1",
            "kind": "GeneratedSecret",
            "metadata": {"name": name, "labels": dict(labels)},
            "spec": {"type": "password", "secretName": name},
        }

    def renew(self) -> None:
        """Renew the key; the certificate is put where the Destination names it."""
        self.controller.keys.append("renewed")
        renewed = certificate_pem(private_key("renewed")).decode()
        self.workspace.write("platform/ours.pem", renewed)

    def reseal(self, *arguments: str, controller: str | None = None) -> Run:
        address = self.host.url("") if controller is None else controller
        return self.workspace.sealing("reseal", "--controller", address, *arguments)

    def sync(self) -> list[object]:
        """Sync; return the states."""
        return [item["state"] for item in self.workspace.sealing("sync", "-o", "json").all_items]

    def tips(self) -> list[str]:
        return [self.workspace.git("rev-parse", one) for one in ("main", RECORDS)]

    def password(self, name: str, key: str) -> bytes:
        content = self.file(name).encode() + b"\n"
        return opened(content, name, key, "default")["password"]

    def file(self, name: str) -> str:
        folder = f"west/resources/default/generated-secret/{name}/configure/5058f"
        return self.workspace.git("show", f"main:{folder}/sealed-secret.yaml")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """Give a platform with one request that is fulfilled."""
    workspace, controller = SealedWorkspace(tmp_path / "work"), FakeController()
    with serve_controller(tmp_path, controller) as host:
        yield Platform(workspace, controller, host)


@pytest.fixture
def aged(platform: Platform) -> Platform:
    """Give a platform with a value that is under an old certificate."""
    platform.workspace.run()
    platform.renew()
    return platform


def line(run: Run, name: str = "orders") -> dict[str, Json]:
    return run.items[name]


def test_a_value_is_the_same_under_the_renewed_certificate_and_sync_finds_nothing(
    aged: Platform,
) -> None:
    before = aged.workspace.opened()

    run = aged.reseal()

    assert (run.code, run.err) == (0, "")
    assert "Values: 1 sealed anew." in run.out
    assert aged.workspace.opened("renewed") == before
    tips = aged.tips()
    assert aged.sync() == ["Unchanged"]
    assert aged.tips() == tips


def test_a_forced_sync_finds_nothing_either(aged: Platform) -> None:
    aged.reseal()
    files = aged.workspace.sealed()
    aged.workspace.labels[FORCED] = "true"
    aged.workspace.lay()

    assert aged.sync() == ["Unchanged"]
    assert aged.workspace.sealed() == files


def test_only_the_ciphertext_changes_though_the_template_comes_back_bare(aged: Platform) -> None:
    before = aged.workspace.sealed().splitlines()
    aged.reseal()
    after = aged.workspace.sealed().splitlines()

    [changed] = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed.startswith(b"    password: A")


def test_it_is_one_commit_for_a_request_with_a_receipt_and_what_is_written_is_proved(
    aged: Platform,
) -> None:
    aged.reseal()

    assert aged.workspace.commits()[0] == "Reseal default/orders (generated-secret)"
    message = aged.workspace.git("log", "-1", "--format=%B", "main")
    assert "Troth-Request: default/generated-secret/orders" in message
    proof = aged.workspace.troth("verify", "-s", aged.workspace.store)
    assert proof.out == "1 proved.\n"


def test_the_second_time_nobody_is_asked(aged: Platform) -> None:
    aged.reseal()
    tips, asked = aged.tips(), len(aged.host.requests)

    run = aged.reseal()

    assert (run.code, run.out) == (0, "Values: 1 under the newest already.\n")
    assert len(aged.host.requests) == asked
    assert aged.tips() == tips


def test_a_dry_run_asks_and_writes_nothing_and_says_what_would_be_done(aged: Platform) -> None:
    tips = aged.tips()

    run = aged.reseal("--dry-run")

    assert run.code == 0
    assert "WOULD BE" in run.out
    assert "Values: 1 would be sealed anew." in run.out
    assert aged.host.requests == []
    assert aged.tips() == tips


def test_the_report_has_the_counts_of_each_request(aged: Platform) -> None:
    item = line(aged.reseal("-o", "json"))

    assert (item["state"], item["reason"]) == ("Written", "Updated")
    assert (item["resealed"], item["kept"], item["current"], item["unknown"]) == (1, 0, 0, 0)
    assert item["revision"] == aged.tips()[0]
    assert len(item["changed"] or ()) == 1  # type: ignore[arg-type]


def test_a_controller_that_refuses_one_keeps_that_one_and_the_rest_goes_on(
    platform: Platform,
) -> None:
    platform.lay(*OTHERS)
    platform.sync()
    platform.renew()
    before = platform.file("invoices")
    refused = Fault(answer=Answer(500))
    platform.controller.fault = lambda name: refused if name == "invoices" else None

    run = platform.reseal("-o", "json")

    assert run.code == 1
    states = {name: (item["state"], item["resealed"], item["kept"])
              for name, item in run.items.items()}  # fmt: skip
    assert states == {
        "invoices": ("Refused", 0, 1),
        "orders": ("Written", 1, 0),
        "shipping": ("Written", 1, 0),
    }
    assert line(run, "invoices")["reason"] == "SealerFailed"
    assert platform.file("invoices") == before
    assert platform.password("shipping", "renewed")
    assert platform.sync() == ["Unchanged"] * 3


def test_another_object_for_an_answer_is_not_taken(aged: Platform) -> None:
    tips = aged.tips()
    aged.controller.change = lambda answer: {**answer, "metadata": {"name": "x", "namespace": "y"}}

    run = aged.reseal("-o", "json")

    assert run.code == 1
    assert "it is another object" in str(line(run)["message"])
    assert aged.tips() == tips


def test_a_controller_that_is_not_there_keeps_everything(aged: Platform) -> None:
    tips = aged.tips()

    run = aged.reseal("-o", "json", controller=f"http://127.0.0.1:{free_port()}")

    assert run.code == 1
    assert (line(run)["state"], line(run)["kept"]) == ("Failed", 1)
    assert aged.tips() == tips


def test_one_that_hangs_three_times_in_a_row_is_not_waited_for_again(platform: Platform) -> None:
    platform.lay(*OTHERS, "returns")
    platform.sync()
    platform.renew()
    platform.controller.fault = lambda _: Fault(wait=1.5, answer=Answer(200))

    run = platform.reseal("-o", "json", "--controller-timeout", "0.5")

    assert run.code == 1
    assert len(platform.controller.asked) == 3
    assert "it is not asked any more" in str(line(run, "shipping")["message"])


def test_a_controller_with_another_certificate_than_the_destination_names_is_not_asked(
    aged: Platform,
) -> None:
    aged.controller.keys.append("newer")

    run = aged.reseal("-o", "json")

    assert (run.code, line(run)["reason"]) == (1, "CertificateUnusable")
    assert "Put the controller's newest there first" in str(line(run)["message"])
    assert aged.controller.asked == []


def test_what_was_asked_while_the_key_was_renewed_again_is_not_written(aged: Platform) -> None:
    def renewed_again(_: str) -> None:
        aged.controller.keys.append("newer")

    aged.controller.fault = renewed_again
    tips = aged.tips()

    run = aged.reseal("-o", "json")

    assert (run.code, line(run)["reason"]) == (1, "CertificateUnusable")
    assert "got another certificate meanwhile" in str(line(run)["message"])
    assert aged.tips() == tips


def test_a_request_that_somebody_else_writes_meanwhile_keeps_what_they_wrote(
    aged: Platform,
) -> None:
    def rotated(_: str) -> None:
        aged.workspace.run(rotation={"request": "now"})

    aged.controller.fault = rotated

    run = aged.reseal("-o", "json")

    assert (run.code, line(run)["state"], line(run)["kept"]) == (1, "Failed", 1)
    assert aged.workspace.commits()[0] == "Update default/orders (generated-secret)"
    assert len(aged.workspace.opened("renewed")) == 32


def paused(platform: Platform) -> None:
    platform.workspace.labels["kratix.io/paused"] = "true"
    platform.workspace.lay()


def changed(platform: Platform) -> None:
    platform.workspace.lay(rotation={"request": "now"})


def labelled(platform: Platform) -> None:
    """Change the request in a way that no file tells of."""
    platform.workspace.labels["team"] = "shop"
    platform.workspace.lay()


def taken_away(platform: Platform) -> None:
    (platform.workspace.path / "requests/orders.yaml").unlink()


def suspended(platform: Platform) -> None:
    platform.workspace.labels["kratix.io/workflow-suspended"] = "true"
    platform.workspace.lay()


def edited(platform: Platform) -> None:
    workspace = platform.workspace
    hand = workspace.path / "hand"
    workspace.git("worktree", "add", "-q", str(hand), "main")
    [file] = hand.rglob("sealed-secret.yaml")
    file.write_text(file.read_text() + "# by hand\n")
    for arguments in (["add", "."], ["commit", "-qm", "By hand"]):
        workspace.git("-C", str(hand), "--git-dir", str(hand / ".git"), "-c", "user.name=me",
                      "-c", "user.email=me@example.com", *arguments)  # fmt: skip
    shutil.rmtree(hand)


def another_epoch(platform: Platform) -> None:
    platform.workspace.cluster("west", None, **{
        "troth.dev/sealing-certificate": "ours.pem", "troth.dev/sealing-epoch": "rebuilt",
    })  # fmt: skip


def without_destination(platform: Platform) -> None:
    (platform.workspace.path / "platform/west.yaml").unlink()
    platform.workspace.cluster("north", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (paused, "Paused"),
        (suspended, "WorkflowSuspended"),
        (changed, "SyncFirst"),
        (labelled, "SyncFirst"),
        (taken_away, "SyncFirst"),
        (edited, "Drifted"),
        (another_epoch, "KeyReplaced"),
        (without_destination, "DestinationGone"),
    ],
)
def test_what_cannot_be_sealed_anew_now_is_said_and_kept(
    aged: Platform, change: Callable[[Platform], None], reason: str
) -> None:
    change(aged)
    tips = aged.tips()

    run = aged.reseal("-o", "json")

    assert (run.code, line(run)["reason"], line(run)["kept"]) == (1, reason, 1)
    assert aged.tips() == tips


@pytest.mark.parametrize("change", [paused, edited, another_epoch])
def test_nobody_is_asked_for_what_is_known_to_be_kept(
    aged: Platform, change: Callable[[Platform], None]
) -> None:
    change(aged)
    if change is paused:
        aged.sync()

    assert aged.reseal().code == 1
    assert aged.controller.asked == []


def test_a_selection_leaves_the_others_alone(platform: Platform) -> None:
    platform.lay(*OTHERS)
    platform.sync()
    platform.renew()
    before = platform.file("invoices")

    run = platform.reseal("-o", "json", "--name", "orders")

    assert (run.code, list(run.items)) == (0, ["orders"])
    assert platform.controller.asked == ["orders"]
    assert platform.file("invoices") == before


def test_the_controller_follows_from_a_certificate_that_is_had_from_it(
    platform: Platform,
) -> None:
    url = platform.host.url("").rstrip("/")
    platform.workspace.cluster("west", None, **{"troth.dev/sealing-certificate": url})
    platform.workspace.run()
    platform.controller.keys.append("renewed")

    run = platform.workspace.sealing("reseal")

    assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 1 sealed anew.")
    assert len(platform.workspace.opened("renewed")) == 32


def test_where_nothing_says_where_the_controller_is_that_is_said(aged: Platform) -> None:
    run = aged.workspace.sealing("reseal", "-o", "json")

    assert run.code == 1
    assert "give --controller west=URL" in str(line(run)["message"])


def test_a_controller_for_a_destination_that_is_not_given_is_refused(aged: Platform) -> None:
    run = aged.reseal(controller=f"weste={aged.host.url('')}")

    assert run.code == 2
    assert "names the Destination weste" in run.err


def test_behind_an_api_server_the_secret_of_a_service_account_lets_in(tmp_path: Path) -> None:
    tls = Certificates.make(tmp_path / "tls")
    workspace = SealedWorkspace(tmp_path / "work")
    path = "/api/v1/namespaces/kube-system/services/http:sealed-secrets:http/proxy"
    controller = FakeController(["ours"], path, "a.b.c")
    workspace.write("secrets/platform/west-api/token", "a.b.c\n")
    workspace.write("secrets/platform/west-api/ca.crt", tls.bundle.read_text())
    with serve_controller(tmp_path, controller, tls.good) as host:
        annotations = {
            "troth.dev/sealing-certificate": f"{host.url(path.removeprefix('/'))}/v1/cert.pem",
            "troth.dev/sealing-access": "platform/west-api",
        }
        workspace.cluster("west", None, **annotations)
        first = workspace.run()
        controller.keys.append("renewed")
        run = workspace.sealing("reseal")
        listed = workspace.troth(
            *("secrets", "list", "platform", "-s", workspace.store, "--secrets-dir", "secrets")
        )

    assert first["state"] == "Written"
    assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 1 sealed anew.")
    assert "1 under the newest certificate" in listed.out
    assert "a.b.c" not in run.out + run.err + listed.out + listed.err


def test_in_one_file_for_all_each_request_keeps_its_part(tmp_path: Path) -> None:
    workspace, controller = SealedWorkspace(tmp_path / "work"), FakeController()
    with serve_controller(tmp_path, controller) as host:
        platform = Platform(workspace, controller, host)
        destination = load_object((workspace.path / "platform/west.yaml").read_text(), "west")
        spec = destination["spec"]
        assert isinstance(spec, dict)
        filepath: Json = {"mode": "aggregatedYAML"}
        workspace.write(
            "platform/west.yaml", {**destination, "spec": {**spec, "filepath": filepath}}
        )
        platform.lay(*OTHERS)
        assert platform.sync() == ["Written"] * 3
        platform.renew()
        before = workspace.git("show", "main:west/aggregated.yaml")

        run = platform.reseal()

        after = workspace.git("show", "main:west/aggregated.yaml")
        assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 3 sealed anew.")
        differing = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True)
                     if old != new]  # fmt: skip
        assert [one.split(":")[0].strip() for one in differing] == ["password"] * 3
        assert platform.sync() == ["Unchanged"] * 3
        assert workspace.troth("verify", "-s", workspace.store).out == "3 proved.\n"


def test_two_destinations_of_one_cluster_are_asked_for_once(platform: Platform) -> None:
    platform.workspace.cluster("west")
    platform.workspace.run()
    platform.renew()

    assert platform.reseal().code == 0
    assert platform.controller.asked == ["orders"]


def test_a_store_that_is_not_there_is_not_made(platform: Platform) -> None:
    platform.workspace.lay()

    run = platform.reseal()

    assert run.code == 2
    assert not (platform.workspace.path / platform.workspace.store).exists()


def test_values_that_no_status_tells_of_are_counted_and_left_alone(aged: Platform) -> None:
    sealed = load_object(aged.workspace.sealed().decode(), "sealed")
    aged.workspace.write(
        "platform/static.yaml",
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": "static"},
            "spec": {"dependencies": [{**sealed, "metadata": {"name": "x", "namespace": "y"}}]},
        },
    )
    aged.sync()

    run = aged.reseal()

    assert (run.code, run.out.splitlines()[-1]) == (
        0, "Values: 1 sealed anew, 1 of unknown certificate.",
    )  # fmt: skip
    assert aged.sync() == ["Unchanged"] * 2
