"""``troth docs``: a reference page of a Promise, from its schema."""

from pathlib import Path

import click

from troth.api import Document, Promise, RequestSchema, ResourceRequest, dump_documents
from troth.cli.promise_path import promise_file, promise_in
from troth.cli.reports import console
from troth.errors import InvalidInputError, Reason
from troth.kit.reference import reference_page
from troth.local import load

__all__ = ["docs"]

_REQUEST = "resource-request.yaml"


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), metavar="PROMISE_PATH")
@click.option(
    "--output",
    "-d",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the page there instead of to standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown"]),
    default="markdown",
    show_default=True,
    help="Form of the page.",
)
def docs(*, path: Path, target: Path | None, form: str) -> int:
    """Write a reference page of the Promise in PROMISE_PATH, a file or a bundle's folder.

    It tells how to ask, every field with its type, default and constraints, what the Promise may
    touch, and what it requires. The example is the bundle's resource-request.yaml, if there is one.

    \b
    Examples:
      troth docs promises/namespace
      troth docs promises/namespace/promise.yaml --output build/namespace.md
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    file = promise_file(path)
    promise = promise_in(file)
    page = {"markdown": reference_page}[form](promise, _example(file.parent / _REQUEST, promise))
    if target is None:
        click.echo(page, nl=False)
    else:
        _write(target, page)
        console(stderr=True).print(f"The page of Promise {promise.name} is written to {target}.")
    return 0


def _example(file: Path, promise: Promise) -> str | None:
    """Return the bundle's own example, None where there is none.

    Raises:
        InvalidInputError: it cannot be read, or would not be admitted.
    """
    if promise.api is None or not file.is_file():
        return None
    inputs = load([file])
    if inputs.problems:
        raise InvalidInputError(Reason(inputs.problems[0].reason), inputs.problems[0].message)
    for submission in inputs.submissions:
        request, document = submission.request, submission.origin
        same = (request.group, request.kind) == (promise.api.group, promise.api.kind)
        if same and isinstance(document, Document):
            _check(request, promise, document)
            return _text(document)
    return None


def _check(request: ResourceRequest, promise: Promise, document: Document) -> None:
    schemas = promise.api.schemas if promise.api is not None else {}
    if request.version not in schemas:
        message = (
            f"{document.where(('apiVersion',))}: the Promise serves no version "
            f"{request.version}; it serves {', '.join(schemas)}."
        )
        raise InvalidInputError(Reason.UNKNOWN_KIND, message)
    schema = RequestSchema(schemas[request.version])
    for found in schema.violations(schema.fill(request.spec)):
        message = f"{document.where(found.field)}: {found.message}."
        raise InvalidInputError(Reason.SCHEMA_VIOLATION, message)


def _text(document: Document) -> str:
    """Return a document as its author wrote it, comments included, if it stands by itself."""
    lines = document.text.strip().splitlines()
    if any(line.startswith(("---", "...")) for line in lines):
        return dump_documents([document.data]).decode()
    return "\n".join(lines)


def _write(path: Path, page: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename}: this cannot be written: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
