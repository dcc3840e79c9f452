"""Stages that look at what many requests have outside: how they run, and what they may not do."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from support.warm import IMAGES, Acme, container, pipeline

from troth.api import Json, JsonObject, SecretRef, load_object
from troth.errors import InvalidInputError, NotServedError, Reason, TrothError
from troth.runners import Inspected, InspectionJob
from troth.runners.warm import Limits, WarmRunner
from troth.sdk import Finding, Inspection

TOKEN = "uat_Zm9yYmlkZGVu-4711"  # noqa: S105  (of nobody)
SECOND = 10.0


@dataclass
class Kept:
    """Secrets in memory, by namespace; each holds a token."""

    tokens: dict[str, str] = field(default_factory=lambda: {"a": TOKEN, "b": TOKEN})

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        if reference.namespace not in self.tokens:
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, f"{reference} not found.")
        return {"token": self.tokens[reference.namespace].encode()}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def runner(acme: Acme, kept: Kept) -> Iterator[WarmRunner]:
    del acme
    with WarmRunner(IMAGES, workers=1, limits=Limits(seconds=SECOND), secrets=kept) as found:
        yield found


def watching(stage: str = "watch") -> dict[str, Json]:
    source: Json = {"secretKeyRef": {"name": "login", "key": "token"}}
    return container(stage, env=[{"name": "TOKEN", "valueFrom": source}])


def asked(name: str, text: str = "", namespace: str = "a", **spec: Json) -> JsonObject:
    return {
        "apiVersion": "test/v1",
        "kind": "Saying",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"text": text, **spec},
        "status": {"said": name},
    }


def job(*requests: JsonObject, stages: tuple[Mapping[str, Json], ...] = ()) -> InspectionJob:
    found: dict[str, list[JsonObject]] = {}
    for one in requests:
        metadata = one["metadata"]
        assert isinstance(metadata, Mapping)
        found.setdefault(str(metadata["namespace"]), []).append(one)
    return InspectionJob(
        promise="sayings",
        pipeline=pipeline(*(stages or (watching(),))),
        environ={"KRATIX_WORKFLOW_ACTION": "inspect", "KRATIX_PROMISE_NAME": "sayings"},
        requests=found,
        context={"now": "2026-01-02T03:04:05Z", "seed": "00" * 32, "effects": "recall"},
    )


def read(one: Inspected) -> Inspection:
    assert one.error is None, one.error
    assert one.said is not None
    return Inspection.decode(load_object(one.said.decode(), "inspection.json"))


def error_of(one: Inspected) -> TrothError:
    assert one.error is not None
    assert one.said is None
    return one.error


def test_a_stage_looks_at_all_requests_in_one_run(runner: WarmRunner) -> None:
    (one,) = runner.inspect(job(asked("x"), asked("y", "gone"), asked("z")))

    assert one.namespaces == ("a",)
    assert read(one).findings == {
        "a/x": Finding.intact(),
        "a/y": Finding.drifted("it is gone.", ended=True),
        "a/z": Finding.intact(),
    }
    assert list(read(one).calls.values()) == [3]


def test_namespaces_with_the_same_secrets_are_looked_at_together(
    runner: WarmRunner, kept: Kept
) -> None:
    kept.tokens["c"] = "another-token-of-c"

    found = runner.inspect(job(asked("x"), asked("y", namespace="b"), asked("z", namespace="c")))

    assert [one.namespaces for one in found] == [("a", "b"), ("c",)]


def test_a_stage_sees_status_secret_and_action_and_performs_nothing(runner: WarmRunner) -> None:
    (one,) = runner.inspect(job(asked("x", "see")))

    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    said = read(one).findings["a/x"].message
    assert said == f"{digest} inspect False {{'said': 'x'}}"


def test_a_secret_that_is_not_there_is_left_out_and_others_go_on(runner: WarmRunner) -> None:
    found = runner.inspect(job(asked("x", "see"), asked("y", "see", namespace="nowhere")))

    empty = hashlib.sha256(b"").hexdigest()
    messages = [next(iter(read(one).findings.values())).message[:64] for one in found]
    assert messages[1] == empty != messages[0]


def test_a_stage_that_looks_at_nothing_says_nothing(runner: WarmRunner) -> None:
    (one,) = runner.inspect(job(asked("x"), stages=(watching("say"),)))

    assert one == Inspected(("a",))


def test_each_container_looks(runner: WarmRunner) -> None:
    found = runner.inspect(job(asked("x"), stages=(watching(), watching("say"))))

    assert [one.said is None for one in found] == [False, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise", Reason.STAGE_FAILED),
        ("hang", Reason.STAGE_TIMEOUT),
        ("crash", Reason.STAGE_CRASHED),
        ("eat", Reason.STAGE_OUT_OF_MEMORY),
        ("betray", Reason.PLAIN_SECRET),
        ("foreign", Reason.STAGE_FAILED),
        ("nothing", Reason.STAGE_FAILED),
    ],
)
def test_a_look_that_fails_is_said_without_a_secret_and_costs_no_other(
    runner: WarmRunner, kept: Kept, text: str, reason: Reason
) -> None:
    kept.tokens["b"] = "another-token-of-b"

    bad, good = runner.inspect(job(asked("x", text, number=2000), asked("y", namespace="b")))

    assert error_of(bad).reason is reason
    assert TOKEN not in error_of(bad).message
    assert read(good).findings == {"b/y": Finding.intact()}


def test_a_request_that_does_not_fit_the_model_costs_itself_alone(runner: WarmRunner) -> None:
    (one,) = runner.inspect(job(asked("x", number="many"), asked("y")))

    found = read(one).findings
    assert "spec.number" in found["a/x"].message
    assert found["a/y"] == Finding.intact()


def test_an_image_that_is_not_served_is_refused(runner: WarmRunner) -> None:
    other = {**watching(), "image": "elsewhere:1"}

    with pytest.raises(NotServedError):
        runner.inspect(job(asked("x"), stages=(other,)))


def test_a_closed_runner_looks_at_nothing(runner: WarmRunner) -> None:
    runner.close()

    with pytest.raises(ValueError, match="closed"):
        runner.inspect(job(asked("x")))
