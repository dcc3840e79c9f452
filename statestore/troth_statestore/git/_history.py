"""What the two branches held before: the Git twin's `History`.

A cache holds no history as long as nobody asks for it; who asks first fetches all of it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from troth.errors import InvalidInputError, Reason, shorten
from troth_statestore.git._cache import CacheDamagedError, must
from troth_statestore.git._command import GitCommand
from troth_statestore.git._errors import known_error
from troth_statestore.git._location import Location
from troth_statestore.git._mirror import descends
from troth_statestore.git._objects import read_blobs
from troth_statestore.git._remote import Branches, Tips
from troth_statestore.history import Commit, FileStep
from troth_statestore.pieces import PieceReader, is_piece

__all__ = ["GitHistory", "Past"]

_Answer = TypeVar("_Answer")

# How a commit may be named: all of its id, or the beginning.
_REVISION = re.compile(r"[0-9a-f]{4,40}")

# Letters with a meaning in the basic regular expressions of `git log --grep`.
_SPECIAL = re.compile(r"([\[\].*^$\\])")

# A line of `--raw`, after which comes the path: modes and objects before and after, and a letter.
_RAW = re.compile(r"\n?:(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [A-Z]")

_NOTHING = "000000"
_PLAIN = "100644"
_BLOBS = ("100644", "100755")
_SUBMODULE = "160000"

_RAW_OPTIONS = ("-z", "--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent")

# Versions of a record that are read at a time: mostly the first or second will do.
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Past:
    """A cache at one moment, and where the history that it lacks is to be had."""

    git: GitCommand
    location: Location
    branches: Branches
    prefix: str
    tips: Tips

    def whole(self) -> "Past":
        """Fetch the history of both branches, unless it is there.

        Raises:
            CacheDamagedError: the remote could be asked a moment ago, yet this failed.
            StoreError, TransientError: the remote refuses, or can no longer be reached.
        """
        asked = must(self.git.run("rev-parse", "--is-shallow-repository"))
        if asked.text.strip() == "true":
            known = zip((self.branches.files, self.branches.records),
                        (self.tips.files, self.tips.records), strict=True)  # fmt: skip
            fetched = self.git.run(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--unshallow"),
                self.location.url,
                *(ref for ref, tip in known if tip is not None),
            )
            if fetched.status != 0:
                raise known_error(self.location, fetched.stderr) or CacheDamagedError(
                    shorten(fetched.stderr)
                )
        return self

    def placed(self, paths: Iterable[str]) -> list[str]:
        """Return paths of the store as paths of the repository."""
        return [f"{self.prefix}/{path}" if self.prefix else path for path in paths]

    def seen(self, path: str) -> str:
        """Return a path of the repository as one of the store."""
        return path.removeprefix(f"{self.prefix}/") if self.prefix else path

    def commit_named(self, revision: str) -> str:
        """Return the commit of the files branch that is meant.

        Raises:
            InvalidInputError: there is none, or more than one.
        """
        branch = self.branches.files.removeprefix("refs/heads/")
        if _REVISION.fullmatch(revision) and self.tips.files is not None:
            found = self.git.run(
                "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"
            )
            commit = found.text.strip()
            if found.status == 0 and descends(self.git, self.tips.files, commit):
                return commit
        text = f"{shorten(revision, 80)!r} names no commit of the branch {branch}, or several."
        raise InvalidInputError(
            Reason.INVALID_OBJECT, f"{text} `troth history` lists those of a request."
        )


class _Ask(Protocol):
    """Does something with the newest past, while nobody else uses the cache."""

    def __call__(self, work: Callable[[Past], _Answer], /) -> _Answer: ...


class GitHistory:
    """A `History`. Threads may share it.

    Args:
        ask: does something with the newest past, while nobody else uses the cache.
    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    def log(
        self, paths: Sequence[str], *, limit: int | None = None, until: str | None = None
    ) -> Sequence[Commit]:
        """Return the commits that changed a file at or below `paths`, the newest first."""
        if not paths:
            return []
        return self._ask(lambda past: _log(past.whole(), paths, limit, until))

    def touched(self, line: str) -> frozenset[str]:
        """Return the paths of files changed by commits in whose message `line` stands by itself."""
        return self._ask(lambda past: _touched(past.whole(), line))

    def contents(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Return digest → content, of digests that `log` told of; of a submodule there is none."""
        objects = {
            digest: digest.rpartition(":")[2]
            for digest in digests
            if not digest.startswith(_SUBMODULE)
        }
        blobs = self._ask(lambda past: read_blobs(past.whole().git, objects.values()))
        return {digest: blobs[object_id] for digest, object_id in objects.items()}

    def read_at(self, revision: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return path → content of the plain files at or below `paths` at a revision."""

        def read(files: Sequence[str]) -> dict[str, bytes]:
            return self._ask(lambda past: _read_at(past.whole(), revision, files))

        pieces = PieceReader(read)
        below = [path for one in paths if is_piece(one) for path in pieces.below(one)]
        return {**read([one for one in paths if not is_piece(one)]), **pieces.read(below)}

    def record_versions(self, key: str) -> Iterator[tuple[str, bytes]]:
        """Return what a record was until it was removed or made, the newest first."""
        versions = self._ask(lambda past: _versions(past.whole(), key))
        for start in range(0, len(versions), _AT_ONCE):
            some = versions[start : start + _AT_ONCE]
            held = self.contents(blob for _, blob in some)
            yield from ((commit, held[blob]) for commit, blob in some)


def _log(past: Past, paths: Sequence[str], limit: int | None, until: str | None) -> list[Commit]:
    tip = past.tips.files if until is None else past.commit_named(until)
    if tip is None:
        return []
    cut = [] if limit is None else [f"--max-count={limit}"]
    run = past.git.run(
        *("log", "--encoding=UTF-8", "--format=%H%n%at%n%an <%ae>%n%B", *_RAW_OPTIONS, *cut),
        *(tip, "--", *past.placed(paths)),
    )
    found: list[tuple[str, list[FileStep]]] = []
    texts = iter(_texts(must(run).stdout))
    for text in texts:
        raw = _RAW.fullmatch(text)
        if raw is None:
            found.append((text, []))
        else:
            found[-1][1].append(_step(raw, past.seen(next(texts))))
    return [_commit(header, steps) for header, steps in found]


def _commit(header: str, steps: Iterable[FileStep]) -> Commit:
    revision, seconds, author, message = header.removeprefix("\n").split("\n", 3)
    ordered = sorted(steps, key=lambda step: step.path)
    return Commit(revision, author, int(seconds), message.rstrip("\n"), tuple(ordered))


def _step(raw: re.Match[str], path: str) -> FileStep:
    modes, ids = raw.groups()[:2], raw.groups()[2:]
    before, after = map(_digest, modes, ids)
    return FileStep(path, before, after)


def _digest(mode: str, object_id: str) -> str | None:
    if mode == _NOTHING:
        return None
    return object_id if mode == _PLAIN else f"{mode}:{object_id}"


def _touched(past: Past, line: str) -> frozenset[str]:
    if past.tips.files is None:
        return frozenset()
    pattern = _SPECIAL.sub(r"\\\1", line)
    run = past.git.run(
        *("log", "--encoding=UTF-8", "--format=", "-z", "--name-only", "--no-renames"),
        *("--diff-merges=off", "--basic-regexp", f"--grep=^{pattern}$", past.tips.files),
        *(("--", past.prefix) if past.prefix else ()),
    )
    return frozenset(past.seen(text) for text in _texts(must(run).stdout) if text)


def _read_at(past: Past, revision: str, paths: Sequence[str]) -> dict[str, bytes]:
    commit = past.commit_named(revision)
    if not paths:
        return {}
    listed = must(
        past.git.run(
            "ls-tree", "-r", "-z", "--full-tree", commit, "--", *past.placed(paths)
        )
    )  # fmt: skip
    blobs: dict[str, str] = {}
    for entry in _texts(listed.stdout):
        facts, path = entry.split("\t", 1)
        mode, _, object_id = facts.split(" ")
        if mode == _PLAIN:
            blobs[past.seen(path)] = object_id
    contents = read_blobs(past.git, blobs.values())
    return {path: contents[object_id] for path, object_id in blobs.items()}


def _versions(past: Past, key: str) -> list[tuple[str, str]]:
    """Return commit of the records and digest of the record in it, back to where it was made."""
    if past.tips.records is None:
        return []
    run = past.git.run(
        *("log", "--format=%H", *_RAW_OPTIONS, past.tips.records, "--", *past.placed([key]))
    )
    found: list[tuple[str, str]] = []
    commit = ""
    texts = iter(_texts(must(run).stdout))
    for text in texts:
        raw = _RAW.fullmatch(text)
        if raw is None:
            commit = text.strip()
            continue
        next(texts)
        mode, object_id = raw[2], raw[4]
        if mode == _NOTHING:
            break  # what came before it was another's, of the same name
        if mode in _BLOBS:
            found.append((commit, object_id))
    return found


def _texts(output: bytes) -> list[str]:
    # Names and messages that are no UTF-8 are foreign; they must not stop us.
    return output.decode(errors="surrogateescape").split("\0")[:-1]
