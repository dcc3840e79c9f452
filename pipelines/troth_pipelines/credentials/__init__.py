"""What stages share that make credentials: when they are renewed, sealed and what is remembered.

Here belongs what holds for every kind of credential. What one is, and who makes it, does not.
"""

from troth_pipelines.credentials.delivery import Delivery, ModeName, SeenName
from troth_pipelines.credentials.durations import DURATION_PATTERN, read_duration
from troth_pipelines.credentials.interval import read_interval
from troth_pipelines.credentials.life import Lived, Made, Maker, Wish, live
from troth_pipelines.credentials.report import condition, reported
from troth_pipelines.credentials.rotation import Generation, Policy, Steps, next_steps
from troth_pipelines.credentials.state import State

__all__ = [
    "DURATION_PATTERN",
    "Delivery",
    "Generation",
    "Lived",
    "Made",
    "Maker",
    "ModeName",
    "Policy",
    "SeenName",
    "State",
    "Steps",
    "Wish",
    "condition",
    "live",
    "next_steps",
    "read_duration",
    "read_interval",
    "reported",
]
