"""The spec of a Promise, as a Promise has it and as a PromiseRevision keeps it."""

from collections.abc import Mapping, Sequence

from troth.api.crds._schema import OPEN, Schema, listing, mapping, record, text

__all__ = ["SpecRules", "promise_spec"]

# More pipelines in one workflow than anybody has; CEL wants a bound where it looks at each.
_PIPELINES = 64
_NAME_LENGTH = 253
_WORD_LENGTH = 63
_LABELS = 64

# What is checked of parts of a spec, by their names; a revision's spec was checked before.
SpecRules = Mapping[str, Sequence[Schema]]


def promise_spec(description: str, rules: SpecRules | None = None) -> Schema:
    """Return the schema of a Promise's spec.

    Args:
        description: what the spec is here.
        rules: rules of CEL by the part that they stand at: ``spec``, ``api``, ``interval``, and
            ``<type>.<action>`` for each item of that workflow, with ``[]`` behind for the list.
    """
    known = rules or {}
    return record(
        {
            "api": _api(known.get("api", ())),
            "workflows": _workflows(known),
            "requiredPromises": listing(
                record(
                    {
                        "name": text("The name of the Promise."),
                        "version": text("The version that it needs; without one, any will do."),
                    }
                ),
                "Promises that have to be installed and available before this one is.",
            ),
            "dependencies": listing(
                record({}, more=OPEN), "Manifests for every Destination that matches."
            ),
            "destinationSelectors": listing(
                record({"matchLabels": mapping(text(), "Labels, each with its value.")}),
                "What labels a Destination has to have; the first item wins where two differ.",
            ),
        },
        description,
        rules=known.get("spec", ()),
    )


def _api(rules: Sequence[Schema]) -> Schema:
    """Return the schema of the CRD in a Promise; of its fields those that rules look at."""
    names = {name: text(maxLength=_WORD_LENGTH) for name in ("kind", "plural", "singular")}
    spec = {
        "group": text(),
        "scope": text(maxLength=_WORD_LENGTH),
        "names": record(names, required=("kind", "plural"), more=OPEN),
    }
    embedded: Schema = {"x-kubernetes-embedded-resource": True, **OPEN}
    return record(
        {
            "apiVersion": text(maxLength=_NAME_LENGTH),
            "kind": text(maxLength=_WORD_LENGTH),
            "metadata": record({"name": text(maxLength=_NAME_LENGTH)}),
            "spec": record(spec, required=("group", "names"), more=OPEN),
        },
        "The CustomResourceDefinition of what may be asked for. Troth adds the status to it.",
        required=("spec",),
        rules=rules,
        more=embedded,
    )


def _workflows(rules: SpecRules) -> Schema:
    config = record(
        {
            "pipelineNamespace": text("Where all pipelines run; it has to be there."),
            "reconciliationInterval": text(
                "How often everything is looked at again, such as 10h.",
                rules=rules.get("interval", ()),
                maxLength=64,
            ),
        },
        "What holds for all workflows.",
    )
    return record(
        {
            "config": config,
            "promise": _workflow("promise", "What is run for the Promise itself.", rules),
            "resource": _workflow("resource", "What is run for each request.", rules),
        },
        "The pipelines that fulfil it.",
    )


def _workflow(kind: str, description: str, rules: SpecRules) -> Schema:
    about = {
        "configure": "Pipelines, in order, when it is made or changed.",
        "delete": "Pipelines, in order, when it is removed.",
    }
    actions = {
        action: _pipelines(f"{kind}.{action}", words, rules) for action, words in about.items()
    }
    return record(actions, description)


def _pipelines(where: str, description: str, rules: SpecRules) -> Schema:
    labels = mapping(text(maxLength=_NAME_LENGTH), maxProperties=_LABELS)
    metadata = {"name": text(maxLength=_NAME_LENGTH), "labels": labels}
    pipeline = record(
        {
            "apiVersion": text(maxLength=_NAME_LENGTH),
            "kind": text(maxLength=_NAME_LENGTH),
            "metadata": record(metadata, required=("name",), more=OPEN),
        },
        required=("metadata",),
        rules=rules.get(where, ()),
        more=OPEN,
    )
    of_all = rules.get(f"{where}[]", ())
    return listing(pipeline, description, rules=of_all, maxItems=_PIPELINES)
