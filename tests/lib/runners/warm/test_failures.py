import signal
from pathlib import Path

import pytest
from support.warm import container, job, process_of, run

from troth.errors import (
    HeldError,
    InvalidInputError,
    NotServedError,
    OutputRefusedError,
    Reason,
    StageError,
    TrothError,
)
from troth.runners.warm import Limits, WarmRunner


def _error(runner: WarmRunner, stage: str, *, text: str = "", number: int = 0) -> TrothError:
    with pytest.raises(TrothError) as caught:
        run(runner, stage, text=text, number=number)
    return caught.value


def test_an_exception_is_told_with_its_line_and_what_was_printed(runner: WarmRunner) -> None:
    error = _error(runner, "fail", text="you")

    assert isinstance(error, StageError)
    assert error.reason is Reason.STAGE_FAILED
    assert error.message.startswith("stage 'fail' (container 'fail') raised LookupError (acme_")
    assert error.message.endswith(": nothing for you\nThe last of what it printed:\nabout to fail")


def test_the_line_told_is_the_stages_own(runner: WarmRunner) -> None:
    assert "JSONDecodeError (acme_stages.py:" in _error(runner, "fail_in_library").message


def test_only_the_last_lines_are_told_and_none_steers_a_terminal(runner: WarmRunner) -> None:
    lines = _error(runner, "prints_and_fails", number=500).message.splitlines()

    assert lines[2:] == [f"line {number} �[31m" for number in range(490, 500)]


def test_a_module_that_cannot_be_imported_is_named(runner: WarmRunner) -> None:
    error = _error(runner, "broken")

    assert error.reason is Reason.STAGE_FAILED
    assert "raised SyntaxError (acme_broken.py:2)" in error.message


def test_an_entry_point_that_is_no_stage_is_refused(runner: WarmRunner) -> None:
    error = _error(runner, "no-stage")

    assert isinstance(error, NotServedError)
    assert error.reason is Reason.STAGE_NOT_FOUND


def test_a_stage_without_output_fails(runner: WarmRunner) -> None:
    assert _error(runner, "no_output").reason is Reason.STAGE_FAILED


def test_an_error_of_troths_own_keeps_its_class_reason_and_field(runner: WarmRunner) -> None:
    error = _error(runner, "refuse")

    assert isinstance(error, InvalidInputError)
    assert (error.reason, error.message) == (Reason.INVALID_NAME, "spec.text: no.")
    assert error.field == ("spec", "text")


def test_an_error_derived_from_troths_own_comes_as_what_it_derives_from(
    runner: WarmRunner,
) -> None:
    error = _error(runner, "held")

    assert type(error) is HeldError
    assert error.reason is Reason.OBJECT_HELD


def test_a_path_outside_the_output_is_refused(runner: WarmRunner) -> None:
    error = _error(runner, "escape", text="../x")

    assert isinstance(error, OutputRefusedError)
    assert error.reason is Reason.UNSAFE_PATH


@pytest.mark.parametrize("code", [0, 3])
def test_a_stage_does_not_exit(runner: WarmRunner, code: int) -> None:
    error = _error(runner, "exits", number=code)

    assert error.reason is Reason.STAGE_FAILED
    assert "called sys.exit (acme_stages.py:" in error.message


@pytest.mark.parametrize("code", [0, 3])
def test_a_stage_does_not_end_its_process(runner: WarmRunner, code: int) -> None:
    error = _error(runner, "exit_hard", number=code)

    assert error.reason is Reason.STAGE_CRASHED
    assert f"its process ended with exit code {code};" in error.message


@pytest.mark.parametrize("name", ["SIGKILL", "SIGBUS", "SIGSEGV", "SIGABRT"])
def test_a_killed_stage_is_told_with_the_signal(runner: WarmRunner, name: str) -> None:
    error = _error(runner, "kill", number=int(signal.Signals[name]))

    assert error.reason is Reason.STAGE_CRASHED
    assert f"was killed by {name}" in error.message


def test_a_crash_costs_that_run_alone(runner: WarmRunner) -> None:
    before = process_of(run(runner, "process"))
    _error(runner, "kill", number=int(signal.SIGKILL))

    assert process_of(run(runner, "process")) != before


def test_memory_over_the_limit_is_an_error_and_the_worker_is_replaced(
    runner: WarmRunner,
) -> None:
    before = process_of(run(runner, "process"))
    error = _error(runner, "eat", number=1000)

    assert error.reason is Reason.STAGE_OUT_OF_MEMORY
    assert "asked for more than 96 MiB of memory (acme_stages.py:" in error.message
    assert process_of(run(runner, "process")) != before


def test_memory_below_the_limit_is_a_stages_to_use(runner: WarmRunner) -> None:
    assert process_of(run(runner, "eat", number=60))


def test_a_worker_that_keeps_memory_is_replaced_before_it_hurts_another(
    runner: WarmRunner,
) -> None:
    first = process_of(run(runner, "keep", number=60))

    assert process_of(run(runner, "keep", number=60)) != first


def test_a_file_over_the_limit_cannot_be_written(runner: WarmRunner) -> None:
    error = _error(runner, "scratch", number=5 << 20)

    assert error.reason is Reason.STAGE_FAILED
    assert "File too large" in error.message


def test_printing_over_the_limit_fails_the_stage_and_no_other(runner: WarmRunner) -> None:
    error = _error(runner, "prints", number=1_000_000)

    assert "File too large" in error.message
    assert process_of(run(runner, "process"))


def test_a_stage_that_hangs_is_stopped_with_all_it_started(
    hasty: WarmRunner, tmp_path: Path
) -> None:
    error = _error(hasty, "hang", text=str(tmp_path / "processes"))

    processes = (tmp_path / "processes").read_text(encoding="utf-8").split()
    assert error.reason is Reason.STAGE_TIMEOUT
    assert "was not done after 1 seconds and was stopped." in error.message
    assert error.message.endswith("waiting")
    assert [p for p in processes if Path("/proc", p).exists()] == []


def test_a_runner_serves_on_after_a_hang(hasty: WarmRunner, tmp_path: Path) -> None:
    _error(hasty, "hang", text=str(tmp_path / "processes"))

    assert process_of(run(hasty, "process"))


def test_an_answer_without_sense_is_a_crash(runner: WarmRunner) -> None:
    error = _error(runner, "babble")

    assert error.reason is Reason.STAGE_CRASHED
    assert process_of(run(runner, "process"))


def test_a_variable_that_cannot_be_set_is_an_error(runner: WarmRunner) -> None:
    asked = job(container("process", env=[{"name": "A=B", "value": ""}]))

    with pytest.raises(StageError, match="illegal environment variable name"):
        runner.run(asked)


def test_limits_are_a_value() -> None:
    assert Limits() == Limits()
