"""The ways in which a pipeline's stages are run.

A runner is given the file contract as values and gives it back as values; how the stage comes to
see folders is its own business. Which requests run, and what their output means, is the engine's.
"""

from troth.runners.protocol import (
    Inspected,
    InspectingRunner,
    InspectionJob,
    Leak,
    Runner,
    StageJob,
    StageResult,
)

__all__ = [
    "Inspected",
    "InspectingRunner",
    "InspectionJob",
    "Leak",
    "Runner",
    "StageJob",
    "StageResult",
]
