"""``make bench``: every benchmark, as tables on the screen and JSON in build/bench.json.

``--small`` takes small numbers, to see that everything runs; its figures mean nothing.
"""

import argparse
import sys
from pathlib import Path

from bench import passes, writer
from bench._table import FULL, QUICK, Row, print_rows, write_json

_OUTPUT = Path("build/bench.json")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small numbers, only to see it run")
    parser.add_argument("--only", choices=["writer", "passes"], help="one benchmark")
    options = parser.parse_args()
    scale = QUICK if options.small else FULL
    rows: list[Row] = []
    if options.only in {None, "writer"}:
        written = writer.run(scale)
        print_rows("The Git store against a writer with a worktree", written)
        rows += written
    if options.only in {None, "passes"}:
        passed = passes.run(scale.large)
        print_rows("Passes over requests of the Promise namespace", passed)
        rows += passed
    write_json(_OUTPUT, rows)
    sys.stdout.write(f"\nThe same as JSON: {_OUTPUT}\n")


if __name__ == "__main__":
    main()
