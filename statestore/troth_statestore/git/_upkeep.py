"""Keeping a cache as small as what stands at the tips, however long it is kept.

Each import and each fetch leaves a pack, and each flush objects that no later one will look at.
What is needed is the newest commit of each branch, and those that snapshots show, each with all
that stands there.
"""

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from troth_statestore.git._cache import Cache, must

__all__ = ["Upkeep"]

# Packs after which they are put together: a lookup asks them one by one.
_PACK_LIMIT = 50

# Bytes that a cache may grow by, whatever it held: for less it is not worth the second or two that
# it takes to leave history behind where there are 80,000 files.
_SLACK = 64 << 20


class Upkeep:
    """Looks after one cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._kept: int | None = None

    @property
    def is_due(self) -> bool:
        """Whether the cache has become untidy."""
        return len(self._packs()) >= _PACK_LIMIT

    def tidy(self, tips: Collection[str]) -> None:
        """Put packs together; once the cache has doubled, leave behind all but what `tips` show.

        Args:
            tips: commits that are still looked at, among them the newest.

        Raises:
            CacheDamagedError: git could not.
        """
        if self._cache.borrows:
            # What was pushed lies in the remote, and what was not is of no use.
            self._repack("-a")
        elif self._kept is not None and self._size() < 2 * self._kept + _SLACK:
            self._repack("--geometric=2")
        else:
            self._forget_before(tips)
            with self._held(tips):
                self._repack("-a")
            self._kept = self._size()

    @contextmanager
    def _held(self, tips: Collection[str]) -> Generator[None, None, None]:
        """Let refs point to `tips` meanwhile: what no ref leads to is dropped."""
        refs = {f"refs/troth/held/{number}": tip for number, tip in enumerate(sorted(tips))}
        self._update_refs(f"create {ref} {tip}" for ref, tip in refs.items())
        yield
        self._update_refs(f"delete {ref}" for ref in refs)

    def _update_refs(self, commands: Iterator[str]) -> None:
        with TemporaryFile() as stdin:
            stdin.writelines(f"{command}\n".encode() for command in commands)
            stdin.seek(0)
            must(self._cache.git.run("update-ref", "--stdin", stdin=stdin))

    def _repack(self, how: str) -> None:
        must(self._cache.git.run("repack", how, "-d", "-l", "-q"))

    def _forget_before(self, tips: Collection[str]) -> None:
        # Format: https://git-scm.com/docs/shallow; commits in it are taken for the first.
        shallow = self._cache.repository / "shallow"
        new = shallow.with_name("shallow.new")
        new.write_text("".join(f"{tip}\n" for tip in sorted(tips)))
        new.replace(shallow)

    def _packs(self) -> list[Path]:
        return list((self._cache.repository / "objects" / "pack").glob("*.pack"))

    def _size(self) -> int:
        return sum(pack.stat().st_size for pack in self._packs())
