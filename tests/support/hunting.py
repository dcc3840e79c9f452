"""Searches all that a suite left for all that it minted, in time that grows with what is left.

What is left is laid into one file, each Git object once, and one run of grep searches it for each
secret in each spelling. What was minted is what was noted (support.minted), and what was sealed:
the suite has the keys of its clusters, so every SealedSecret that is left can be opened.
"""

import hashlib
import os
import re
import subprocess
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support.minted import notes
from support.month.leaks import SHORTEST, spellings
from support.sealing import SEALING_KEY_NOTE, CannotOpenError, unseal

from troth.api import is_object

__all__ = ["Bag", "Grounds", "hunt"]

# Folders of tests' own that hold what their platforms are given: Secrets as they are mounted, what
# a nats-server is started with.
_GIVEN = {"secrets"}

# Entries of Secrets that are no secret.
_PUBLIC = {"username", "user", "ssh-publickey", "servers"}

_SEED = re.compile(r"S[UAOX][A-Z2-7]{56}")
_FRAME = "-----"
_LINE = 40  # characters; shorter lines of a key say nothing


@dataclass(frozen=True)
class Grounds:
    """Where to look.

    Attributes:
        folder: that all folders of tests lie in.
        skipped: folders in it of tests that put secrets where they must not be, on purpose.
        left: folders that were left elsewhere.
        lines: the command lines of processes that were started.
    """

    folder: Path
    skipped: frozenset[Path] = frozenset()
    left: tuple[Path, ...] = ()
    lines: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Bag:
    """What was found, as secret and place, and how much was looked at."""

    found: tuple[str, ...]
    secrets: int
    opened: int
    closed: int
    repositories: int
    files: int
    unread: int
    megabytes: float
    seconds: float

    @property
    def summary(self) -> str:
        """One line that tells of it, for the end of a run."""
        return (
            f"leak hunt: {self.secrets} secrets, {self.opened} of them opened again "
            f"({self.closed} sealed for keys that nobody has), searched for in "
            f"{self.repositories} Git repositories and {self.files} files ({self.unread} that "
            f"nobody can read), "
            f"{self.megabytes:.0f} MB in {self.seconds:.0f} s: {len(self.found) or 'none'} found"
        )


def hunt(folder: Path, grounds: Grounds) -> Bag:
    """Search the grounds for what the notes in `folder` tell of."""
    began = time.monotonic()
    secrets = dict[str, str]()
    for name, value in notes(folder, "secrets"):
        secrets.setdefault(value, name)
    with (folder / "spool").open("w+b") as file:
        spool = _Spool(file, grounds)
        spool.lay(notes(folder, "sayings"))
        keys = [load_pem_private_key(value.encode(), None) for value, name in secrets.items()
                if name.startswith(SEALING_KEY_NOTE)]  # fmt: skip
        opener = _Opener([key for key in keys if isinstance(key, RSAPrivateKey)])
        for where, label, text in spool.sealed:
            opener.open(where, label, text)
        for value, name in opener.opened.items():
            secrets.setdefault(value, name)
        wanted = {
            spelling: name
            for value, name in secrets.items()
            for part in _parts(value)
            for spelling in spellings(part)
        }
        file.flush()
        found = _search(Path(file.name), wanted)
        told = {f"{name} in {_without(secrets, spool.place(offset))}" for name, offset in found}
        return Bag(
            found=tuple(sorted(told)),
            secrets=len(secrets),
            opened=len(opener.opened),
            closed=opener.closed,
            repositories=spool.repositories,
            files=spool.files,
            unread=spool.unread,
            megabytes=file.tell() / 1e6,
            seconds=time.monotonic() - began,
        )


