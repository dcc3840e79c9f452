"""One large store, written from nothing: rate, memory, disk, and what a look at it costs.

``make bench ARGS=--scale``; some ten minutes. docs/scale.md computes with these figures.
"""

from collections.abc import Sequence
from statistics import median
from tempfile import TemporaryDirectory

from bench._site import Shape, megabytes
from bench._table import Row, Scale
from bench._worker import Answer, Task, in_turns, once

from troth_statestore.git import create_bare

__all__ = ["run"]

_IN_A_NAMESPACE = 200
_FLUSH = 1000
_ENDS = 10  # flushes at the beginning, and at the end, that are compared


def run(scale: Scale) -> list[Row]:
    """Write all requests of a scale, a commit each, then look at them and write some again."""
    with TemporaryDirectory(prefix="troth-bench-") as folder:
        shape = Shape(folder, scale.huge, max(1, scale.huge // _IN_A_NAMESPACE))
        create_bare(shape.filled)
        rounds = -(-shape.live // _FLUSH)
        [grown] = in_turns([Task("grow", shape, _FLUSH)], rounds)
        rows = [*_growth(shape, grown), *_look(shape)]
        flushes = in_turns([Task("flush", shape, scale.flush)], scale.rounds)[0]
        waits = once(Task("callers", shape, scale.waits, callers=1)).seconds
        took = median(answer.seconds[0] for answer in flushes)
        return [
            *rows,
            Row(f"{shape.name}: {scale.flush} at once", scale.flush / took, "requests/s"),
            Row(f"{shape.name}: one blocking caller", median(waits) * 1e3, "ms"),
        ]


def _growth(shape: Shape, grown: Sequence[Answer]) -> list[Row]:
    seconds = [answer.seconds[0] for answer in grown]
    ends = min(_ENDS, len(seconds))
    first, last = sum(seconds[:ends]), sum(seconds[-ends:])
    memory, disk = grown[-1].memory, megabytes(shape.filled)
    return [
        Row(f"{shape.name}: written from nothing", sum(seconds), "s"),
        Row(f"{shape.name}: rate", shape.live / sum(seconds), "requests/s"),
        Row(f"{shape.name}: the last flushes to the first", last / first, "times slower"),
        Row(f"{shape.name}: peak memory", memory[0], "MB", f"of one git {memory[1]:.0f} MB"),
        Row(f"{shape.name}: repository", disk, "MB", f"{disk * 1e3 / shape.live:.1f} kB/request"),
        Row(f"{shape.name}: cache", grown[-1].disk[0], "MB"),
    ]


def _look(shape: Shape) -> list[Row]:
    answer = once(Task("look", shape))
    memory = f"peak memory {answer.memory[0]:.0f} MB, of one git {answer.memory[1]:.0f} MB"
    return [
        Row(f"{shape.name}: first snapshot", answer.seconds[0], "s", memory),
        Row(f"{shape.name}: reading all records", answer.seconds[1], "s"),
    ]
