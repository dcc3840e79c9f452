"""Interval: how late a platform may come to what is due, and how long a delivery may take."""

from collections.abc import Mapping
from datetime import timedelta

from troth_pipelines.credentials.durations import read_duration

__all__ = ["INTERVAL_VARIABLE", "read_interval"]

INTERVAL_VARIABLE = "TROTH_RECONCILE_INTERVAL"
"""The variable that says so, as durations are spelled in requests."""

_USUAL = timedelta(hours=1)


def read_interval(variables: Mapping[str, str]) -> timedelta:
    """Return what the platform says, an hour where it says nothing.

    Raises:
        InvalidInputError: it is no duration; the variable is named.
    """
    text = variables.get(INTERVAL_VARIABLE, "").strip()
    return read_duration(text, INTERVAL_VARIABLE) if text else _USUAL
