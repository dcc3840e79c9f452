"""Blobs, trees and plain commits, of both branches, through one ``git fast-import``.

There is no worktree and no index.

Format: https://git-scm.com/docs/git-fast-import
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from troth_statestore.git._cache import must
from troth_statestore.git._command import GitCommand

__all__ = ["Commit", "Growth", "import_commits", "import_trees"]

_NO_OBJECT = "0" * 40

# Questions to fast-import about the commit just made, answered on its standard output. The empty
# line ends the commit, within which `ls` would be a question about it as well.
_ITS_ID = b"\nget-mark :1\n"
_ITS_TREE = b'\nls :1 ""\n'


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit to make: paths from the root of the repository."""

    message: str
    write: Mapping[str, bytes]
    remove: Sequence[str]


@dataclass(frozen=True, slots=True)
class Growth:
    """Commits to put on top of `parent`, which is None for a branch that does not exist.

    `also` is a second parent of the first of them.
    """

    parent: str | None
    commits: Sequence[Commit]
    also: str | None = None


def import_commits(git: GitCommand, growths: Sequence[Growth], maker: bytes) -> list[list[str]]:
    """Make commits in the cache; return their ids, a list for each growth.

    No ref is left behind: what is never pushed is never seen again.

    Args:
        git: runs on the cache.
        growths: what to make.
        maker: who makes it and when, as it stands in a commit.

    Raises:
        CacheDamagedError: git could not.
    """
    return _imported(git, growths, maker, _ITS_ID)


def import_trees(git: GitCommand, growths: Sequence[Growth], maker: bytes) -> list[list[str]]:
    """Make the trees of commits; otherwise as `import_commits`."""
    # Something has to hold each tree while the next is made: commits that nobody will look at.
    bare = [
        Growth(growth.parent, [Commit("", one.write, one.remove) for one in growth.commits])
        for growth in growths
    ]
    return _imported(git, bare, maker, _ITS_TREE)


def _imported(
    git: GitCommand, growths: Sequence[Growth], maker: bytes, question: bytes
) -> list[list[str]]:
    with TemporaryFile() as stream:
        stream.writelines(_stream(growths, maker, question))
        stream.seek(0)
        options = ["--quiet", "--date-format=raw", f"--active-branches={len(growths)}"]
        answers = must(git.run("fast-import", *options, stdin=stream)).text.splitlines()
    # `<id>`, or `040000 tree <id>\t`.
    ids = (line.split()[-1] for line in answers)
    return [[next(ids) for _ in growth.commits] for growth in growths]


def _stream(growths: Sequence[Growth], maker: bytes, question: bytes) -> Iterator[bytes]:
    # `feature done` makes a stream that was cut short an error.
    yield b"feature done\n"
    for number, growth in enumerate(growths):
        if not growth.commits:
            continue
        ref = f"refs/troth/import/{number}".encode()
        for place, commit in enumerate(growth.commits):
            yield b"commit %s\nmark :1\nauthor %s\ncommitter %s\n" % (ref, maker, maker)
            yield _data(commit.message.encode())
            if place == 0 and growth.parent is not None:
                yield b"from %s\n" % growth.parent.encode()
            if place == 0 and growth.also is not None:
                yield b"merge %s\n" % growth.also.encode()
            yield from _changes(commit)
            yield question
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
