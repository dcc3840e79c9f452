"""What the stage image costs: bytes over its base, and time from nothing to a running stage.

Called by ``make image``, which prints the figures.
"""

import statistics
import time
from collections.abc import Callable

from bench._table import Row
from image.tools import Tool, ToolError
from support.bundles import bundles, stage_names

from troth.api import Promise, load_object

__all__ = ["run"]

_TIMES = 5

# Starts Python anew each time, in one container: what the container itself costs is left out.
_WITHIN = f"""
import statistics, subprocess, sys, time
def once():
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "troth_pipelines", "--help"], stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
print(statistics.median(once() for _ in range({_TIMES})))
"""


def run(runner: Tool, image: str, base: str) -> list[Row]:
    """Measure an image.

    Raises:
        ToolError: containers of it do not do what they should.
    """
    size, under = (float(runner.inspect(name, "{{.Size}}")) for name in (image, base))
    stage = _a_stage()
    note = f"median of {_TIMES}"
    started = _median(lambda: runner.run(image, [stage], entrypoint="true").returncode == 0)
    # A stage without input ends with 1, once it is loaded and has looked for its request.
    loaded = _median(lambda: runner.run(image, [stage]).returncode == 1)
    within = runner.run(image, ["-c", _WITHIN], entrypoint="python")
    return [
        Row("size over the base", (size - under) / 1e6, "MB", f"{size / 1e6:.0f} in all"),
        Row(f"a container of {runner.name} that does nothing", started * 1e3, "ms", note),
        Row(f"the stage {stage} with nothing to do", loaded * 1e3, "ms", note),
        Row("python -m troth_pipelines --help, within", float(within.stdout) * 1e3, "ms", note),
    ]


def _a_stage() -> str:
    source = bundles()[0] / "promise.yaml"
    promise = Promise.parse(load_object(source.read_text(encoding="utf-8"), source.name))
    return stage_names(promise)[0]


def _median(attempt: Callable[[], bool]) -> float:
    taken: list[float] = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        went_well = attempt()
        taken.append(time.perf_counter() - start)
        if not went_well:
            raise ToolError("the image was built, but a container of it does not do what it should")
    return statistics.median(taken)
