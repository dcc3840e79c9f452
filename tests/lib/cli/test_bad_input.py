"""Bad input: a clear error, nothing written for that request, its old files kept, the rest written.

Every case puts something bad beside a good request, in a store where the bad one was good before.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.warm import Acme
from support.workspace import ROOT, Workspace

from troth.api import Json, JsonObject

BAD = "requests/bad.yaml"


def request_text(name: str = "bad", **spec: Json) -> JsonObject:
    return {
        "apiVersion": "marketplace.troth.dev/v1alpha1",
        "kind": "TeamNamespace",
        "metadata": {"name": name},
        "spec": {"team": "bad", "environment": "dev", "owners": ["admins"], **spec},
    }


def broken_yaml(workspace: Workspace) -> None:
    workspace.write(BAD, "apiVersion: v1\nkind: [\n")


def unknown_kind(workspace: Workspace) -> None:
    workspace.write(BAD, {**request_text(), "kind": "TeamNamespaze"})


def schema_violations(workspace: Workspace) -> None:
    text = (
        "apiVersion: marketplace.troth.dev/v1alpha1\nkind: TeamNamespace\nmetadata: {name: bad}\n"
        "spec:\n  team: bad\n  environment: de-v\n  owners: []\n  siez: small\n"
    )
    workspace.write(BAD, text)


def same_identity(workspace: Workspace) -> None:
    workspace.ask("bad", size="large")
    workspace.write("requests/again.yaml", request_text(size="medium"))


def name_too_long(workspace: Workspace) -> None:
    workspace.write(BAD, request_text(team="b" * 61))


def odd_label(workspace: Workspace) -> None:
    raw = request_text()
    raw = {**raw, "metadata": {"name": "bad", "labels": {"a b": "c"}}}
    workspace.write(BAD, raw)


INPUTS: list[tuple[Callable[[Workspace], None], str, list[str]]] = [
    (broken_yaml, "InvalidYAML", ["requests/bad.yaml:3:"]),
    (unknown_kind, "PromiseNotFound", ["requests/bad.yaml:2:", "TeamNamespaze"]),
    (
        schema_violations,
        "SchemaViolation",
        [
            "requests/bad.yaml:6: spec.environment",
            "requests/bad.yaml:7: spec.owners",
            "requests/bad.yaml:8: spec.siez: unknown field; did you mean 'size'?",
        ],
    ),
    (same_identity, "AmbiguousIdentity", ["requests/again.yaml:1", "requests/bad.yaml:1"]),
    (name_too_long, "InvalidName", ["63"]),
    (odd_label, "InvalidObject", ["requests/bad.yaml:", "a b"]),
]


@pytest.mark.parametrize(
    ("spoil", "reason", "words"), INPUTS, ids=[case[0].__name__ for case in INPUTS]
)
def test_a_bad_request_costs_itself_alone(
    workspace: Workspace,
    spoil: Callable[[Workspace], None],
    reason: str,
    words: list[str],
) -> None:
    workspace.ask("bad")
    workspace.sync()
    old = workspace.git("ls-tree", "-r", "main")
    spoil(workspace)
    workspace.ask("good")

    run = workspace.sync()

    said = [item for item in run.all_items if item["reason"] == reason]
    assert run.code == 1
    assert said
    assert all(item["state"] == "Refused" for item in said)
    assert all(any(word in str(item["message"]) for item in said) for word in words)
    assert run.items["good"]["state"] == "Written"
    assert set(old.splitlines()) <= set(workspace.git("ls-tree", "-r", "main").splitlines())


@pytest.fixture
def hostile(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace, with the distribution of hostile stages in reach of the command."""
    folder = tmp_path / "site"
    folder.mkdir()
    Acme(folder).install()
    path = os.environ.get("PYTHONPATH")
    workspace.environ["PYTHONPATH"] = f"{folder}:{path}" if path else str(folder)
    return workspace


def offer(workspace: Workspace, stage: str, image: str = "acme-stage:1.4") -> None:
    """Install a Promise whose one stage is `stage`, asked for by the request ``bad``."""
    text = (ROOT / "tests" / "data" / "saying-promise.yaml").read_text()
    workspace.write("saying.yaml", text.replace("STAGE", stage).replace("IMAGE", image))


def ask_saying(workspace: Workspace, **spec: Json) -> None:
    workspace.write(
        BAD,
        {
            "apiVersion": "acme.example.com/v1",
            "kind": "Saying",
            "metadata": {"name": "bad"},
            "spec": spec,
        },
    )


