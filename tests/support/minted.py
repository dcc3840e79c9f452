"""Notes for the leak hunt: what was minted or given and has to stay secret, and what was said.

Written by the code of tests in whichever process it runs, as lines of JSON in a folder that the
hunt names in a variable; without the variable nothing is noted. Product code knows none of it.
"""

import json
import os
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["VARIABLE", "note_saying", "note_secret", "notes", "sayings"]

VARIABLE = "SUITE_NOTES"
"""The folder that notes go to; its name does not begin as the variables that tests are freed of."""


def note_secret(name: str, value: str | bytes) -> None:
    """Note what nobody may find in what the suite leaves."""
    text = value if isinstance(value, str) else value.decode("latin-1")
    _note("secrets", [name, text])


def note_saying(where: str, text: str) -> None:
    """Note what was said to people: output, reports, messages of errors."""
    _note("sayings", [where, text])


@contextmanager
def sayings(where: str) -> Generator[None]:
    """Note what an error says that leaves the block, with all that it came from."""
    try:
        yield
    except Exception as error:
        note_saying(where, "".join(traceback.format_exception(error)) + repr(error))
        raise


def notes(folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Read the notes of a kind, ``secrets`` or ``sayings``."""
    path = folder / kind
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, text = json.loads(line)
            yield name, text


def _note(kind: str, content: list[str]) -> None:
    folder = os.environ.get(VARIABLE)
    if folder is None or not Path(folder).is_dir():
        return
    line = json.dumps(content) + "\n"
    # In one write at the end, so that the lines of several processes do not mix.
    with (Path(folder) / kind).open("ab", buffering=0) as file:
        file.write(line.encode())
