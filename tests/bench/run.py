"""``make bench``: every benchmark, as tables on the screen and JSON in build/bench.json.

``--small`` takes small numbers, to see that everything runs; its figures mean nothing. ``--scale``
measures a history of 100,000 commits and a store of 100,000 requests instead, which takes a quarter
of an hour.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench import history, latency, nats, passes, scale, sealing, users, writer
from bench._table import FULL, QUICK, Row, Scale, print_rows, write_json

_OUTPUT = Path("build/bench.json")

_BENCHES: dict[str, tuple[str, Callable[[Scale], list[Row]]]] = {
    "writer": ("The Git store against a writer with a worktree", writer.run),
    "latency": ("How long callers wait for a receipt", latency.run),
    "passes": ("Passes over requests of the Promise namespace", passes.run),
    "sealing": ("Sealing values, and finding that none changed", sealing.run),
    "users": ("Passes over live NATS users", users.run),
    "nats": ("Minting NATS users in operator mode", nats.run),
    "history": ("A long history beside a short one", history.run),
    "scale": ("One large store, from nothing", scale.run),
}


_LONG = {"history", "scale"}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small numbers, only to see it run")
    parser.add_argument("--scale", action="store_true", help="what is large, instead of the rest")
    parser.add_argument("--only", choices=list(_BENCHES), help="one benchmark")
    options = parser.parse_args()
    rows: list[Row] = []
    for name, (title, measure) in _BENCHES.items():
        if name in _wanted(options.only, scale=options.scale, small=options.small):
            measured = measure(QUICK if options.small else FULL)
            print_rows(title, measured)
            rows += measured
    write_json(_OUTPUT, rows)
    sys.stdout.write(f"\nThe same as JSON: {_OUTPUT}\n")


def _wanted(only: str | None, *, scale: bool, small: bool) -> set[str]:
    if only is not None:
        return {only}
    if scale:
        return _LONG
    # The small scale sees everything run; else these take too long to come along.
    return set(_BENCHES) if small else _BENCHES.keys() - _LONG


if __name__ == "__main__":
    main()
