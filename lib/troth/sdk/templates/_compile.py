"""From the YAML of templates to compiled ones: every expression and every form is read here.

So whatever is wrong with a template itself is found before anything is rendered, in branches that
are not taken as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from troth.api import Json, JsonObject, is_object
from troth.sdk.templates._expressions import Expressions
from troth.sdk.templates._forms import Form, Word, is_form, is_raw, only_forms, read_form
from troth.sdk.templates._nodes import (
    Branches,
    Emit,
    Fixed,
    ListNode,
    Loop,
    MappingNode,
    Node,
    Setting,
    Step,
    Text,
    Value,
)
from troth.sdk.templates._places import Place
from troth.sdk.templates._text import Inset, cut
from troth.sdk.templates._values import describe

__all__ = ["Compiler"]

_DEPTH_LIMIT = 60  # levels of a template; rendering recurses over them

Names: TypeAlias = frozenset[str]


class _Entry(NamedTuple):
    """A field of a mapping or an item of a list, as it stands in the template."""

    key: str | None
    value: Json
    place: Place


@dataclass(frozen=True, slots=True)
class _Series:
    """What a series of entries becomes.

    Attributes:
        opened: makes entries of the body of a form.
        value: compiles the value of a field, or an item.
    """

    opened: Callable[[Json, Place], list[_Entry]]
    value: Callable[[Json, Place, Names], Node]


class Compiler:
    """Compiles templates for one sandbox."""

    def __init__(self) -> None:
        self._expressions = Expressions()
        self._fields = _Series(_fields, self.value)
        self._items = _Series(_items, self.value)
        self._files = _Series(_fields, self.items)

    def value(self, value: Json, place: Place, names: Names) -> Node:
        """Compile what makes one value.

        Raises:
            InvalidInputError: something is wrong with the template; the place is named.
        """
        if len(place.at) > _DEPTH_LIMIT:
            raise place.error(f"templates are nested at most {_DEPTH_LIMIT} levels deep")
        if isinstance(value, str):
            return self._text(value, place, names)
        if value is None or isinstance(value, bool | int | float):
            return Fixed(value, place)
        if is_object(value):
            if is_raw(value):
                return Fixed(value["(raw)"], place)
            return MappingNode(self.fields(value, place, names), place)
        return self.items(value, place, names)

    def fields(self, value: JsonObject, place: Place, names: Names) -> tuple[Step, ...]:
        """Compile the fields of a mapping. Raises as `value`."""
        return self._steps(_fields(value, place), names, self._fields)

    def items(self, value: Json, place: Place, names: Names) -> ListNode:
        """Compile a list; anything else is taken for the only item of one. Raises as `value`."""
        return ListNode(self._steps(_items(value, place), names, self._items), place)

    def files(self, value: JsonObject, place: Place, names: Names) -> tuple[Step, ...]:
        """Compile a mapping whose values are lists of documents. Raises as `value`."""
        return self._steps(_fields(value, place), names, self._files)

    def _text(self, text: str, place: Place, names: Names) -> Node:
        with place.telling():
            parts = cut(text)
        made = [
            part if isinstance(part, str) else self._inset(part, place, names) for part in parts
        ]
        match made:
            case [Value() as only]:
                return only
            case [] | [str()]:
                return Fixed(text, place)
            case _:
                return Text(tuple(made), place)

    def _inset(self, inset: Inset, place: Place, names: Names) -> Value:
        quoted = f"{inset}, line {inset.line} of the text" if inset.line > 1 else str(inset)
        return self._expression(inset.source, quoted, place, names)

    def _expression(self, source: str, quoted: str, place: Place, names: Names) -> Value:
        with place.telling(quoted):
            return Value(self._expressions.read(source, names), quoted, place)

    def _steps(self, entries: Sequence[_Entry], names: Names, series: _Series) -> tuple[Step, ...]:
        steps: list[Step] = []
        previous: Word | None = None
        for entry in entries:
            if entry.key is None or not is_form(entry.key):
                steps.append(self._emit(entry, names, series))
                previous = None
                continue
            with entry.place.telling():
                form = read_form(entry.key)
            _check_form(form, entry, previous, names)
            if form.word == "let":
                steps.append(Setting(form.names[0], self.value(entry.value, entry.place, names)))
                names |= set(form.names)
            elif form.word == "for":
                steps.append(self._loop(form, entry, names, series))
            else:
                arm = self._arm(form, entry, names, series)
                earlier = steps.pop() if form.word != "if" else None
                arms = earlier.arms if isinstance(earlier, Branches) else ()
                steps.append(Branches((*arms, arm)))
            previous = form.word
        return tuple(steps)

    def _emit(self, entry: _Entry, names: Names, series: _Series) -> Emit:
        key = None if entry.key is None else self._text(entry.key, entry.place, names)
        return Emit(key, series.value(entry.value, entry.place, names), entry.place)

    def _loop(self, form: Form, entry: _Entry, names: Names, series: _Series) -> Loop:
        over = self._expression(form.expression, form.expression, entry.place, names)
        inside = names | {*form.names, "loop"}
        return Loop(form.names, over, self._body(entry, inside, series))

    def _arm(
        self, form: Form, entry: _Entry, names: Names, series: _Series
    ) -> tuple[Value | None, tuple[Step, ...]]:
        condition = None
        if form.word != "else":
            condition = self._expression(form.expression, form.expression, entry.place, names)
        return condition, self._body(entry, names, series)

    def _body(self, entry: _Entry, names: Names, series: _Series) -> tuple[Step, ...]:
        return self._steps(series.opened(entry.value, entry.place), names, series)


def _check_form(form: Form, entry: _Entry, previous: Word | None, names: Names) -> None:
    if form.word in {"elif", "else"} and previous not in {"if", "elif"}:
        raise entry.place.error(f"`({form.word})` has no `(if …)` right before it")
    if form.word == "raw":
        raise entry.place.error("`(raw)` has to be the only key of a mapping")
    if entry.value is None and form.word != "let":
        raise entry.place.error("there is nothing under it")
    for name in form.names:
        if name in names:
            raise entry.place.error(f"there is a variable {name!r} already; choose another name")


def _fields(value: Json, place: Place) -> list[_Entry]:
    if not is_object(value):
        raise place.error(
            f"its fields become part of the mapping around it, so a mapping is needed here, found "
            f"{describe(value)}; to make items of a list write `- (for …):` or `- (if …):`"
        )
    return [_Entry(key, item, place.child(key)) for key, item in value.items()]


def _items(value: Json, place: Place) -> list[_Entry]:
    """Open a list, and in it each item that has nothing but forms."""
    if is_object(value) or isinstance(value, str | bool | int | float) or value is None:
        return _item(value, place)
    return [entry for index, item in enumerate(value) for entry in _item(item, place.child(index))]


def _item(value: Json, place: Place) -> list[_Entry]:
    forms = only_forms(value) and not is_raw(value)
    return _fields(value, place) if forms else [_Entry(None, value, place)]