class _Spool:
    """All that is left, in one file; knows what came from where."""

    def __init__(self, file: IO[bytes], grounds: Grounds) -> None:
        self._file, self._grounds = file, grounds
        self._offsets: list[int] = []
        self._places: list[str] = []
        self._seen: set[bytes] = set()
        self.repositories = self.files = self.unread = 0
        self.sealed: set[tuple[str, str, str]] = set()

    def lay(self, sayings: Iterable[tuple[str, str]]) -> None:
        for where, text in sayings:
            self._add(f"what was said: {where}", text.encode())
        for line in self._grounds.lines:
            self._add("a command line", line)
        for folder in (self._grounds.folder, *self._grounds.left):
            self._walk(folder)

    def place(self, offset: int) -> str:
        """Tell where that came from which stands at an offset."""
        return self._places[bisect_right(self._offsets, offset) - 1]

    def _walk(self, top: Path) -> None:
        for name, folders, files in os.walk(top):
            here = Path(name)
            shown = here.relative_to(self._grounds.folder) if top == self._grounds.folder else here
            if here in self._grounds.skipped:
                folders.clear()
                continue
            if "objects" in folders and "HEAD" in files:
                folders.remove("objects")
                self._repository(here, f"{shown}: Git objects")
            folders[:] = sorted(set(folders) - _GIVEN)
            for one in files:
                self._one_file(here / one, f"{shown}/{one}")

    def _one_file(self, path: Path, shown: str) -> None:
        if path.is_symlink() or not path.is_file():
            return
        try:
            content = path.read_bytes()
        except OSError:  # a test took the right to read it away
            self.unread += 1
            return
        self.files += 1
        digest = hashlib.sha256(content).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            self._add(shown, shown.encode() + b"\n" + content)
            self._note_sealed(shown, content)

    def _repository(self, folder: Path, shown: str) -> None:
        self.repositories += 1
        command = ["git", "--git-dir", str(folder), "cat-file"]
        options = ["--batch-all-objects", "--batch", "--unordered", "--buffer"]
        # A test may have broken its repository: what can be read is what others could read.
        done = subprocess.run([*command, *options], capture_output=True, check=False)
        self.unread += done.returncode != 0
        said, position = done.stdout, 0
        while (end := said.find(b"\n", position)) >= 0:
            head = said[position:end].split()
            if len(head) != 3:
                position = end + 1
                continue
            position = end + 1 + int(head[2])
            content, position = said[end + 1 : position], position + 1
            if head[0] not in self._seen:
                self._seen.add(head[0])
                self._add(shown, content)
                if head[1] == b"blob":
                    self._note_sealed(shown, content)

    def _add(self, place: str, content: bytes) -> None:
        self._offsets.append(self._file.tell())
        self._places.append(place)
        self._file.write(content + b"\n")

    def _note_sealed(self, place: str, content: bytes) -> None:
        if b"SealedSecret" in content and b"encryptedData" in content:
            self.sealed |= {(place, label, text) for label, text in _sealed_in(content)}


def _sealed_in(content: bytes) -> Iterator[tuple[str, str]]:
    """Return each sealed value that is no public one, with what it may be bound to."""
    try:
        documents = list(yaml.load_all(content, yaml.CSafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # spoilt by a test, on purpose
    for document in documents:
        if not is_object(document) or document.get("kind") != "SealedSecret":
            continue
        metadata, spec = document.get("metadata"), document.get("spec")
        if is_object(metadata) and is_object(spec) and is_object(spec.get("encryptedData")):
            label = f"{metadata.get('namespace')}/{metadata.get('name')}"
            for entry, text in spec["encryptedData"].items():  # type: ignore[union-attr]
                if entry not in _PUBLIC:
                    yield label, str(text)


class _Opener:
    """Opens what is sealed with whichever key fits; the one that fitted last is tried first."""

    def __init__(self, keys: list[RSAPrivateKey]) -> None:
        self._keys = keys
        self.opened: dict[str, str] = {}
        self.closed = 0

    def open(self, where: str, label: str, text: str) -> None:
        for key in self._keys:
            for bound in (label, label.partition("/")[0], ""):  # as the scopes have it
                try:
                    value = unseal(text, bound, key)
                except (CannotOpenError, ValueError):
                    continue
                self.opened[value.decode("latin-1")] = f"a value of {label} from {where}"
                self._keys.remove(key)
                self._keys.insert(0, key)
                return
        self.closed += 1


def _parts(value: str) -> Iterator[str]:
    """Return what of a value gives it away: seeds, lines of keys, or all of it."""
    if seeds := _SEED.findall(value):
        yield from seeds
        return
    lines = [line for line in value.splitlines() if len(line) >= _LINE and _FRAME not in line]
    if _FRAME in value:
        yield from lines[len(lines) // 2 :]  # a key begins with what is public of it
    elif len(value.strip()) >= SHORTEST:
        yield value.strip()


def _without(secrets: Iterable[str], place: str) -> str:
    """Return a place without what a file may be called by."""
    for secret in secrets:
        for part in _parts(secret):
            place = place.replace(part, "[the secret]")
    return place


def _search(spool: Path, wanted: dict[bytes, str]) -> Iterator[tuple[str, int]]:
    """Return which secret stands where in the spool."""
    if not wanted:
        return
    patterns = spool.with_name("patterns")  # no argument: others could read it
    patterns.write_bytes(b"\n".join(one for one in wanted if one and b"\n" not in one) + b"\n")
    done = subprocess.run(
        ["grep", "--text", "--only-matching", "--byte-offset", "--fixed-strings",
         f"--file={patterns}", str(spool)],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )  # fmt: skip
    if done.returncode not in {0, 1}:
        raise AssertionError(done.stderr.decode(errors="replace"))
    for line in done.stdout.splitlines():
        offset, _, match = line.partition(b":")
        yield wanted[match], int(offset)
