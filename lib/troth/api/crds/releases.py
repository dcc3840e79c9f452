"""The kinds that say which version of a Promise is there: releases, revisions, bindings."""

from troth.api.crds._definition import Column, Definition
from troth.api.crds._promise_spec import promise_spec
from troth.api.crds._schema import (
    OPEN,
    Schema,
    choice,
    conditions,
    flag,
    record,
    rule,
    secret_ref,
    text,
)

__all__ = ["PROMISE_RELEASE", "PROMISE_REVISION", "RESOURCE_BINDING"]

_TROTH: Schema = record({}, "What Troth keeps for itself.", more=OPEN)
_STATUS = "How it is; written by the controller alone."

PROMISE_RELEASE = Definition(
    kind="PromiseRelease",
    plural="promisereleases",
    about="A Promise that is fetched from an address and kept at a version.",
    fields={
        "spec": record(
            {
                "version": text("The version that is wanted; found out where none is given."),
                "sourceRef": record(
                    {
                        "type": choice(("http",), "How it is fetched."),
                        "url": text("Where the Promise is."),
                        "secretRef": secret_ref(
                            "A Secret whose authorizationHeader goes with the call."
                        ),
                    },
                    "Where it is fetched from.",
                    required=("type",),
                    more={"default": {"type": "http"}},
                ),
            },
            "What is fetched.",
        ),
        "status": record({"status": text(), "conditions": conditions(), "troth": _TROTH}, _STATUS),
    },
    columns=(Column("Status", ".status.status"), Column("Version", ".spec.version")),
    rules=(
        rule(
            "self.?spec.?sourceRef.?url.orValue('') != ''",
            "sourceRef.url must be set",
            field=".spec.sourceRef.url",
        ),
    ),
)

_PROMISE_REF: Schema = record({"name": text()}, "The Promise.", required=("name",))

PROMISE_REVISION = Definition(
    kind="PromiseRevision",
    plural="promiserevisions",
    about="A Promise as it was at one version; requests may be bound to it.",
    fields={
        "spec": record(
            {
                "promiseRef": _PROMISE_REF,
                "promiseSpec": promise_spec("The spec of the Promise at this version."),
                "version": text("The version."),
            },
            "What the Promise was.",
            required=("promiseRef", "promiseSpec", "version"),
        ),
        "status": record(
            {
                "latest": flag("Whether it is what requests that name no version are bound to."),
                "conditions": conditions(),
                "troth": _TROTH,
            },
            _STATUS,
        ),
    },
    required=("spec",),
    columns=(
        Column("Promise", ".spec.promiseRef.name"),
        Column("Version", ".spec.version"),
        Column("Latest", ".status.latest", "boolean"),
    ),
)

RESOURCE_BINDING = Definition(
    kind="ResourceBinding",
    plural="resourcebindings",
    about="Which version of a Promise one request is served with.",
    scope="Namespaced",
    fields={
        "spec": record(
            {
                "version": text("A version, or latest."),
                "promiseRef": _PROMISE_REF,
                "resourceRef": record(
                    {
                        "name": text(),
                        "namespace": text(),
                        "generation": {"type": "integer"},
                    },
                    "The request.",
                    required=("name", "namespace"),
                ),
            },
            "What is bound to what.",
            required=("promiseRef", "resourceRef", "version"),
        ),
        "status": record(
            {
                "lastAppliedVersion": text("The version that the request was last served with."),
                "failedVersion": text("The version that it could not be served with."),
                "conditions": conditions(),
                "troth": _TROTH,
            },
            _STATUS,
        ),
    },
    required=("spec",),
    columns=(
        Column("Resource", ".spec.resourceRef.name"),
        Column("Promise", ".spec.promiseRef.name"),
        Column("Desired", ".spec.version"),
        Column("Applied", ".status.lastAppliedVersion"),
    ),
    selectable=(".spec.version",),
)
