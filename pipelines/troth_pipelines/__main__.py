"""The stage image's entry point: ``python -m troth_pipelines STAGE`` runs one stage on /kratix.

Called by Kratix, and by every runner that runs images. Where the folders lie elsewhere,
KRATIX_ROOT says so.
"""

import os
import sys
from pathlib import Path

from troth.errors import TrothError
from troth.sdk import find_stage, run_stage, stage_entry_points


def main(arguments: list[str]) -> int:
    """Run the stage named by the only argument; return the exit code."""
    if len(arguments) != 1 or arguments[0] in {"-h", "--help"}:
        known = ", ".join(point.name for point in stage_entry_points())
        sys.stderr.write(f"usage: python -m troth_pipelines STAGE\nstages: {known}\n")
        return 2
    try:
        root = Path(os.environ.get("KRATIX_ROOT", "/kratix"))
        run_stage(find_stage(arguments[0]), root, os.environ)
    except TrothError as error:
        sys.stderr.write(f"{error.reason}: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
