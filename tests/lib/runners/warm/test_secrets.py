"""Secrets that stages are given: how they come, and that they go nowhere."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from support.warm import IMAGES, Acme, container, job, process_of

from troth.api import Json, SecretKind, SecretRef
from troth.errors import InvalidInputError, Reason, StageError, TrothError
from troth.runners import Leak, StageJob, StageResult
from troth.runners.warm import WarmRunner

TOKEN = "uat_Zm9yYmlkZGVu-4711"  # noqa: S105  (of nobody)
CREDS = "-----BEGIN-----\nfirst-line-of-it\nlast-line-of-it\n-----END-----\n"


class Kept:
    """Secrets in memory."""

    def __init__(self) -> None:
        self.objects: dict[SecretRef, dict[str, bytes]] = {
            SecretRef("default", "login"): {"token": TOKEN.encode(), "creds": CREDS.encode(),
                                            "binary": b"\xff"},
            SecretRef("default", "login", SecretKind.CONFIG_MAP): {"token": b"not-a-secret"},
        }  # fmt: skip

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        if reference not in self.objects:
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, f"{reference} not found.")
        return self.objects[reference]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def runner(acme: Acme, kept: Kept) -> Iterator[WarmRunner]:
    del acme
    with WarmRunner(IMAGES, workers=1, secrets=kept) as found:
        yield found


def given(
    stage: str, kind: str = "secretKeyRef", reference: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Return a container whose variable TOKEN comes from an object."""
    source: Json = {"name": "login", "key": "token", **(reference or {})}
    return container(stage, env=[{"name": "TOKEN", "valueFrom": {kind: source}}])


def seen(result: StageResult) -> dict[str, str | None]:
    found: dict[str, str | None] = json.loads(result.files["seen.json"])
    return found


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def error_of(runner: WarmRunner, asked: StageJob) -> TrothError:
    with pytest.raises(TrothError) as caught:
        runner.run(asked)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "value"), [("secretKeyRef", TOKEN), ("configMapKeyRef", "not-a-secret")]
)
def test_a_stage_is_given_what_its_variable_refers_to(
    runner: WarmRunner, kind: str, value: str
) -> None:
    result = runner.run(job(given("tell", kind), text="TOKEN"))

    assert seen(result) == {"TOKEN": digest(value)}


def test_a_value_that_changed_is_taken_up_by_the_next_run(runner: WarmRunner, kept: Kept) -> None:
    runner.run(job(given("tell"), text="TOKEN"))
    kept.objects[SecretRef("default", "login")] = {"token": b"another"}

    assert seen(runner.run(job(given("tell"), text="TOKEN"))) == {"TOKEN": digest("another")}


@pytest.mark.parametrize("missing", [{"name": "nobody"}, {"key": "nothing"}])
def test_an_optional_variable_that_cannot_be_had_is_left_out(
    runner: WarmRunner, missing: dict[str, Json]
) -> None:
    result = runner.run(job(given("tell", reference={**missing, "optional": True}), text="TOKEN"))

    assert seen(result) == {"TOKEN": None}


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"name": "nobody"}, "default/nobody"),
        ({"key": "nothing"}, "has no key 'nothing'; it has: binary, creds, token"),
        ({"key": "binary"}, "is no text"),
    ],
)
def test_a_variable_that_cannot_be_had_stops_the_run_and_is_named(
    runner: WarmRunner, missing: dict[str, Json], words: str
) -> None:
    error = error_of(runner, job(given("tell", reference=missing), text="TOKEN"))

    assert words in error.message


def test_a_run_without_secrets_says_how_to_give_them(acme: Acme) -> None:
    del acme
    with WarmRunner(IMAGES, workers=1) as runner:
        error = error_of(runner, job(given("tell"), text="TOKEN"))

    assert error.reason is Reason.SECRET_NOT_FOUND
    assert "--secrets-dir" in error.message


