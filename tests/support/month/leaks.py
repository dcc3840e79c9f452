"""The leak hunt: secrets searched for in all that a platform leaves, however they are spelled."""

import base64
import subprocess
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SHORTEST", "Left", "command_lines", "hunt", "spellings"]

SHORTEST = 12
"""Characters; a shorter secret would be found by chance."""


@dataclass(frozen=True)
class Left:
    """What a platform left once it has ended.

    Attributes:
        store: the bare repository, with files and records.
        site: a folder with the platform's files (``platform``) and its clones (``cache-*``,
            ``clone-*``). The Secrets that it was given lie there, too; they are not looked at.
        temporary: the folder for temporary files.
        lines: the command lines of all processes meanwhile.
        texts: by what it is, all that was said: reports, statuses, errors, logs, output.
    """

    store: Path
    site: Path
    temporary: Path
    lines: Iterable[bytes]
    texts: Mapping[str, Iterable[str]]

    @property
    def places(self) -> dict[str, list[bytes]]:
        """Where nothing secret may stand, and what stands there."""
        clones = [*self.site.glob("cache-*"), *self.site.glob("clone-*")]
        inside = [found.parent for one in clones for found in one.rglob("HEAD")]
        repositories = [one for one in inside if (one / "objects").is_dir()]
        return {
            "the store's objects": list(_git_objects(self.store)),
            "the store's other files": list(_files_below(self.store)),
            "the clones' objects": [text for one in repositories for text in _git_objects(one)],
            "the clones' other files": [text for one in clones for text in _files_below(one)],
            "the platform's files": list(_files_below(self.site / "platform")),
            "temporary files": list(_files_below(self.temporary)),
            "command lines": list(self.lines),
            **{name: [text.encode() for text in texts] for name, texts in self.texts.items()},
        }


def _git_objects(folder: Path) -> Iterator[bytes]:
    """Return every object of a repository, those that nothing leads to any more included."""
    listed = subprocess.run(
        ["git", "--git-dir", str(folder), "cat-file", "--batch-all-objects", "--batch"],
        check=True,
        capture_output=True,
    )
    yield listed.stdout


def _files_below(folder: Path) -> Iterator[bytes]:
    """Return the content of every file, with its name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path).encode() + b"\n" + path.read_bytes()


def hunt(secrets: Mapping[str, str], left: Left) -> list[str]:
    """Return which secret stands where: as it is, in base64 wherever it begins, or in hex."""
    spelled = {name: tuple(spellings(value)) for name, value in secrets.items()}
    return sorted(
        f"{name} in {place}"
        for place, contents in left.places.items()
        for content in contents
        for name, spellings in spelled.items()
        if any(one in content for one in spellings)
    )


@contextmanager
def command_lines() -> Generator[set[bytes]]:
    """Gather the command lines of all processes until the end of the block."""
    found: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while True:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it has just ended
                    found.add(path.read_bytes())
            if over.wait(0.1):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def spellings(secret: str) -> Iterator[bytes]:
    """Spell a secret as it is, in hex, and in base64 wherever it begins."""
    raw = secret.strip().encode()
    assert len(raw) >= SHORTEST, "too short to be found"
    yield raw
    yield raw.hex().encode()
    yield raw.replace(b"\n", b"\\n")  # in JSON and in Python's own spelling
    for before in range(3):  # where it begins within three bytes decides its base64
        spelled = base64.b64encode(bytes(before) + raw)
        cut = 0 if before == 0 else before + 1
        yield spelled[cut : len(spelled) // 4 * 4 - 4]
