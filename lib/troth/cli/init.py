"""``troth init``: begin something that works, to be changed into what is wanted."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import click

from troth.cli.reports import console
from troth.errors import InvalidInputError, Reason
from troth.kit.scaffold import DEFAULT_GROUP, Names, new_bundle

__all__ = ["init"]

# What the files are that people open first, by how their paths below the bundle end.
_REMARKS = {
    "README.md": "for those who ask, and those who change it",
    "promise.yaml": "what can be asked for, and the stage that fulfils it",
    "resource-request.yaml": "the example that works as it is",
    "resource-request-minimal.yaml": "the least one can ask for",
    "expected/": "what the requests give",
    "__init__.py": "the stage: the model of a request, and what it renders",
}


@click.group()
def init() -> None:
    """Begin something new that works as it is.

    \b
    Example:
      troth init promise website
    """  # noqa: D301  (click's \b keeps the lines of the example)


@init.command()
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Make the bundle's folder NAME in DIR.  [default: here]",
)
@click.option(
    "--kind",
    metavar="KIND",
    help="Kind of the requests, in the singular.  [default: NAME in CamelCase]",
)
@click.option(
    "--group",
    default=DEFAULT_GROUP,
    show_default=True,
    metavar="GROUP",
    help="API group of the requests; take a domain of your own.",
)
@click.option(
    "--template",
    is_flag=True,
    help="No Python: the objects are written as templates in promise.yaml.",
)
def promise(*, name: str, parent: Path, kind: str | None, group: str, template: bool) -> int:
    """Make the bundle of a Promise called NAME: a folder that passes troth test as it is.

    Its stage is a small package in Python, which need not be installed, or with --template no
    Python at all. A folder that holds anything is left alone.

    \b
    Examples:
      troth init promise website
      troth init promise website --template
      troth init promise database --dir promises --kind PostgresDatabase --group shop.example.com
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    names = Names.of(name, kind, group)
    files = new_bundle(names, template=template)
    folder = parent / name
    _write(folder, files)
    _tell(folder, names, list(files))
    return 0


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a folder that is empty or not there; nothing is ever overwritten."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            message = f"{folder} is there, and is not empty; choose another NAME or --dir."
            raise InvalidInputError(Reason.INVALID_NAME, message)
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(content)
    except OSError as error:
        message = f"{error.filename}: this cannot be written: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error


def _tell(folder: Path, names: Names, paths: Sequence[str]) -> None:
    """Say what was made, and what can be done with it."""
    out = console()
    out.print(f"{folder} is a Promise that works: it offers {names.kind} in {names.group}.")
    out.print()
    shown = [path for path in paths if not PurePosixPath(path).name.startswith(".")]
    lines = dict.fromkeys(_shortened(path) for path in shown)
    width = max(map(len, lines)) + 2
    for line in lines:
        out.print(f"  {line:{width}}{_remark(line)}".rstrip())
    given = shlex.quote(str(folder))
    request = shlex.quote(str(folder / "resource-request.yaml"))
    out.print()
    out.print("Next:")
    out.print(f"  troth test {given}")
    out.print(f"  troth render {request}")
    out.print(f"  troth sync {given} --state-store build/fleet.git")


def _shortened(path: str) -> str:
    """Return the path by which a file is shown: golden output counts as one."""
    return "expected/" if path.startswith("expected/") else path


def _remark(line: str) -> str:
    return next((said for end, said in _REMARKS.items() if line.endswith(end)), "")
