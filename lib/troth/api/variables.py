"""A container's variables: literal ones, and those that come from a Secret or a ConfigMap.

Source: the field ``env`` of Container in the Kubernetes API.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from troth.api.json_values import Fields
from troth.api.secrets import SecretKind

__all__ = ["KeyRef", "Variable", "expand_variables", "parse_variables"]

_SOURCES = {"secretKeyRef": SecretKind.SECRET, "configMapKeyRef": SecretKind.CONFIG_MAP}
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key of a Secret or ConfigMap in the namespace that a pipeline runs in.

    Attributes:
        optional: whether the variable is left out where there is no such object or key.
    """

    kind: SecretKind
    name: str
    key: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its value, or where that comes from."""

    name: str
    value: str | KeyRef


def parse_variables(items: Iterable[Fields]) -> tuple[tuple[Variable, ...], tuple[str, ...]]:
    """Read the items of ``env``.

    Returns:
        The variables, and the sources of others that cannot be had without a Pod, such as
        ``env.valueFrom.fieldRef``.

    Raises:
        InvalidInputError: an item is no variable.
    """
    found: list[Variable] = []
    others: list[str] = []
    for item in items:
        item.refuse_unknown(("name", "value", "valueFrom"), "an environment variable")
        name = item.text("name")
        if not item.has("valueFrom"):
            found.append(Variable(name, item.text("value", "")))
            continue
        if item.text("value", ""):
            raise item.error("valueFrom", f"variable {name!r} has a value and a source; keep one.")
        source = item.section("valueFrom")
        kinds = [kind for kind in _SOURCES if source.has(kind)]
        if len(kinds) == 1 and len(source.raw) == 1:
            found.append(Variable(name, _key_ref(source.section(kinds[0]), _SOURCES[kinds[0]])))
        else:
            named = sorted(source.raw.keys() - kinds) or [""]
            others += [f"env.valueFrom.{kind}".rstrip(".") for kind in named]
    return tuple(found), tuple(dict.fromkeys(others))


def _key_ref(fields: Fields, kind: SecretKind) -> KeyRef:
    fields.refuse_unknown(("name", "key", "optional"), f"a reference to a {kind}")
    optional = fields.flag("optional", default=False)
    return KeyRef(kind, fields.text("name"), fields.text("key"), optional)


def expand_variables(
    own: Iterable[Variable],
    given: Mapping[str, str],
    look_up: Callable[[KeyRef], str | None] = lambda _: None,
) -> dict[str, str]:
    """Return a container's variables as Kubernetes gives them to it.

    ``$(NAME)`` stands for the value of a variable before it, ``$$`` for one dollar; what names none
    stays as it is. What comes from an object is taken as it is.

    Args:
        own: in order.
        given: what is defined before them.
        look_up: returns the value of a reference, None where the variable is to be left out.
    """
    found = dict(given)
    for one in own:
        if isinstance(one.value, str):
            found[one.name] = _REFERENCE.sub(lambda match: _referred(match, found), one.value)
        elif (value := look_up(one.value)) is not None:
            found[one.name] = value
    return found


def _referred(match: re.Match[str], known: Mapping[str, str]) -> str:
    name = match[1]
    return "$" if name is None else known.get(name, match[0])
