"""How long a caller waits for a receipt: blocking callers, and arrivals at a steady rate."""

from dataclasses import replace
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench._site import Shape
from bench._table import Row, Scale
from bench._worker import Task, once

__all__ = ["run"]

_NAMESPACES = 50
_RATES = (1, 10, 100)  # arrivals a second


def run(scale: Scale) -> list[Row]:
    """Measure waits at the larger scale."""
    with TemporaryDirectory(prefix="troth-bench-") as folder:
        shape = Shape(folder, scale.large, _NAMESPACES)
        once(Task("fill", shape))
        return [*_blocking(scale, shape), *_steady(scale, shape)]


def _blocking(scale: Scale, shape: Shape) -> list[Row]:
    worktree = median(once(Task("worktree", shape, scale.sample)).seconds)
    rows = [Row(f"{shape.name}, worktree sequence", worktree * 1e3, "ms")]
    ways = (shape, replace(shape, signed=True), replace(shape, https=True))
    for way in ways:
        for callers in (1, 4):
            waits = once(Task("callers", way, scale.waits, callers=callers)).seconds
            who = "one blocking caller" if callers == 1 else f"{callers} blocking callers"
            rows.append(_row(f"{way.name}, {who}", waits))
            # What a caller waits, shared by all who waited meanwhile.
            times = worktree / (median(waits) / callers)
            rows.append(Row(f"{way.name}, {who}, to worktree", times, "times"))
    return rows


def _steady(scale: Scale, shape: Shape) -> list[Row]:
    rows: list[Row] = []
    for rate in _RATES:
        number = max(1, int(rate * scale.seconds))
        answer = once(Task("arrivals", shape, number, rate=rate))
        rows.append(_row(f"{shape.name}, {rate} requests/s", answer.seconds))
    return rows


def _row(name: str, waits: list[float]) -> Row:
    # The 99th of a hundred; of fewer waits it is the longest.
    longest = quantiles(waits, n=100, method="inclusive")[-1] if len(waits) > 1 else waits[0]
    note = f"p50 of {len(waits)} waits; p99 {longest * 1e3:.0f} ms"
    return Row(name, median(waits) * 1e3, "ms", note)
