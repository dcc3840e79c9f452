"""The kind Destination."""

from troth.api.crds._definition import READY, Column, Definition
from troth.api.crds._paths import store_path_text
from troth.api.crds._schema import (
    OPEN,
    Schema,
    choice,
    conditions,
    flag,
    record,
    rule,
    text,
)

__all__ = ["DESTINATION"]


def _filepath() -> Schema:
    mode = choice(
        ("nestedByMetadata", "aggregatedYAML", "none"),
        "How files lie: in folders, all in one file, or just as the stage named them.",
        rules=[rule("self == oldSelf", "filepath.mode is immutable")],
    )
    filename = store_path_text("The one file of aggregatedYAML, aggregated.yaml without a name.")
    return record(
        {"mode": mode, "filename": filename},
        "How files are laid out.",
        more={"default": {"mode": "nestedByMetadata"}},
    )


def _spec() -> Schema:
    store = record(
        {"kind": choice(("BucketStateStore", "GitStateStore")), "name": text()},
        "The state store that its files are in.",
        required=("kind", "name"),
    )
    workloads = record(
        {"enabled": flag("Whether they are written; true without a word.")},
        "The files that show that an agent is at work.",
        more={"default": {}},
    )
    return record(
        {
            "path": store_path_text("Its folder, below the path of the state store."),
            "stateStoreRef": store,
            "strictMatchLabels": flag(
                "Whether output that asks for no labels is kept away, if it has labels."
            ),
            "filepath": _filepath(),
            "cleanup": choice(
                ("none", "all"),
                "Whether its files go when it is deleted.",
                default="none",
            ),
            "initWorkloads": workloads,
        },
        "Where files go.",
    )


DESTINATION = Definition(
    kind="Destination",
    plural="destinations",
    about="A place that output is scheduled to, read by one agent such as Argo CD or Flux.",
    fields={
        "spec": _spec(),
        "status": record(
            {
                "conditions": conditions(),
                "troth": record({}, "What Troth keeps for itself.", more=OPEN),
            },
            "How it is; written by the controller alone.",
        ),
    },
    short_names=("dest", "dests"),
    columns=(
        Column("StateStoreKind", ".spec.stateStoreRef.kind"),
        Column("StateStoreName", ".spec.stateStoreRef.name"),
        READY,
    ),
    rules=(
        rule("self.?spec.?path.orValue('') != ''", "path field is required", field=".spec.path"),
        rule(
            "has(self.spec) && has(self.spec.stateStoreRef)",
            "stateStoreRef field is required",
            field=".spec.stateStoreRef",
        ),
    ),
)
