"""``make bench``: every benchmark, as tables on the screen and JSON in build/bench.json.

``--small`` takes small numbers, to see that everything runs; its figures mean nothing. ``--scale``
measures one store of 100,000 requests instead, which takes some ten minutes.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench import latency, passes, scale, writer
from bench._table import FULL, QUICK, Row, Scale, print_rows, write_json

_OUTPUT = Path("build/bench.json")

_BENCHES: dict[str, tuple[str, Callable[[Scale], list[Row]]]] = {
    "writer": ("The Git store against a writer with a worktree", writer.run),
    "latency": ("How long callers wait for a receipt", latency.run),
    "passes": ("Passes over requests of the Promise namespace", passes.run),
    "scale": ("One large store, from nothing", scale.run),
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small numbers, only to see it run")
    parser.add_argument("--scale", action="store_true", help="one large store, instead of the rest")
    parser.add_argument("--only", choices=list(_BENCHES), help="one benchmark")
    options = parser.parse_args()
    rows: list[Row] = []
    for name, (title, measure) in _BENCHES.items():
        # The small scale sees everything run; else the large store takes too long to come along.
        wanted = options.only or ("scale" if options.scale else None)
        if name == wanted or (wanted is None and (name != "scale" or options.small)):
            measured = measure(QUICK if options.small else FULL)
            print_rows(title, measured)
            rows += measured
    write_json(_OUTPUT, rows)
    sys.stdout.write(f"\nThe same as JSON: {_OUTPUT}\n")


if __name__ == "__main__":
    main()
