"""How long drills go on: some rounds by default, all of them with TROTH_DRILLS=long."""

import os

__all__ = ["LONG", "rounds"]

# Read while tests are collected: they themselves see no variable of the machine.
LONG = os.environ.get("TROTH_DRILLS") == "long"


def rounds(*, usual: int, long: int) -> range:
    """Return the seeds of a drill's rounds."""
    return range(long if LONG else usual)
