"""A push in two halves, for hosts that take no two branches at once: records first, then files.

The commit of the records has the tip of the files for a second parent, so that whoever has the one
has the other too. Were a writer to end between the two, the next finishes what it began; if
somebody else was at the files meanwhile, or the host refuses them, it takes the records back.
Either way the branches agree again before anything else is done.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from troth.errors import Reason, StoreError, TransientError
from troth_statestore.git._cache import Cache
from troth_statestore.git._fast_import import Commit
from troth_statestore.git._lineage import Half, half_at
from troth_statestore.git._messages import FILES, NO_FILES, commit_of_word
from troth_statestore.git._mirror import Mirror, Moment
from troth_statestore.git._objects import read_blobs
from troth_statestore.git._push import MovedError, UnsureError, Update, push
from troth_statestore.git._remote import Remote, Tips
from troth_statestore.git._tree import differences

__all__ = ["Halves"]

_log = logging.getLogger(__name__)

_TRIES = 5


class Halves:
    """Pushes in two halves, and mends what was cut off between them.

    Args:
        remote: the two branches.
        mirror: what is known of them.
        cache: where commits are made.
        make: makes one commit on top of another (None: on none) in the cache; returns its id.
    """

    def __init__(
        self,
        remote: Remote,
        mirror: Mirror,
        cache: Cache,
        make: Callable[[str | None, Commit], str],
    ) -> None:
        self._remote = remote
        self._mirror = mirror
        self._cache = cache
        self._make = make
        self._whole: str | None = None

    def push(self, records: Update, files: Update) -> None:
        """Move the records, then the files. Raises as `troth_statestore.git._push.push`."""
        self._push(records)
        try:
            self._push(files)
        except StoreError:
            half = Half(records.new, records.old, files.new, files.old)
            try:
                self._take_back(half, files.old)
            except (MovedError, UnsureError) as exc:  # then it is mended at the next look
                _log.warning("That is not sure: %s", exc)
            raise

    def is_whole(self, records: str | None) -> None:
        """Take note that the files are known to go with this tip of the records."""
        self._whole = records

    def mend(self, moment: Moment) -> Moment:
        """Bring the branches to agree, if a push was cut off; return what they hold then.

        Raises:
            CacheDamagedError, StoreError, TransientError: as `Mirror.refresh`.
        """
        for _ in range(_TRIES):
            half = self._cut_off(moment)
            if half is None:
                return moment
            try:
                self._mend(half, moment.files.tip)
            except (MovedError, UnsureError) as exc:
                _log.warning("That is not sure: %s", exc)
            moment = self._mirror.refresh()
        raise TransientError(
            Reason.STATE_STORE_BUSY,
            f"State store {self._remote.location.description}: a push that was cut off could not "
            f"be finished in {_TRIES} attempts. It is tried again at the next look.",
        )

    def _cut_off(self, moment: Moment) -> Half | None:
        """Return the half whose files are not there."""
        tips = Tips(moment.files.tip, moment.records.tip)
        if tips.records is None or tips.records == self._whole:
            return None
        half = half_at(self._cache.git, tips.records)
        if half is not None and (
            tips.files in {None, half.base} or not self._has_followed(tips, half)
        ):
            return half
        self._whole = tips.records
        return None

    def _has_followed(self, tips: Tips, half: Half) -> bool:
        return tips.files is not None and self._remote.follows(tips, tips.files, half.files)

    def _mend(self, half: Half, files: str | None) -> None:
        if files != half.base:
            self._take_back(half, files)
            return
        _log.warning(
            "State store %s: finishing a push that was cut off; %s goes to %s.",
            self._remote.location.description, self._remote.branches.files, half.files,
        )  # fmt: skip
        tips = Tips(files, half.records)
        if files is not None:
            self._remote.follows(tips, half.files, files)  # fetches what lies between
        elif not self._has(half.files):
            self._remote.deepen(tips)
        try:
            self._push(Update(self._remote.branches.files, files, half.files))
        except StoreError as exc:
            _log.warning("It was refused: %s", exc.message)
            self._take_back(half, files)

    def _take_back(self, half: Half, files: str | None) -> None:
        """Let the records be again what they were before a half."""
        _log.warning(
            "State store %s: what %s says was not followed by its files and is taken back.",
            self._remote.location.description, half.records,
        )  # fmt: skip
        word = commit_of_word(f"Take back {half.records}", [(FILES, files or NO_FILES)])
        write, remove = self._back(half)
        made = self._make(half.records, Commit(word.message, write, remove))
        self._push(Update(self._remote.branches.records, half.records, made))

    def _back(self, half: Half) -> tuple[Mapping[str, bytes], Sequence[str]]:
        """Return what to write and to remove to undo the commit of the records."""
        git = self._cache.git
        if half.before is not None and not self._has(half.before):
            self._remote.deepen(Tips(None, half.records))
        ids = differences(git, half.records, half.before)
        blobs = read_blobs(git, filter(None, ids.values()))
        write = {path: blobs[one] for path, one in ids.items() if one is not None}
        return write, [path for path, one in ids.items() if one is None]

    def _has(self, commit: str) -> bool:
        return self._cache.git.run("cat-file", "-e", f"{commit}^{{tree}}").status == 0

    def _push(self, update: Update) -> None:
        push(self._cache.git, self._remote.location, [update])
