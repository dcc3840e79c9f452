"""Grants: whom the owner of a Gateway lets in, by selectors of namespaces and by annotation."""

from troth.api import Fields, load_values
from troth.api.labels import DELEGATIONS
from troth.engine.routes.match import PathType, normal_path
from troth.engine.routes.parts import Delegation, Namespaces

__all__ = ["read_delegations", "read_namespaces"]

_NAME_LABEL = "kubernetes.io/metadata.name"  # on every namespace, put there by the API server


def read_namespaces(fields: Fields, own: str, default: str) -> Namespaces:
    """Read whose routes or ListenerSets are let in.

    A selector may ask for labels that are not known here; it is read as letting in all whom it may
    let in, and the Gateway has the last word in the cluster.

    Args:
        fields: ``from`` and ``selector``.
        own: the namespace that ``Same`` means.
        default: what ``from`` is when absent.
    """
    match fields.text("from", default):
        case "All":
            return Namespaces(None)
        case "Same":
            return Namespaces((own,))
        case "None":
            return Namespaces()
        case "Selector":
            if not fields.has("selector"):
                return Namespaces()
            return _selected(fields.section("selector"))
        case other:
            message = f"{other!r} is not known; there are All, Same, Selector and None."
            raise fields.error("from", message)


def _selected(selector: Fields) -> Namespaces:
    asked: list[set[str]] = []
    labels = selector.string_map("matchLabels")
    if _NAME_LABEL in labels:
        asked.append({labels[_NAME_LABEL]})
    asked += [
        set(expression.texts("values"))
        for expression in selector.items("matchExpressions")
        if (expression.text("key"), expression.text("operator")) == (_NAME_LABEL, "In")
    ]
    if not asked:
        return Namespaces(None)
    return Namespaces(tuple(sorted(asked[0].intersection(*asked[1:]))))


def read_delegations(metadata: Fields) -> tuple[Delegation, ...]:
    """Read the annotation ``troth.dev/delegations`` of an object, sorted.

    Raises:
        InvalidInputError: it is no list of paths and namespaces.
    """
    annotations = metadata.section("annotations")
    if not annotations.has(DELEGATIONS):
        return ()
    values = load_values(annotations.text(DELEGATIONS), DELEGATIONS)
    if len(values) != 1:
        raise annotations.error(DELEGATIONS, "one list of delegations is needed here.")
    at = ("metadata", "annotations")
    found = Fields({DELEGATIONS: values[0]}, at).items(DELEGATIONS)
    return tuple(sorted({_delegation(item) for item in found}))


def _delegation(fields: Fields) -> Delegation:
    fields.refuse_unknown({"namespace", "path"}, "a delegation")
    path = fields.text("path")
    if not path.startswith("/"):
        raise fields.error("path", f"a path begins with '/', found {path[:60]!r}.")
    return Delegation(normal_path(path, PathType.PREFIX), fields.text("namespace"))
