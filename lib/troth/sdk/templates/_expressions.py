"""Expressions: jinja2's, in a sandbox that knows plain data and nothing else.

No attribute of a Python object can be reached, so no method either: a dot or a bracket looks a
key up in a mapping, and ``spec.items`` is the field `items`. What is missing is an error as soon
as it is used, and what an expression may name is known before anything is rendered.
"""

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar, cast

from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.environment import TemplateExpression
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from troth.api import Json
from troth.errors import shorten
from troth.sdk.templates._filters import CONCAT, FILTERS, TESTS, concat, numbers_up_to
from troth.sdk.templates._values import ExpressionError, describe

__all__ = ["Compiled", "Expressions", "near"]

T = TypeVar("T")

# What Python and jinja2 raise when an expression does not fit its values.
_UNFIT = (
    TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip

_NAMES_SHOWN = 20
_FOREIGN_TEXT_LIMIT = 300  # characters of their words that a message quotes
_SOURCE_LIMIT = 10_000  # characters of one expression; the parser recurses over it


def near(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names, else list them."""
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=1)
    if found:
        return f"did you mean {found[0]!r}?"
    shown = ", ".join(names[:_NAMES_SHOWN]) or "none"
    return f"there are: {shown}{', …' if len(names) > _NAMES_SHOWN else ''}"


class _Missing(StrictUndefined):
    """What is not there: an error when it is used, unless ``default`` or ``is defined`` asks."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        return _absence(self._undefined_obj, self._undefined_name)


def _absence(holder: object, name: object) -> str:
    """Say what is not there, and what is."""
    count = _count(holder)
    if count is not None and isinstance(name, int):
        return f"there is no item {name}, there are {count}"
    if not isinstance(holder, Mapping):
        return f"{name!r} cannot be looked up in {describe(holder)}"
    keys = [str(key) for key in cast("Mapping[object, object]", holder)]
    return (
        f"there is no {name!r}; {near(str(name), keys)} "
        "(where it may be absent: `| default(…)` or `is defined`)"
    )


class _Sandbox(SandboxedEnvironment):
    """The environment of jinja2 that expressions are compiled for, and run in."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=_Missing)
        self.globals = {"range": numbers_up_to}
        self.filters = {**FILTERS, CONCAT: concat}
        self.tests = dict(TESTS)

    def getattr(self, obj: object, attribute: str) -> object:
        """Look a key up, never an attribute."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """Look up a key of a mapping, or an index of a list or text."""
        if isinstance(obj, Undefined):
            return obj  # the first that is missing is the one to name
        found = _at_key(obj, argument) if isinstance(argument, str) else _at_index(obj, argument)
        return self.undefined(obj=obj, name=cast("str", argument)) if found is missing else found

    def is_safe_callable(self, obj: object) -> bool:
        """Tell whether it is ``range``; nothing else can be called."""
        return obj is numbers_up_to

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Calculate with numbers; ``+`` joins two texts or two lists, too."""
        pair = (left, right)
        joined = any(all(isinstance(value, kind) for value in pair) for kind in (str, list))
        if not all(_is_number(value) for value in pair) and not (joined and operator == "+"):
            also = ", or two texts or lists ('~' joins anything into a text)"
            raise ExpressionError(
                f"'{operator}' needs two numbers{also if operator == '+' else ''}; "
                f"found {describe(left)} and {describe(right)}"
            )
        return cast("object", super().call_binop(context, operator, left, right))


def _at_key(holder: object, key: str) -> object:
    if not isinstance(holder, Mapping):
        return missing
    return cast("Mapping[object, object]", holder).get(key, missing)


def _at_index(holder: object, index: object) -> object:
    count = _count(holder)
    if count is None or not isinstance(index, int) or not -count <= index < count:
        return missing
    return cast("Sequence[object]", holder)[index]


def _count(holder: object) -> int | None:
    if not isinstance(holder, list | tuple | str):
        return None
    return len(cast("Sequence[object]", holder))


class Expressions:
    """Reads expressions, all for one sandbox."""

    def __init__(self) -> None:
        self._sandbox = _Sandbox()

    def read(self, source: str, names: Collection[str]) -> "Compiled":
        """Compile one expression that may use `names`.

        Raises:
            ExpressionError: it is no expression, or uses what there is not.
        """
        if not source.strip():
            raise ExpressionError("the expression is empty")
        if len(source) > _SOURCE_LIMIT:
            raise ExpressionError(f"an expression has at most {_SOURCE_LIMIT} characters")
        try:
            tree = self._tree(source)
            for node in (tree, *tree.find_all(nodes.Node)):
                _check(node, names)
            return Compiled(self._compile(tree))
        except TemplateError as error:
            raise ExpressionError(f"this is no expression: {error.message}") from error
        except (RecursionError, SyntaxError, ValueError) as error:
            # Python's own limits: nested brackets, depth, digits of a number.
            raise ExpressionError("this expression is too long or nested too deeply") from error

    def _tree(self, source: str) -> nodes.Expr:
        match self._sandbox.parse(f"{{{{ {source} }}}}").body:
            case [nodes.Output(nodes=[nodes.Expr() as tree])] if not isinstance(
                tree, nodes.TemplateData
            ):
                return tree
            case _:
                raise ExpressionError("one expression is needed here")

    def _compile(self, tree: nodes.Expr) -> TemplateExpression:
        """Do what jinja2's compile_expression does, which takes no tree."""
        value = cast("nodes.Expr", _Concats().visit(tree))
        body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), value, lineno=1)]
        whole = nodes.Template(body, lineno=1)
        whole.set_environment(self._sandbox)
        return TemplateExpression(self._sandbox.from_string(whole), undefined_to_none=False)


class Compiled:
    """One expression, ready to be evaluated."""

    def __init__(self, expression: TemplateExpression) -> None:
        self._expression = expression

    def evaluate(self, scope: Mapping[str, Json], use: Callable[[object], T]) -> T:
        """Hand the value that the expression has in a scope to `use`, and return what that makes.

        Raises:
            ExpressionError: the expression does not fit the values, or `use` does not.
        """
        try:
            return use(cast("object", self._expression(scope)))
        except _UNFIT as error:
            raise ExpressionError(shorten(str(error), _FOREIGN_TEXT_LIMIT)) from error


class _Concats(NodeTransformer):
    """Turns every ``a ~ b`` into our own filter, since jinja2's spells values as Python does."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802  (jinja2 finds it so)
        """Replace one of them, those inside it first."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, CONCAT, [], [], None, None, lineno=node.lineno)


def _check(node: nodes.Node, names: Collection[str]) -> None:
    """Refuse what there is not, before anything is rendered."""
    match node:
        case nodes.Name(name=name) if name not in names and name != "range":
            raise ExpressionError(f"there is no variable {name!r}; {near(name, names)}")
        case nodes.Filter(name=name) if name not in FILTERS:
            raise ExpressionError(f"there is no filter {name!r}; {near(name, FILTERS)}")
        case nodes.Test(name=name) if name not in TESTS:
            raise ExpressionError(f"there is no test {name!r}; {near(name, TESTS)}")
        case nodes.Call(node=called) if getattr(called, "name", "") != "range":
            raise ExpressionError(
                "only `range` can be called; instead of a method use a filter, such as `| lower`"
            )
        case nodes.CondExpr(expr2=None):
            raise ExpressionError("an `if` in an expression needs its `else`")
        case nodes.Pow():
            raise ExpressionError("'**' is no part of templates")
        case nodes.Const(value=float() as value) if not math.isfinite(value):
            raise ExpressionError("a number in it is too large")
        case _:
            pass


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