STAGES: list[tuple[str, dict[str, Json], str, str]] = [
    ("fail", {"text": "boom"}, "StageFailed", "boom"),
    ("hang", {"text": "/dev/null"}, "StageTimeout", "2"),
    ("exits", {"number": 0}, "StageFailed", "exit"),
    ("exit_hard", {"number": 3}, "StageCrashed", ""),
    ("kill", {"number": 9}, "StageCrashed", ""),
    ("eat", {"number": 2000}, "StageOutOfMemory", "512"),
    ("say", {"text": "not an object"}, "NotAnObject", "bad.yaml:1"),
    ("link", {"text": "output/a.yaml"}, "UnsafePath", "a.yaml"),
    ("escape", {"text": "../x"}, "UnsafePath", "../x"),
    ("bulk", {"number": 2001, "text": "1"}, "TooLarge", "2000"),
    ("bulk", {"number": 1, "text": "1048577"}, "TooLarge", "1,048,577"),
    ("nonesuch", {}, "StageNotFound", "nonesuch"),
]


@pytest.mark.parametrize(
    ("stage", "spec", "reason", "words"),
    STAGES,
    ids=[f"{case[0]}-{case[2]}" for case in STAGES],
)
def test_a_bad_stage_costs_its_request_alone(
    hostile: Workspace, stage: str, spec: dict[str, Json], reason: str, words: str
) -> None:
    offer(hostile, stage)
    ask_saying(hostile, **spec)
    hostile.ask("good")

    options = ("saying.yaml", "--image", "acme-stage:*=acme", "--stage-timeout", "2")
    run = hostile.sync(*options)

    assert run.code == 1
    assert run.items["bad"]["reason"] == reason, run.items["bad"]
    assert words in str(run.items["bad"]["message"])
    assert run.items["good"]["state"] == "Written"
    assert "bad" not in hostile.git("ls-tree", "-r", "--name-only", "main")


@pytest.mark.parametrize(
    ("image", "words"),
    [("acme-stage:2.0", "1.4"), ("other:1", "other:1"), ("acme-stage@sha256:00", "sha256")],
)
def test_an_image_that_is_not_served_is_named(hostile: Workspace, image: str, words: str) -> None:
    offer(hostile, "say", image)
    ask_saying(hostile)

    run = hostile.sync("saying.yaml", "--image", "acme-stage:*=acme")

    assert run.items["bad"]["reason"] == "ImageNotServed"
    assert words in str(run.items["bad"]["message"])


def test_no_matching_destination_writes_nothing_and_names_the_labels(
    workspace: Workspace,
) -> None:
    promise = (workspace.path / "promise.yaml").read_text()
    selectors = "spec:\n  destinationSelectors: [{matchLabels: {env: prod}}]\n"
    workspace.write("promise.yaml", promise.replace("\nspec:\n", f"\n{selectors}", 1))
    workspace.write(
        "destination.yaml",
        "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\n"
        "metadata: {name: dev, labels: {env: dev}}\n"
        "spec: {path: dev, stateStoreRef: {kind: GitStateStore, name: any}}\n",
    )
    workspace.ask("bad")

    run = workspace.sync("destination.yaml")

    assert run.code == 1
    assert run.items["bad"]["state"] == "Unscheduled"
    assert "env=prod" in str(run.items["bad"]["message"])
    assert workspace.commits() == []


def test_a_request_without_its_promise_says_which_kind_is_missing(workspace: Workspace) -> None:
    path = workspace.ask("bad")

    run = workspace.troth("sync", str(path), "-s", workspace.store, "-o", "json")

    assert run.code == 1
    assert run.items["bad"]["reason"] == "PromiseNotFound"
    assert "TeamNamespace" in str(run.items["bad"]["message"])


def test_a_refusing_remote_is_quoted_in_its_own_words(workspace: Workspace) -> None:
    workspace.ask("bad")
    workspace.troth("sync", "promise.yaml", "-s", workspace.store)
    hook = workspace.path / workspace.store / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'Only on weekdays, says the platform team.' >&2\nexit 1\n")
    hook.chmod(0o755)

    run = workspace.sync()

    assert run.code == 1
    assert run.items["bad"]["reason"] == "StateStoreRefused"
    assert "Only on weekdays, says the platform team." in str(run.items["bad"]["message"])


def test_an_unreachable_remote_ends_with_one_and_says_where(workspace: Workspace) -> None:
    workspace.ask("bad")

    run = workspace.troth("sync", "promise.yaml", "requests", "-s", "http://127.0.0.1:1/x.git")

    assert run.code == 1
    assert "http://127.0.0.1:1/x.git" in run.err
    assert "Traceback" not in run.err


def test_an_unparsable_record_stops_its_request_alone(workspace: Workspace) -> None:
    workspace.ask("bad")
    workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")
    [record] = (workspace.path / "plain").glob(".troth/records/requests/*/default/namespace/*")
    record.write_text("{")
    workspace.ask("good")

    run = workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain", "-o", "json")

    assert run.code == 1
    assert run.items["bad"]["reason"] == "RecordUnreadable"
    assert run.items["good"]["state"] == "Written"
