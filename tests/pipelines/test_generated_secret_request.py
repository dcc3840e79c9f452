"""What may be asked for, what is refused and how, and what another wish does."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.bundles import schema_of
from support.generated_secrets import Folder, opened
from support.tools import require
from support.workspace import ROOT

from troth.api import Destination, Fields, Json, Promise, load_object
from troth.errors import InvalidInputError, OutputRefusedError, Reason, StageError
from troth_pipelines.credentials import State
from troth_pipelines.stages.generated_secret import GeneratedSecretSpec

PROMISE = Promise.parse(
    load_object((ROOT / "promises/generated-secret/promise.yaml").read_text(), "promise.yaml")
)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "certificate"},
        {"secretName": "Orders"},
        {"secretName": ""},
        {"key": "a key"},
        {"key": ""},
        {"type": "basic-auth", "username": "a:b"},
        {"type": "ssh-key", "username": "a\nb"},
        {"password": {"length": 11}},
        {"password": {"length": 257}},
        {"password": {"symbols": "ä"}},
        {"password": {"symbols": "a"}},
        {"password": {"symbols": " "}},
        {"secretMode": "patch-nothing"},
        {"secretSeen": ["owned"]},
        {"rotation": {"every": "1w"}},
        {"rotation": {"every": ""}},
        {"rotation": {"request": "x" * 65}},
        {"colour": "red"},
        {"password": {"colour": "red"}},
    ],
)
def test_the_schema_and_the_model_refuse_the_same(spec: dict[str, Json]) -> None:
    asked: dict[str, Json] = {"type": "password", "secretName": "orders", **spec}

    assert schema_of(PROMISE).violations(asked)
    with pytest.raises(ValidationError):
        GeneratedSecretSpec.model_validate(asked)


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({"type": "basic-auth"}, "username", "needs one"),
        ({"type": "password", "username": "x"}, "username", "the type password has none"),
        ({"type": "token", "username": "x"}, "username", "the type token has none"),
        ({"type": "ssh-key", "key": "x"}, "key", "the keys that Kubernetes names"),
        ({"type": "basic-auth", "username": "x", "key": "x"}, "key", "Kubernetes names"),
        ({"rotation": {"every": "0d"}}, "every", "is no duration"),
        ({"rotation": {"every": "59m"}}, "every", "is less than an hour"),
        ({"rotation": {"every": "9999d"}}, "every", "is no duration"),
    ],
)
def test_fields_that_contradict_each_other_are_refused_by_name(
    tmp_path: Path, spec: dict[str, Json], field: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Folder(tmp_path).run(**spec)

    assert caught.value.field[-1] == field
    assert words in caught.value.message


@pytest.mark.parametrize("key", [".", ".."])
def test_a_key_that_kubernetes_refuses_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidInputError, match="is no key of a Secret"):
        Folder(tmp_path).run(key=key)


def test_another_type_of_the_same_secret_is_refused_since_kubernetes_changes_none(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    folder.run()
    with pytest.raises(InvalidInputError) as caught:
        folder.run(type="ssh-key")

    assert caught.value.field == ("spec", "type")
    assert "of the type Opaque, and Kubernetes makes no kubernetes.io/ssh-auth" in (
        caught.value.message
    )


@pytest.mark.parametrize(
    "spec", [{"type": "ssh-key", "secretName": "other"}, {"type": "token"}], ids=str
)
def test_another_type_is_made_where_kubernetes_takes_it(
    tmp_path: Path, spec: dict[str, Json]
) -> None:
    folder = Folder(tmp_path)
    folder.run()

    assert set(opened(folder.run(**spec), str(spec.get("secretName", "orders"))))


@pytest.mark.parametrize(
    "spec",
    [
        {"password": {"length": 33}},
        {"key": "other"},
        {"rotation": {"request": "now"}},
        {"type": "token"},
    ],
)
def test_another_wish_for_the_value_makes_it_anew_once(
    tmp_path: Path, spec: dict[str, Json]
) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    second = folder.run(**spec)

    assert second != first
    assert folder.run(**spec) == second
    assert Fields(folder.status).items("credentials")[0].raw["generation"] == 2


@pytest.mark.parametrize(
    "spec", [{"password": {"length": 32, "symbols": ""}}, {"key": None}, {"rotation": {}}]
)
def test_what_was_meant_anyway_makes_nothing_anew(tmp_path: Path, spec: dict[str, Json]) -> None:
    folder = Folder(tmp_path)

    assert folder.run() == folder.run(**spec)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "b6f6e807c1e8a783"),
        ({"password": {"length": 40, "symbols": "-_"}}, "e6ae4b49bf1d7be0"),
        ({"type": "token", "key": "api"}, "a92a476438d1f5e4"),
        ({"type": "ssh-key", "username": "x"}, "3692bf59618391f5"),
    ],
)
def test_a_later_version_takes_no_old_wish_for_another(
    tmp_path: Path, spec: dict[str, Json], expected: str
) -> None:
    """Another digest would rotate every secret that was ever made: see what changed it."""
    folder = Folder(tmp_path)
    folder.run(**spec)

    assert State.load(folder.status).wanted == expected


def test_another_schedule_counts_from_when_the_value_was_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    unscheduled = folder.control()
    second = folder.run(rotation={"every": "30d"})
    (credential,) = Fields(folder.status).items("credentials")
    issued, expires = (datetime.fromisoformat(credential.text(k)) for k in ("issued", "expires"))

    assert second == first
    assert expires - issued == timedelta(days=30)
    assert folder.status["expires"] == credential.text("expires")
    assert (unscheduled, list(folder.control())) == ({}, ["reconcileAfter"])


def test_a_schedule_that_is_taken_out_ends_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run(rotation={"every": "30d"})

    assert folder.run() == first
    assert folder.status["expires"] == "never"
    assert folder.control() == {}


def test_a_status_that_somebody_spoilt_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.run()
    folder.status["credentials"] = "none"

    with pytest.raises(InvalidInputError) as caught:
        folder.run()
    assert caught.value.reason is Reason.INVALID_STATUS


def test_a_request_that_its_schema_let_through_and_the_model_does_not_blames_the_promise(
    tmp_path: Path,
) -> None:
    with pytest.raises(StageError, match="The Promise has to be mended"):
        Folder(tmp_path).run(type="certificate")


def test_the_readme_shows_what_its_readers_read(tmp_path: Path) -> None:
    page = (ROOT / "promises/generated-secret/README.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    request, place, workload = (load_object(block, "README.md") for block in blocks)
    spec = Fields(request).mapping("spec")
    sealed = load_object(Folder(tmp_path).run(**spec).decode(), "sealed-secret.yaml")

    assert schema_of(PROMISE).violations(schema_of(PROMISE).fill(spec)) == []
    assert Destination.parse(place).certificate == "west.pem"
    assert Fields(sealed).section("metadata").text("name") in str(workload)


def test_another_mode_needs_a_look_and_makes_no_other_value(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    with pytest.raises(OutputRefusedError, match=r"spec\.secretSeen"):
        folder.run(secretMode="patch")

    second = folder.run(secretMode="patch", secretSeen=["patch"])

    assert opened(second) == opened(first)
    assert b'sealedsecrets.bitnami.com/patch: "true"' in second.replace(b"'", b'"')


def test_kubeseal_seals_where_the_promise_says_so(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.environ["TROTH_SEALER"] = str(require("kubeseal"))

    first = folder.run()

    assert len(opened(first)["password"]) == 32
    assert folder.run() == first
