"""The reference page of a Promise, from what the Promise itself says."""

import re
from collections import Counter
from collections.abc import Iterator

from troth.api import Api, Fence, Fields, JsonObject, Promise, dump_documents, is_object
from troth.kit.reference._example import example_request
from troth.kit.reference._fields import constraints, field_rows
from troth.kit.reference._markdown import code, fenced, one_line, paragraphs, table

__all__ = ["reference_page"]

_PLACEHOLDER = re.compile(r"<[^<>\n]+>")


def reference_page(promise: Promise, example: str | None = None) -> str:
    """Return the page as Markdown; the same Promise, the same bytes.

    Args:
        promise: what it is about.
        example: a request that works, as YAML; without one it is made from the schema.
    """
    parts = list(_about(promise))
    if promise.api is not None:
        parts += _how_to_ask(promise.api, example)
        for version, schema in promise.api.schemas.items():
            many = f" of {version}" if len(promise.api.schemas) > 1 else ""
            parts += _fields(schema, many)
            parts += _status(schema, many)
    parts += _renders(promise)
    parts += _requirements(promise)
    if promise.api is not None:
        parts += ["## Versions", _versions(promise)]
    return "\n\n".join(parts) + "\n"


def _about(promise: Promise) -> Iterator[str]:
    api = promise.api
    version = f", version {code(promise.version)}" if promise.version != "not-set" else ""
    rows = [("Promise", f"{code(promise.name)}{version}")]
    if api is None:
        yield f"# {one_line(promise.name)}"
        yield "This Promise offers no API: nothing can be asked of it. It brings what stands below."
    else:
        yield f"# {one_line(api.kind)}"
        yield from _descriptions(api.schema)
        versions = [code(f"{api.group}/{name}") for name in api.schemas]
        rows += [
            ("kind", code(api.kind)),
            ("apiVersion", ", ".join(versions)),
            ("resource", code(f"{api.plural}.{api.group}")),
        ]
    yield table(("", ""), rows)


def _descriptions(schema: JsonObject) -> list[str]:
    """Return what the schema says of the kind and of its spec, each once."""
    found = [one.get("description") for one in (schema, _property(schema, "spec"))]
    said = [paragraphs(text) for text in found if isinstance(text, str)]
    return [text for text in dict.fromkeys(said) if text]


def _property(schema: JsonObject, name: str) -> JsonObject:
    properties = schema.get("properties")
    found = properties.get(name) if is_object(properties) else None
    return found if is_object(found) else {}


def _declared(promise: Promise) -> list[Fields]:
    definition = Fields(promise.raw).section("spec").section("api").section("spec")
    return definition.items("versions")


def _how_to_ask(api: Api, example: str | None) -> Iterator[str]:
    yield "## How to ask"
    if example is not None:
        yield fenced(example, "yaml")
        return
    made = dump_documents([example_request(api)]).decode()
    hint = "; replace what stands in angle brackets" if _PLACEHOLDER.search(made) else ""
    yield f"Made from the schema{hint}:"
    yield fenced(made, "yaml")


def _fields(schema: JsonObject, many: str) -> Iterator[str]:
    yield f"## Fields{many}"
    spec = _property(schema, "spec")
    said = [*constraints(schema), *constraints(spec)]
    rows = field_rows(spec, "spec")
    if rows:
        yield (
            "A field that is needed within one that is not is needed where that one is given. "
            "`[]` stands for each item of a list, `*` for each name of a mapping."
        )
        headings = ("field", "type", "needed", "default", "constraints", "meaning")
        yield table(headings, [
            (row.path, row.type, "yes" if row.needed else "no", row.default, row.constraints,
             row.description)
            for row in rows
        ])  # fmt: skip
    elif not said:
        yield "There is nothing to fill in."
    if said:
        yield f"Of all of `spec`: {'; '.join(said)}."


def _status(schema: JsonObject, many: str) -> Iterator[str]:
    rows = field_rows(_property(schema, "status"), "status")
    if rows:
        yield f"## Status{many}"
        yield table(
            ("field", "type", "constraints", "meaning"),
            [(row.path, row.type, row.constraints, row.description) for row in rows],
        )


def _renders(promise: Promise) -> Iterator[str]:
    yield "## What it renders"
    said: list[str] = []
    workflows = promise.workflows
    if promise.api is not None:
        said += _fence(promise.fence)
        said.append(_pipelines("Pipelines", [one.name for one in workflows.resource_configure]))
        if workflows.resource_delete:
            names = [one.name for one in workflows.resource_delete]
            said.append(_pipelines("Before a request is removed", names))
    if promise.allows_plain_secrets:
        said.append("It may write Secrets with values in plain text.")
    if promise.dependencies:
        said.append(f"The Promise itself brings: {_kinds(promise)}.")
    if workflows.promise_configure:
        names = [one.name for one in workflows.promise_configure]
        said.append(_pipelines("The Promise itself runs, once it is installed", names))
    labels = [code(f"{key}={value}") for key, value in sorted(promise.selectors.items())]
    where = f"Destinations labelled {', '.join(labels)}" if labels else "any Destination"
    said.append(f"Output goes to {where}, unless a stage chooses otherwise.")
    yield "\n".join(f"- {one}" for one in said)


def _fence(fence: Fence) -> Iterator[str]:
    if not fence.declared:
        yield "It declares no fence: it may touch any namespace but the system's."
        return
    patterns = [code(one) for one in fence.namespaces if one != "own"]
    named = [f"the namespace{'s' if len(patterns) > 1 else ''} {', '.join(patterns)}"]
    spaces = ["the request's own namespace"] if "own" in fence.namespaces else []
    spaces += named if patterns else []
    where = " and ".join(spaces) or "no namespace at all"
    braces = any("{" in one for one in fence.namespaces)
    read = " (braces stand for fields of the request)" if braces else ""
    yield f"It touches {where}{read}, and never a namespace of the system."
    kinds = ", ".join(code(kind) for kind in sorted(fence.cluster_kinds))
    yield f"Objects without a namespace: {f'only of kind {kinds}' if kinds else 'none'}."


def _pipelines(what: str, names: list[str]) -> str:
    return f"{what}: {', then '.join(map(code, names)) or 'none'}."


def _kinds(promise: Promise) -> str:
    counts = Counter(str(one.get("kind")) for one in promise.dependencies)
    return ", ".join(f"{count} {code(kind)}" for kind, count in sorted(counts.items()))


def _requirements(promise: Promise) -> Iterator[str]:
    yield "## Requirements"
    if not promise.requires:
        yield "It requires no other Promise."
        return
    yield "It can be asked for once these Promises are available:"
    yield "\n".join(
        f"- {code(one.name)}" + (f" at version {code(one.version)}" if one.version else "")
        for one in promise.requires
    )


def _versions(promise: Promise) -> str:
    rows: list[tuple[str, ...]] = []
    for version in _declared(promise):
        flags = [version.flag("served", default=True), version.flag("storage", default=False)]
        warning = version.text("deprecationWarning", "deprecated")
        note = one_line(warning) if version.flag("deprecated", default=False) else ""
        rows.append(
            (code(version.text("name")), *("yes" if flag else "no" for flag in flags), note)
        )
    return table(("version", "served", "stored", "note"), rows)
