"""The kind Promise. Where Kratix's webhook has words for a mistake, the rules here say them."""

from troth.api.crds._definition import Column, Definition
from troth.api.crds._promise_spec import SpecRules, promise_spec
from troth.api.crds._schema import (
    OPEN,
    Schema,
    choice,
    conditions,
    listing,
    record,
    rule,
    text,
    whole,
)

__all__ = ["PROMISE"]

# Kratix names ServiceAccounts <promise>-<type>-<action>-<pipeline>, at most 60 characters.
_IDENTITY_LENGTH = 60

_WORKFLOWS = tuple(
    (kind, action) for kind in ("promise", "resource") for action in ("configure", "delete")
)

_IMMUTABLE = "field is immutable"
_KEY_LENGTH = 317  # a DNS name of 253, a slash, a name of 63

_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_LABEL_KEY = (
    "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"
)
_LABEL_VALUE = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
_DURATION = "^(([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|µs|ms|s|m|h))+$"


def _identity_rule(kind: str, action: str) -> Schema:
    """Return the rule for the names of a workflow's pipelines, which needs the Promise's too."""
    parts = ("self.spec", "self.spec.workflows", f"self.spec.workflows.{kind}")
    pipelines = f"self.spec.workflows.{kind}.{action}"
    absent = " || ".join(f"!has({part})" for part in (*parts, pipelines))
    rest = _IDENTITY_LENGTH - len(f"-{kind}-{action}-")
    fits = f"size(self.metadata.name) + size(p.metadata.name) <= {rest}"
    first = f"{pipelines}.filter(p, !({fits}))[0].metadata.name"
    return rule(
        f"{absent} || {pipelines}.all(p, {fits})",
        f"the name of a {kind}.{action} pipeline is too long",
        says=_says(
            f'{kind}.{action} pipeline with name "%s" is too long. The name is used when '
            "generating resources for the pipeline,including the ServiceAccount which follows the "
            f'format of "%s-{kind}-{action}-%s", which cannot be longer than {_IDENTITY_LENGTH} '
            "characters in total",
            first,
            "self.metadata.name",
            first,
        ),
        field=f".spec.workflows.{kind}.{action}",
    )


def _pipeline_rules(kind: str, action: str) -> list[Schema]:
    """Return the rules for one pipeline."""
    version = "(has(self.apiVersion) ? self.apiVersion : '')"
    found = "(has(self.kind) ? self.kind : '')"
    labels = "self.metadata.labels"
    place = f'in workflow "{kind}" action "{action}"'
    bad_key = f"size(k) > {_KEY_LENGTH} || !k.matches('{_LABEL_KEY}')"
    bad_value = f"size({labels}[k]) > 63 || !{labels}[k].matches('{_LABEL_VALUE}')"
    first = f"{labels}.filter(k, {bad_value})[0]"
    return [
        rule(
            f"{version} == 'platform.kratix.io/v1alpha1' && {found} == 'Pipeline'",
            "unsupported pipeline",
            says=_says(
                f'failed parsing {kind}.{action} pipeline: unsupported pipeline "%s" with '
                'APIVersion "%s/%s"',
                "self.metadata.name",
                found,
                version,
            ),
        ),
        rule(
            f"!has({labels}) || {labels}.all(k, !({bad_key}))",
            "invalid label key",
            says=_says(
                f'invalid label key "%s" {place}: a name of at most 63 letters, digits, -, _ or '
                ". is needed, behind an optional DNS name and a slash",
                f"{labels}.filter(k, {bad_key})[0]",
            ),
            field=".metadata.labels",
        ),
        rule(
            f"!has({labels}) || {labels}.all(k, !({bad_value}))",
            "invalid label value",
            says=_says(
                f'invalid label value "%s" for key "%s" {place}: at most 63 letters, digits, -, _ '
                "or . are needed, with a letter or digit at both ends",
                f"{labels}[{first}]",
                first,
            ),
            field=".metadata.labels",
        ),
    ]


def _list_rule(kind: str, action: str) -> Schema:
    twice = "self.filter(p, !self.exists_one(q, q.metadata.name == p.metadata.name))"
    place = f'in workflow "{kind}" action "{action}"'
    return rule(
        "self.all(p, self.exists_one(q, q.metadata.name == p.metadata.name))",
        f"duplicate pipeline name {place}",
        says=_says(f'duplicate pipeline name "%s" {place}', f"{twice}[0].metadata.name"),
    )


def _says(form: str, *values: str) -> str:
    """Return the expression that makes a message.

    Texts are put together by ``format``: the API server cannot estimate what ``+`` costs of
    values that come out of a filter, and refuses it.
    """
    return f"'{form}'.format([{', '.join(values)}])"


