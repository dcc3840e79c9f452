"""Where a part of a template stands, and the errors that say so."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from troth.api import Document, field_path
from troth.errors import InvalidInputError, Reason
from troth.sdk.templates._values import ExpressionError

__all__ = ["Place"]

_QUOTE_LIMIT = 120  # characters of an expression that a message quotes


@dataclass(frozen=True, slots=True)
class Place:
    """One value in a document of templates.

    Lines are looked up when an error needs one; see `troth.api.Document`.
    """

    document: Document
    at: tuple[str | int, ...] = ()

    def child(self, part: str | int) -> "Place":
        """Return the place of what is inside."""
        return Place(self.document, (*self.at, part))

    def line(self) -> int:
        """Return the line, from 1."""
        return self.document.line(self.at)

    def error(self, problem: str, quoted: str = "") -> InvalidInputError:
        """Make the error that says what is wrong here.

        Args:
            problem: a sentence; its full stop may be missing.
            quoted: the expression it is about.
        """
        parts = [self.document.where(self.at)]
        if self.at:
            parts.append(field_path(self.at))
        if quoted:
            cut = len(quoted) > _QUOTE_LIMIT
            parts.append(f"{quoted[:_QUOTE_LIMIT]}…" if cut else quoted)
        parts.append(problem if problem.endswith((".", "?")) else f"{problem}.")
        # The error's field stays empty: it names a field of a request, and this is none.
        return InvalidInputError(Reason.INVALID_TEMPLATE, ": ".join(parts))

    @contextmanager
    def telling(self, quoted: str = "") -> Generator[None]:
        """Say of an ExpressionError inside that it is here, as `error` does."""
        try:
            yield
        except ExpressionError as problem:
            raise self.error(str(problem), quoted) from problem
