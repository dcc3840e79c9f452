"""Making commits: both branches through one ``git fast-import``, with no worktree and no index.

The only place that writes commit objects, so that signed ones can take its place some day.
Format: https://git-scm.com/docs/git-fast-import
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from troth_statestore.git._cache import must
from troth_statestore.git._command import GitCommand
from troth_statestore.git._settings import Author

__all__ = ["Commit", "Growth", "import_commits"]

_NO_OBJECT = "0" * 40


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit to make: paths from the root of the repository."""

    message: str
    write: Mapping[str, bytes]
    remove: Sequence[str]


@dataclass(frozen=True, slots=True)
class Growth:
    """Commits to put on top of `parent`, which is None for a branch that does not exist."""

    parent: str | None
    commits: Sequence[Commit]


def import_commits(
    git: GitCommand, growths: Sequence[Growth], author: Author, seconds: int
) -> list[list[str]]:
    """Make commits in the cache; return their ids, a list for each growth.

    No ref is left behind: what is never pushed is never seen again.

    Raises:
        CacheDamagedError: git could not.
    """
    signature = f"{author.name} <{author.email}> {seconds} +0000".encode()
    with TemporaryFile() as stream:
        stream.writelines(_stream(growths, signature))
        stream.seek(0)
        options = ["--quiet", "--date-format=raw", f"--active-branches={len(growths)}"]
        made = must(git.run("fast-import", *options, stdin=stream)).text.split()
    marks = iter(made)
    return [[next(marks) for _ in growth.commits] for growth in growths]


def _stream(growths: Sequence[Growth], signature: bytes) -> Iterator[bytes]:
    # `feature done` makes a stream that was cut short an error.
    yield b"feature done\n"
    for number, growth in enumerate(growths):
        if not growth.commits:
            continue
        ref = f"refs/troth/import/{number}".encode()
        for place, commit in enumerate(growth.commits):
            yield b"commit %s\nmark :1\nauthor %s\ncommitter %s\n" % (ref, signature, signature)
            yield _data(commit.message.encode())
            if place == 0 and growth.parent is not None:
                yield b"from %s\n" % growth.parent.encode()
            yield from _changes(commit)
            # Answered on standard output, in the order asked.
            yield b"get-mark :1\n"
        yield b"reset %s\nfrom %s\n\n" % (ref, _NO_OBJECT.encode())
    yield b"done\n"


def _changes(commit: Commit) -> Iterator[bytes]:
    # Removals first, so that a file can take the place of a folder and the other way round.
    for path in commit.remove:
        yield b"D %s\n" % _quoted(path)
    for path, content in commit.write.items():
        yield b"M 100644 inline %s\n" % _quoted(path)
        yield _data(content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    # Safe paths hold neither backslashes nor control characters: see `why_unsafe`.
    return b'"%s"' % path.replace('"', '\\"').encode()
