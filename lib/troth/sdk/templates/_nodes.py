"""Compiled templates: a tree in which every expression is read, ready to be rendered.

A mapping or a list is a series of steps. Walking them follows conditions and loops and gives the
fields or items that remain, each with the variables that it sees; making values of them is the
business of the mapping or list. `_compile` makes the tree.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from troth.api import Json
from troth.sdk.templates._expressions import Compiled
from troth.sdk.templates._places import Place
from troth.sdk.templates._values import Budget, ExpressionError, as_json, as_text, describe

__all__ = [
    "Branches",
    "Emit",
    "Fixed",
    "ListNode",
    "Loop",
    "MappingNode",
    "Node",
    "Scope",
    "Setting",
    "Step",
    "Text",
    "Value",
    "walk",
]

Scope: TypeAlias = Mapping[str, Json]


class Node(Protocol):
    """What makes one value."""

    def render(self, scope: Scope, budget: Budget) -> Json:
        """Make the value. Raises InvalidInputError, which names the place."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value without expressions, or one under ``(raw)``."""

    value: Json
    place: Place

    def render(self, scope: Scope, budget: Budget) -> Json:  # noqa: ARG002  (as every node)
        """Return the value."""
        with self.place.telling():
            return as_json(self.value, budget)


@dataclass(frozen=True, slots=True)
class Value:
    """One expression; `quoted` is how it stands in the template."""

    compiled: Compiled
    quoted: str
    place: Place

    def render(self, scope: Scope, budget: Budget) -> Json:
        """Return what it gives, as plain data of its own type."""
        with self.place.telling(self.quoted):
            return self.compiled.evaluate(scope, lambda value: as_json(value, budget))

    def text(self, scope: Scope) -> str:
        """Return what it is inside a text."""
        with self.place.telling(self.quoted):
            return self.compiled.evaluate(scope, as_text)

    def holds(self, scope: Scope) -> bool:
        """Tell whether it is true, as jinja2 understands it."""
        with self.place.telling(self.quoted):
            return self.compiled.evaluate(scope, bool)


@dataclass(frozen=True, slots=True)
class Text:
    """A text with expressions in it."""

    parts: tuple[str | Value, ...]
    place: Place

    def render(self, scope: Scope, budget: Budget) -> Json:
        """Put the text together."""
        text = "".join(part if isinstance(part, str) else part.text(scope) for part in self.parts)
        with self.place.telling():
            return as_json(text, budget)


@dataclass(frozen=True, slots=True)
class Emit:
    """A field of a mapping, or an item of a list, which has no key."""

    key: Node | None
    value: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Setting:
    """``(let name)``: a variable for the steps that follow."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class Branches:
    """``(if)``, ``(elif)``, ``(else)``: the steps of the first whose condition holds."""

    arms: tuple[tuple[Value | None, tuple["Step", ...]], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``(for)``: the steps, once for each item."""

    names: tuple[str, ...]
    over: Value
    steps: tuple["Step", ...]

    def turns(self, scope: Scope, budget: Budget) -> Generator[Scope]:
        """Return what the steps see in each turn."""
        rows = _rows(self.over, len(self.names), scope, budget)
        for index, row in enumerate(rows):
            loop: Json = {
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index == len(rows) - 1,
                "length": len(rows),
            }
            yield {**scope, **dict(zip(self.names, row, strict=True)), "loop": loop}


Step: TypeAlias = Emit | Setting | Branches | Loop


def _rows(over: Value, width: int, scope: Scope, budget: Budget) -> list[Sequence[Json]]:
    """Return what each turn of a loop binds, a value for each name."""
    value = over.render(scope, budget)
    with over.place.telling(over.quoted):
        if isinstance(value, Mapping):
            return [pair[:width] for pair in value.items()]
        if not isinstance(value, list):
            raise ExpressionError(f"a loop needs a list or a mapping, found {describe(value)}")
        return [_row(item, width) for item in value]


def _row(item: Json, width: int) -> Sequence[Json]:
    if width == 1:
        return (item,)
    if not isinstance(item, list) or len(item) != width:
        raise ExpressionError(
            f"a loop with {width} names needs a mapping, or a list of lists of {width}; found "
            f"{describe(item)} in the list"
        )
    return item


def walk(steps: Sequence[Step], scope: Scope, budget: Budget) -> Generator[tuple[Emit, Scope]]:
    """Follow steps to the fields or items that remain, each with the variables that it sees."""
    seen = dict(scope)  # what is set here ends here
    for step in steps:
        match step:
            case Emit():
                yield step, seen
            case Setting():
                seen[step.name] = step.value.render(seen, budget)
            case Branches():
                for condition, body in step.arms:
                    if condition is None or condition.holds(seen):
                        yield from walk(body, seen, budget)
                        break
            case Loop():
                for turn in step.turns(seen, budget):
                    yield from walk(step.steps, turn, budget)


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping."""

    steps: tuple[Step, ...]
    place: Place

    def render(self, scope: Scope, budget: Budget) -> dict[str, Json]:
        """Make the fields, in the order of the template."""
        with self.place.telling():
            budget.spend()
        made: dict[str, Json] = {}
        places: dict[str, Place] = {}
        for emit, seen in walk(self.steps, scope, budget):
            key = _key(emit, seen, budget)
            if key in made:
                raise emit.place.error(
                    f"the key {key!r} stands twice; the first is in line {places[key].line()}"
                )
            made[key], places[key] = emit.value.render(seen, budget), emit.place
        return made


def _key(emit: Emit, scope: Scope, budget: Budget) -> str:
    key = emit.key.render(scope, budget) if emit.key is not None else None
    if not isinstance(key, str):
        raise emit.place.error(f"a key has to be a text, found {describe(key)}; use `| string`")
    return key


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    steps: tuple[Step, ...]
    place: Place

    def render(self, scope: Scope, budget: Budget) -> list[Json]:
        """Make the items, in the order of the template."""
        with self.place.telling():
            budget.spend()
        return [emit.value.render(seen, budget) for emit, seen in walk(self.steps, scope, budget)]