def _api_rules() -> list[Schema]:
    singular = (
        "(has({0}.spec.names.singular) ? {0}.spec.names.singular : "
        "{0}.spec.names.kind.lowerAscii())"
    )
    same_names = (
        "self.spec.names.kind == oldSelf.spec.names.kind && "
        "self.spec.names.plural == oldSelf.spec.names.plural && "
        f"{singular.format('self')} == {singular.format('oldSelf')}"
    )
    return [
        rule(
            "self.kind == 'CustomResourceDefinition' && self.apiVersion == "
            "'apiextensions.k8s.io/v1'",
            "api is not a valid CRD: its kind has to be CustomResourceDefinition and its "
            "apiVersion apiextensions.k8s.io/v1",
        ),
        rule(
            "!has(self.spec.scope) || self.spec.scope != 'Cluster'",
            "promise api needs to be namespace scoped; spec.api.spec.scope cannot be: Cluster",
            field=".spec.scope",
        ),
        rule("self.metadata.name == oldSelf.metadata.name", _IMMUTABLE, field=".metadata.name"),
        rule("self.kind == oldSelf.kind", _IMMUTABLE, field=".kind"),
        rule("self.apiVersion == oldSelf.apiVersion", _IMMUTABLE, field=".apiVersion"),
        rule(same_names, _IMMUTABLE, field=".spec.names"),
    ]


def _interval_rules() -> list[Schema]:
    return [
        rule(f"self.matches('{_DURATION}')", "must be a valid duration"),
        rule(
            f"!self.matches('{_DURATION}') || duration(self) >= duration('1m')",
            "must be at least 1m0s",
        ),
    ]


def _spec_rules() -> SpecRules:
    rules: dict[str, list[Schema]] = {
        "spec": [
            rule("!has(oldSelf.api) || has(self.api)", "cannot remove API from existing promise")
        ],
        "api": _api_rules(),
        "interval": _interval_rules(),
    }
    for kind, action in _WORKFLOWS:
        rules[f"{kind}.{action}"] = _pipeline_rules(kind, action)
        rules[f"{kind}.{action}[]"] = [_list_rule(kind, action)]
    return rules


def _workflow_status() -> Schema:
    pipeline = {
        "name": text(),
        "phase": choice(("Pending", "Running", "Succeeded", "Failed", "Suspended")),
        "message": text(),
        "nextRetryAt": text(),
        "attempts": whole(),
        "lastTransitionTime": text(),
    }
    return record(
        {
            "lastSuccessfulConfigureWorkflowTime": text(),
            "pipelines": listing(record(pipeline)),
            "suspendedGeneration": whole("The generation that asked to wait."),
        }
    )


def _status() -> Schema:
    kept = {name: text() for name in ("kind", "version", "apiVersion", "status")}
    reference = record({"name": text(), "version": text()})
    return record(
        {
            **kept,
            "message": text("What a stage of its own says."),
            "lastAvailableTime": text(),
            "observedGeneration": whole("The generation that all of this is about."),
            "workflows": whole(),
            "workflowsSucceeded": whole(),
            "workflowsFailed": whole(),
            "conditions": conditions(),
            "requiredPromises": listing(
                record({"name": text(), "version": text(), "state": text()})
            ),
            "requiredBy": listing(record({"promise": reference, "requiredVersion": text()})),
            "kratix": record(
                {**kept, "lastAvailableTime": text(), "workflows": _workflow_status()}
            ),
            "troth": record({}, "What Troth keeps for itself.", more=OPEN),
        },
        "How it is; written by the controller alone.",
    )


PROMISE = Definition(
    kind="Promise",
    plural="promises",
    metadata=record({"name": text(maxLength=63)}),
    about="What a platform team offers: an API, and the workflows that fulfil it.",
    fields={
        "spec": promise_spec("What may be asked for, and how it is fulfilled.", _spec_rules()),
        "status": _status(),
    },
    columns=(
        Column("Status", ".status.status"),
        Column("Kind", ".status.kind"),
        Column("API Version", ".status.apiVersion"),
        Column("Version", ".status.version"),
        Column("Message", ".status.message"),
    ),
    rules=(
        rule(
            f"self.metadata.name.matches('{_NAME}')",
            "the name of a Promise is made of a-z, 0-9 and '-', with a letter or digit at "
            "both ends",
            field=".metadata.name",
        ),
        *(_identity_rule(kind, action) for kind, action in _WORKFLOWS),
    ),
)
