"""Whether the two branches still belong together: told, at first sight, by what they say.

Within one run a writer remembers where the branches were. Between two runs nothing else may be
left than the repository, so its commits tell: those of the records name the tip of the files they
were pushed with, and those of the files say that a record went with them. Branches that were
written before they said so are taken as they are.
"""

import re
from dataclasses import dataclass

from troth.errors import Reason, StoreError
from troth_statestore.git._cache import must
from troth_statestore.git._command import GitCommand
from troth_statestore.git._location import Location
from troth_statestore.git._messages import BASE, FILES, NO_FILES, RECORD
from troth_statestore.git._remote import Remote, Tips

__all__ = ["Half", "doubt_about", "half_at", "rewritten"]

# Commits of each branch that are looked at: among them a person's own, who mended a record or a
# file. One step of `Remote.deepen` fetches more than these.
_LOOK_BACK = 30

_ID = re.compile(r"[0-9a-f]{40}")

# Anywhere in a message: a commit of several change sets has a paragraph for each, and of those git
# takes only the last for trailers.
_WITH_RECORD = re.compile(rf"^{RECORD}: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Half:
    """Records that were pushed before their files, on a host that takes no two branches at once.

    Attributes:
        records: the commit of the records.
        before: the one before it, None for the first.
        files: the tip of the files that were to follow; an ancestor of `records`.
        base: where the files were then, None where there were none.
    """

    records: str
    before: str | None
    files: str
    base: str | None


def half_at(git: GitCommand, records: str) -> Half | None:
    """Return what the tip of the records says of files that were to follow, None when nothing.

    Raises:
        CacheDamagedError: it is not in the cache.
    """
    # Read raw: where the cache's history begins, git tells of no parents.
    head, _, message = must(git.run("cat-file", "commit", records)).text.partition("\n\n")
    parents = [line[7:] for line in head.splitlines() if line.startswith("parent ")]
    said = dict(line.split(": ", 1) for line in message.splitlines() if line.startswith("Troth-"))
    files = said.get(FILES)
    if BASE not in said or files is None or files not in parents:
        return None
    before = next((parent for parent in parents if parent != files), None)
    base = said[BASE]
    return Half(records, before, files, None if base == NO_FILES else base)


def doubt_about(git: GitCommand, remote: Remote, tips: Tips) -> StoreError | None:
    """Return what is wrong with branches that are seen for the first time, None when nothing is.

    Usual cost: one look at the tip of the records. History that was left behind is fetched only as
    far as it is needed.

    Raises:
        CacheDamagedError, StoreError, TransientError: as `Remote.fetch`.
    """
    named = None if tips.records is None else _last_named(git, remote, tips, tips.records)
    if tips.records is not None and named is None:
        return None  # written before the branches spoke of each other
    if named is not None and named != NO_FILES:
        if not _goes_on(git, remote, tips, named):
            return rewritten(remote.location, remote.branches.files, named, tips.files)
        moved = tips.files not in {None, named}
        forgotten = _written(git, f"{named}..{tips.files}") if moved else None
    else:
        forgotten = None if tips.files is None else _lately_written(git, remote, tips, tips.files)
    return None if forgotten is None else _outdated(remote, tips, forgotten)


def rewritten(location: Location, ref: str, seen: str, tip: str | None) -> StoreError:
    """Return the error for a branch that is no longer at, or after, where it was."""
    # What people pushed after `seen` is known to nobody here, and a push of `seen` would lose it.
    theirs = ref.replace("refs/heads/", "refs/remotes/origin/", 1)
    return StoreError(
        Reason.HISTORY_REWRITTEN,
        f"State store {location.description}: {ref} was at {seen} or later and is now "
        f"{'gone' if tip is None else f'at {tip}, which does not descend from it'}. Nothing was "
        "written over it. To put it back, in the clone that fetched last before that, and so has "
        f"that commit and what came after it: git push --force origin {theirs}:{ref}. "
        "To go on from what is there: troth sync --accept-remote.",
    )


def _goes_on(git: GitCommand, remote: Remote, tips: Tips, named: str) -> bool:
    """Tell whether the files are at the named commit or after it, or are about to be."""
    if tips.files == named:
        return True
    if tips.files is not None and remote.follows(tips, tips.files, named):
        return True
    half = None if tips.records is None else half_at(git, tips.records)
    if half is None or half.files != named:
        return False
    if half.base is None or tips.files is None:
        return half.base is None
    return remote.follows(tips, tips.files, half.base)


def _last_named(git: GitCommand, remote: Remote, tips: Tips, records: str) -> str | None:
    """Return what the newest commit of the records that tells names: a commit, or `NO_FILES`."""
    found = _named(git, records)
    if found is None and remote.deepen(tips):
        return _named(git, records)
    return found


def _named(git: GitCommand, records: str) -> str | None:
    form = f"--format=%(trailers:key={FILES},valueonly)"
    lines = _log(git, form, f"--max-count={_LOOK_BACK}", records).split("\n")
    return next((one for one in lines if one == NO_FILES or _ID.fullmatch(one)), None)


def _lately_written(git: GitCommand, remote: Remote, tips: Tips, files: str) -> str | None:
    """Return as `_written` for the last commits of the files."""
    number = f"--max-count={_LOOK_BACK}"
    found = _written(git, number, files)
    if found is None and remote.deepen(tips):
        return _written(git, number, files)
    return found


def _written(git: GitCommand, *commits: str) -> str | None:
    """Return id and subject of the newest of some commits that a record went with."""
    entries = _log(git, "--format=%H %s%x00%B%x00%x00", *commits).split("\0\0\n")[:-1]
    pairs = (entry.split("\0", 1) for entry in entries)
    return next((subject for subject, message in pairs if _WITH_RECORD.search(message)), None)


def _log(git: GitCommand, *arguments: str) -> str:
    return must(git.run("log", "--first-parent", *arguments, "--")).text


def _outdated(remote: Remote, tips: Tips, commit: str) -> StoreError:
    records = remote.branches.records
    what = "gone" if tips.records is None else f"at {tips.records}, which is older than that"
    return StoreError(
        Reason.HISTORY_REWRITTEN,
        f"State store {remote.location.description}: {remote.branches.files} has the commit "
        f"{commit}, and the branch that keeps its record, {records}, is {what}. Nothing was "
        "written over it. Put that branch back from a clone or a backup. To go on without what it "
        "knew: troth sync --accept-remote.",
    )
