"""The kind HealthRecord: what somebody who looks after a request found.

It has neither spec nor status, but data.
"""

from troth.api.crds._definition import Column, Definition
from troth.api.crds._schema import OPEN, choice, record, text, whole

__all__ = ["HEALTH_RECORD"]

HEALTH_RECORD = Definition(
    kind="HealthRecord",
    plural="healthrecords",
    about="How somebody who looks after a Promise or a request found it.",
    scope="Namespaced",
    categories=(),
    fields={
        "data": record(
            {
                "promiseRef": record({"name": text()}, "The Promise.", required=("name",)),
                "resourceRef": record(
                    {"name": text(), "namespace": text(), "generation": {"type": "integer"}},
                    "The request, where it is about one.",
                    required=("name", "namespace"),
                ),
                "state": choice(
                    ("unknown", "ready", "unhealthy", "healthy", "degraded"),
                    "How it is.",
                    default="unknown",
                ),
                "lastRun": whole("When it was looked at, in seconds since 1970."),
                "details": record({}, "Whatever else is known.", more=OPEN),
            },
            "What was found.",
            required=("promiseRef", "state"),
        )
    },
    columns=(
        Column("Status", ".data.state"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
)
