import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import support.warm
from support.warm import IMAGES, Acme, parent_of, process_of, run

from troth.errors import StageError
from troth.runners.warm import Limits, WarmRunner

START = """
import os, signal, sys, threading
from pathlib import Path
from support.warm import IMAGES, parent_of, process_of, run
from troth.runners.warm import WarmRunner
runner = WarmRunner(IMAGES, workers=2)
worker = process_of(run(runner, "process"))
print(worker, parent_of(worker), flush=True)
"""
HANG = """
threading.Thread(target=run, args=(runner, "hang"), kwargs={"text": sys.argv[1]}).start()
while not (Path(sys.argv[1]).exists() and Path(sys.argv[1]).read_text()):
    pass
print(Path(sys.argv[1]).read_text(), flush=True)
"""
DIE = "os.kill(os.getpid(), signal.SIGKILL)\n"


def _python(acme: Acme, *arguments: str) -> list[int]:
    """Run Python with acme on its path; return the process ids it printed."""
    paths = [str(acme.folder), str(Path(support.warm.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, -signal.SIGKILL}
    return [int(word) for word in done.stdout.split()]


def _alive(processes: Sequence[int]) -> list[int]:
    return [process for process in processes if Path("/proc", str(process)).exists()]


def _wait_until_gone(processes: Sequence[int]) -> None:
    """Wait for processes that are not ours to wait for; fail after many tries."""
    for _ in range(1000):
        if all(_state(process) == "Z" for process in processes):
            return
        threading.Event().wait(0.02)
    pytest.fail(f"of the processes {processes} these go on: {_alive(processes)}")


def _state(process: int) -> str:
    """Return the letter ps shows; Z is dead, and only not yet waited for."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return "Z"
    return stat.rpartition(")")[2].split()[0]


def test_runs_from_many_threads_keep_apart(acme: Acme) -> None:
    del acme
    texts = [str(number) for number in range(60)]
    with WarmRunner(IMAGES, workers=3) as runner, ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda text: run(runner, "say", text=text), texts))

    expected = [f"kind: Said\ntext: '{text}'\n".encode() for text in texts]
    assert [result.files["one.yaml"] for result in results] == expected


def test_modules_are_imported_without_the_environment_of_the_runner(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    del acme
    monkeypatch.setenv("TOKEN", "not for stages")
    with WarmRunner(IMAGES, workers=1) as runner:
        names = run(runner, "imported").files["names"].split()

    assert names == [b"HOME", b"LANG", b"PATH", b"TZ"]


def test_no_more_workers_than_asked_for(acme: Acme) -> None:
    del acme
    with WarmRunner(IMAGES, workers=2) as runner, ThreadPoolExecutor(6) as threads:
        workers = set(threads.map(lambda _: process_of(run(runner, "process")), range(60)))

    assert len(workers) <= 2


def test_a_crash_harms_no_other_run(acme: Acme) -> None:
    del acme

    def crash(runner: WarmRunner) -> None:
        with pytest.raises(StageError):
            run(runner, "kill", number=int(signal.SIGKILL))

    with WarmRunner(IMAGES, workers=2) as runner, ThreadPoolExecutor(4) as threads:
        crashes = [threads.submit(crash, runner) for _ in range(20)]
        runs = [threads.submit(run, runner, "process") for _ in range(20)]

        assert all(process_of(future.result()) for future in runs)
        assert all(future.exception() is None for future in crashes)


def test_a_worker_is_replaced_after_so_many_runs(acme: Acme) -> None:
    del acme
    with WarmRunner(IMAGES, workers=1, limits=Limits(runs=2)) as runner:
        workers = [process_of(run(runner, "process")) for _ in range(4)]

    assert workers[0] == workers[1] != workers[2] == workers[3]


def test_a_child_that_is_left_ends_with_its_worker(runner: WarmRunner) -> None:
    processes = [int(p) for p in run(runner, "leave_child").files["process"].split()]

    assert _alive(processes) == []


def test_a_daemon_that_is_left_ends_with_its_worker(runner: WarmRunner, tmp_path: Path) -> None:
    path = tmp_path / "process"
    worker = process_of(run(runner, "leave_daemon", text=str(path)))

    assert _alive([worker, int(path.read_text(encoding="utf-8"))]) == []


def test_a_thread_that_is_left_ends_with_its_worker(runner: WarmRunner) -> None:
    assert _alive([process_of(run(runner, "leave_thread"))]) == []


def test_an_idle_worker_that_was_killed_is_replaced_unseen(runner: WarmRunner) -> None:
    before = process_of(run(runner, "process"))
    os.kill(before, signal.SIGKILL)
    _wait_until_gone([before])

    assert process_of(run(runner, "process")) != before


def test_a_killed_nursery_is_replaced_and_its_workers_with_it(runner: WarmRunner) -> None:
    before = process_of(run(runner, "process"))
    os.kill(parent_of(before), signal.SIGKILL)
    _wait_until_gone([before])

    assert process_of(run(runner, "process")) != before


def test_closing_leaves_no_process_and_no_folder(acme: Acme) -> None:
    del acme
    runner = WarmRunner(IMAGES, workers=1)
    worker = process_of(run(runner, "process"))
    nursery = parent_of(worker)
    workspace = Path(runner._workspace.path)
    runner.close()

    assert _alive([worker, nursery]) == []
    assert not workspace.exists()


def test_a_closed_runner_refuses_to_run(acme: Acme) -> None:
    del acme
    runner = WarmRunner(IMAGES)
    runner.close()
    runner.close()

    with pytest.raises(ValueError, match="closed"):
        run(runner, "process")


def test_closing_ends_a_run_that_hangs(acme: Acme, tmp_path: Path) -> None:
    del acme
    path = tmp_path / "processes"
    runner = WarmRunner(IMAGES, workers=1)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run, runner, "hang", text=str(path))
        while not (path.exists() and path.read_text(encoding="utf-8")):
            threading.Event().wait(0.01)
        runner.close()

        with pytest.raises(ValueError, match="closed"):
            future.result()
    assert _alive([int(word) for word in path.read_text(encoding="utf-8").split()]) == []


def test_a_forgotten_runner_ends_with_the_interpreter(acme: Acme) -> None:
    assert _alive(_python(acme, "-c", START)) == []


def test_processes_end_when_the_runners_process_is_killed(acme: Acme) -> None:
    _wait_until_gone(_python(acme, "-c", START + DIE))


def test_a_hanging_stage_ends_when_the_runners_process_is_killed(
    acme: Acme, tmp_path: Path
) -> None:
    path = str(tmp_path / "processes")

    _wait_until_gone(_python(acme, "-c", START + HANG + DIE, path))


def test_a_main_module_without_a_guard_is_run_once(acme: Acme, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(START, encoding="utf-8")

    assert len(_python(acme, str(script))) == 2


def test_a_forked_child_that_ends_leaves_the_runner_alone(runner: WarmRunner) -> None:
    before = process_of(run(runner, "process"))
    if not (child := os.fork()):
        runner._finalizer()
        os._exit(0)
    os.waitpid(child, 0)

    assert process_of(run(runner, "process")) == before


def test_a_runner_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least one"):
        WarmRunner(workers=0)
