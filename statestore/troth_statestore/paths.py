"""Which paths a store takes: one judgement for files, records and the prefix of a store.

Called by every twin before it writes, and by whoever wants to refuse a path earlier. Pure text:
no file system is asked.
"""

import re
import unicodedata

__all__ = ["RESERVED_FOLDER", "ancestors", "why_unsafe"]

# The directory twin keeps its records in this folder of the root; no store takes files there, so
# that what fits one twin fits all.
RESERVED_FOLDER = ".troth"

# Bytes of one name: what Linux file systems hold, so that every agent can check the file out.
_NAME_LIMIT = 255

# What nearly every path looks like, so that the common answer is quick. No segment starts with a
# dot, and none can be longer than _NAME_LIMIT.
_PLAIN = re.compile(r"(?=.{1,255}\Z)[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

# Names that some file system takes for `.git`: itself, and its short name on NTFS.
_GIT_NAMES = frozenset({".git", "git~1"})

# Code points that HFS+ leaves out when it compares names; the list is that of Git's `utf8.c`.
_INVISIBLE = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)


def why_unsafe(path: str) -> str | None:
    """Say what forbids `path` in a store, or return None for a safe relative path.

    Safe means: below the root on every file system an agent may use, and no way into ``.git``,
    look-alikes that Git's own fsck refuses included.
    """
    if _PLAIN.fullmatch(path):
        return None
    if not path:
        return "it is empty"
    if "\\" in path:
        return "it holds a backslash"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in path):
        return "it holds a control character or half a character"
    segments = path.split("/")
    if segments[0].casefold() == RESERVED_FOLDER:
        return f"{RESERVED_FOLDER}/ is where stores keep their own files"
    return next(filter(None, map(_why_unsafe_segment, segments)), None)


def _why_unsafe_segment(segment: str) -> str | None:
    if not segment:
        return "it is absolute or has an empty segment"
    if segment in {".", ".."}:
        return f"it has the segment {segment!r}"
    if len(segment.encode()) > _NAME_LIMIT:
        return f"it has a segment of more than {_NAME_LIMIT} bytes"
    seen_by_others = segment.translate(_INVISIBLE).casefold().partition(":")[0].rstrip(" .")
    if seen_by_others in _GIT_NAMES:
        return f"its segment {segment!r} is .git, or is taken for it somewhere"
    return None


def ancestors(path: str) -> list[str]:
    """Return the folders above `path`, the outermost first: ``a/b/c`` → ``[a, a/b]``."""
    folders: list[str] = []
    cut = path.find("/")
    while cut != -1:
        folders.append(path[:cut])
        cut = path.find("/", cut + 1)
    return folders