def test_a_rehearsal_goes_on_without_secrets(acme: Acme) -> None:
    del acme
    with WarmRunner(IMAGES, workers=1) as runner:
        result = runner.run(replace(job(given("tell"), text="TOKEN"), rehearsed=True))

    assert seen(result) == {"TOKEN": None}


@pytest.mark.parametrize(
    ("how", "key", "file"),
    [
        ("plain", "token", "output/said.yaml"),
        ("base64", "token", "output/said.yaml"),
        ("line", "creds", None),  # a frame is no secret
        ("plain", "creds", "output/said.yaml"),
        ("plain status", "token", "metadata/status.yaml"),
        ("none", "token", None),
    ],
)
def test_a_file_that_a_secret_stands_in_is_named(
    runner: WarmRunner, how: str, key: str, file: str | None
) -> None:
    result = runner.run(job(given("betray", reference={"key": key}), text=how))

    assert result.leaks == ((Leak(file, "TOKEN"),) if file else ())


def test_a_name_that_is_refused_is_not_quoted_with_a_secret_in_it(runner: WarmRunner) -> None:
    error = error_of(runner, job(given("betray"), text="link"))

    assert error.reason is Reason.UNSAFE_PATH
    assert "[a secret]" in error.message
    assert TOKEN not in error.message
    assert error.__cause__ is None


def test_a_line_of_a_secret_gives_it_away(runner: WarmRunner, kept: Kept) -> None:
    kept.objects[SecretRef("default", "login")] = {"token": b"head\nmiddle-of-a-key"}

    assert runner.run(job(given("betray"), text="line")).leaks


def test_what_a_config_map_holds_is_no_secret(runner: WarmRunner) -> None:
    assert runner.run(job(given("betray", "configMapKeyRef"), text="plain")).leaks == ()


def test_a_variable_that_is_made_of_a_secret_is_one(runner: WarmRunner) -> None:
    stage = given("betray")
    stage["env"] = [
        {"name": "BASE", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}},
        {"name": "TOKEN", "value": "Bearer $(BASE)"},
    ]

    assert runner.run(job(stage, text="base64")).leaks == (
        Leak("output/said.yaml", "BASE"),  # it stands in the other one
        Leak("output/said.yaml", "TOKEN"),
    )


@pytest.mark.parametrize("how", ["print", "raise", "refuse"])
def test_no_message_quotes_a_secret(runner: WarmRunner, how: str) -> None:
    error = error_of(runner, job(given("mutter"), text=how))

    assert "[a secret]" in error.message
    assert TOKEN not in error.message


@pytest.mark.parametrize("cut", range(0, len(TOKEN), 3))
def test_no_message_quotes_what_a_cut_left_of_a_secret(runner: WarmRunner, cut: int) -> None:
    """Texts over 10,000 characters come from the worker without their beginning."""
    number = 10_000 - 1990 - len(TOKEN) + cut
    asked = job(given("mutter"), text="raise", number=number)

    assert TOKEN[-8:] not in error_of(runner, asked).message


def test_what_a_stage_refuses_with_is_cut_at_the_same_end(runner: WarmRunner) -> None:
    asked = job(given("mutter"), text="refuse", number=10_000 - len(TOKEN) + 3)

    assert TOKEN[:8] not in error_of(runner, asked).message


def test_a_worker_that_saw_the_secrets_of_a_promise_serves_no_other(runner: WarmRunner) -> None:
    first = process_of(runner.run(job(given("tell"), text="TOKEN")))
    again = process_of(runner.run(job(given("tell"), text="TOKEN")))
    without = process_of(runner.run(job("process")))
    other = process_of(runner.run(replace(job(given("tell"), text="TOKEN"), promise="other")))

    assert first == again
    assert first not in {without, other}


def test_a_stage_that_fails_leaves_no_secret_in_the_error(runner: WarmRunner) -> None:
    error = error_of(runner, job(given("mutter"), text="raise"))

    assert isinstance(error, StageError)
    assert TOKEN not in repr(error.__dict__)
    assert error.__cause__ is None
