"""What a stage author imports: the stage's types, the file contract, the schema of a model.

Here belongs what runs inside a stage's container. Nothing here knows the engine, Git or the
Kubernetes client.
"""

from troth.sdk.drift import Drift, Finding, Inspection, Outside
from troth.sdk.effects import Effects, PerformedEffects, RecalledEffects
from troth.sdk.files import run_stage
from troth.sdk.registry import STAGE_GROUP, find_stage, stage_entry_points
from troth.sdk.schema import structural_schema
from troth.sdk.stage import (
    Context,
    Control,
    Output,
    OutputFile,
    Request,
    SealingInput,
    Selector,
    Stage,
)
from troth.sdk.unknown import UNKNOWN, Unknown

__all__ = [
    "STAGE_GROUP",
    "UNKNOWN",
    "Context",
    "Control",
    "Drift",
    "Effects",
    "Finding",
    "Inspection",
    "Output",
    "OutputFile",
    "Outside",
    "PerformedEffects",
    "RecalledEffects",
    "Request",
    "SealingInput",
    "Selector",
    "Stage",
    "Unknown",
    "find_stage",
    "run_stage",
    "stage_entry_points",
    "structural_schema",
]
