"""What a stage author imports: the stage's types, the file contract, the schema of a model.

Here belongs what runs inside a stage's container. Nothing here knows the engine, Git or the
Kubernetes client.
"""

from troth.sdk.files import run_stage
from troth.sdk.registry import STAGE_GROUP, find_stage, stage_entry_points
from troth.sdk.schema import structural_schema
from troth.sdk.stage import Context, Control, Output, OutputFile, Request, Selector, Stage

__all__ = [
    "STAGE_GROUP",
    "Context",
    "Control",
    "Output",
    "OutputFile",
    "Request",
    "Selector",
    "Stage",
    "find_stage",
    "run_stage",
    "stage_entry_points",
    "structural_schema",
]
