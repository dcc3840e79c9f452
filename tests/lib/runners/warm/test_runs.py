import json
from typing import cast

import pytest
from support.warm import container, job, process_of, run

from troth.errors import StageError
from troth.runners import StageResult
from troth.runners.warm import WarmRunner


def _seen(result: StageResult) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(result.files["seen.json"]))


def test_a_stage_leaves_files_and_metadata(runner: WarmRunner) -> None:
    result = run(runner, "say", text="hello")

    assert result == StageResult(
        files={"one.yaml": b"kind: Said\ntext: hello\n"},
        metadata={"status.yaml": b"said: '2026-01-02T03:04:05+00:00'\n"},
    )


def test_containers_run_in_order_on_one_folder(runner: WarmRunner) -> None:
    result = run(runner, "say", "count_files")

    assert result.files["names.json"] == b'["one.yaml"]'


def test_a_run_sees_nothing_of_the_run_before(runner: WarmRunner) -> None:
    run(runner, "say")

    assert run(runner, "count_files").files == {"names.json": b"[]"}


def test_files_come_in_order_of_their_paths(runner: WarmRunner) -> None:
    files = list(run(runner, "bulk", number=50, text="1").files)

    assert files == sorted(files)


def test_a_stage_sees_the_environment_it_was_given_and_no_other(
    runner: WarmRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "not for stages")
    env = [{"name": "MODE", "value": "fast"}, {"name": "KRATIX_PROMISE_NAME", "value": "mine"}]

    seen = _seen(run(runner, container("look", env=env)))

    assert seen["environ"] == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "KRATIX_WORKFLOW_ACTION": "configure",
        "KRATIX_PROMISE_NAME": "mine",
        "MODE": "fast",
    }


def test_the_run_folder_is_home_and_current_folder(runner: WarmRunner) -> None:
    assert _seen(run(runner, "look"))["home"] is True


def test_a_container_may_have_a_time_zone_of_its_own(runner: WarmRunner) -> None:
    env = [{"name": "TZ", "value": "Asia/Tokyo"}]

    assert _seen(run(runner, container("look", env=env)))["zone"] == "JST"


def test_a_stage_that_spoils_its_process_spoils_no_other_run(runner: WarmRunner) -> None:
    before = _seen(run(runner, "look"))
    run(runner, "spoil")

    assert _seen(run(runner, "look")) == before


def test_a_worker_serves_many_runs(runner: WarmRunner) -> None:
    assert process_of(run(runner, "process")) == process_of(run(runner, "process"))


def test_an_action_the_stage_has_nothing_for_leaves_nothing(runner: WarmRunner) -> None:
    asked = job("say")
    environ = {**asked.environ, "KRATIX_WORKFLOW_ACTION": "delete"}
    deleting = type(asked)(asked.promise, asked.pipeline, environ, asked.object, asked.context)

    assert runner.run(deleting) == StageResult()


def test_a_child_that_comes_back_as_the_stage_is_not_heard(runner: WarmRunner) -> None:
    worker = process_of(run(runner, "process"))

    assert process_of(run(runner, "fork")) == worker
    assert process_of(run(runner, "process")) == worker


def test_what_a_stage_prints_is_no_output(runner: WarmRunner) -> None:
    assert list(run(runner, "prints", number=10_000).files) == ["process"]


def test_a_later_container_does_not_run_after_a_failure(runner: WarmRunner) -> None:
    with pytest.raises(StageError, match="LookupError"):
        run(runner, "fail", "hang")
