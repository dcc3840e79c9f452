"""Writing commit objects: unsigned by fast-import, signed by our own hand.

Git 2.39's fast-import cannot sign, since a signature covers the tree and the parent, whose names
it alone knows. So of a signed growth it makes the trees; the commits on them are chained, signed
and packed here, and one ``git index-pack`` takes them all.
Formats: https://git-scm.com/docs/gitformat-signature, https://git-scm.com/docs/gitformat-pack
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from troth_statestore.git._cache import must
from troth_statestore.git._command import GitCommand
from troth_statestore.git._fast_import import Growth, import_commits, import_trees
from troth_statestore.git._settings import Author

if TYPE_CHECKING:
    from troth_statestore.git._sshsig import SigningKey

__all__ = ["Maker", "make_commits"]

_COMMIT = 1 << 4  # the type of a commit, in the first byte of an object in a pack


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes commits, when (seconds since 1970), and with which signature."""

    author: Author
    seconds: int
    key: "SigningKey | None"

    @property
    def line(self) -> bytes:
        """What stands behind ``author`` and ``committer``."""
        return f"{self.author.name} <{self.author.email}> {self.seconds} +0000".encode()


def make_commits(git: GitCommand, growths: Sequence[Growth], maker: Maker) -> list[list[str]]:
    """Make commits in the cache; return their ids, a list for each growth.

    No ref is left behind: what is never pushed is never seen again.

    Raises:
        CacheDamagedError: git could not.
    """
    if maker.key is None:
        return import_commits(git, growths, maker.line)
    made = [
        _signed(growth, trees, maker.line, maker.key)
        for growth, trees in zip(growths, import_trees(git, growths, maker.line), strict=True)
    ]
    _write_commits(git, [content for commits in made for content in commits.values()])
    return [list(commits) for commits in made]


def _signed(
    growth: Growth, trees: Sequence[str], line: bytes, key: "SigningKey"
) -> dict[str, bytes]:
    """Return id → content of the commits of a growth, each on the one before."""
    made: dict[str, bytes] = {}
    parents = [one for one in (growth.parent, growth.also) if one is not None]
    for commit, tree in zip(growth.commits, trees, strict=True):
        above = b"".join(b"parent %s\n" % one.encode() for one in parents)
        head = b"tree %s\n%sauthor %s\ncommitter %s\n" % (tree.encode(), above, line, line)
        message = b"\n" + commit.message.encode()
        # Lines of a header after its first begin with a space.
        signature = key.sign(head + message).replace(b"\n", b"\n ")
        content = b"%sgpgsig %s\n%s" % (head, signature, message)
        whole = b"commit %d\0%s" % (len(content), content)
        made_id = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        made[made_id] = content
        parents = [made_id]
    return made


def _write_commits(git: GitCommand, contents: Sequence[bytes]) -> None:
    """Put commit objects into the cache, as one pack."""
    checksum = hashlib.sha1(usedforsecurity=False)
    with TemporaryFile() as pack:
        head = b"PACK" + (2).to_bytes(4) + len(contents).to_bytes(4)
        for part in (head, *map(_packed, contents)):
            checksum.update(part)
            pack.write(part)
        pack.write(checksum.digest())
        pack.seek(0)
        must(git.run("index-pack", "--stdin", stdin=pack))


def _packed(content: bytes) -> bytes:
    # The size stands before it: 4 bits in the first byte, then 7 in each, the lowest first; the
    # highest bit says that another byte follows.
    first, rest = _COMMIT | len(content) & 0x0F, len(content) >> 4
    size = bytearray()
    while rest:
        size.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    size.append(first)
    return bytes(size) + zlib.compress(content, 1)
