"""Files that several owners share: the layout ``aggregatedYAML`` keeps a Destination in one file.

Each owner's part of such a file is a *piece*, and has a path of its own: ``<file>//<piece>``, which
no plain file can have. Above each piece stands a comment with its path, which agents skip:

    # troth.dev/piece: resources/team/thing/one/configure/5058f/objects.yaml
    apiVersion: v1
    ...
    ---
    # troth.dev/piece: resources/team/thing/two/configure/5058f/objects.yaml

So the file alone tells whose each of its documents is, also after somebody has edited or reverted
it: what is changed by hand is changed in somebody's piece. A file without such comments is
somebody else's, say Kratix's: each of its documents is a piece below `KEPT`, until an owner takes
it over.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from troth_statestore._index import Index
from troth_statestore.paths import why_unsafe
from troth_statestore.protocol import digest_bytes

__all__ = [
    "KEPT",
    "PieceReader",
    "as_piece",
    "compose",
    "documents_in",
    "is_piece",
    "parse",
    "piece_path",
    "split_place",
    "why_no_piece",
    "why_unsafe_place",
]

KEPT = "kept"
"""The folder of the pieces that nobody has taken over."""

_SEPARATOR = "//"
_MARK = b"# troth.dev/piece: "
_JOINT = b"---\n"

# A mark counts at the start of the file, and right below the line that ends the piece before it:
# where somebody took that line out, two documents have become one, and neither is what it was.
_MARKED = re.compile(rb"(?:\A|(?<=\n)---\n)# troth\.dev/piece: ([^\n]*)\n")

# Where one document of a stream ends and the next begins.
_DOCUMENT_START = re.compile(rb"^---(?:[ \t\r]*(?:\n|\Z)|(?=[ \t]))", re.MULTILINE)
_NOTHING_IN_IT = re.compile(rb"(?:[ \t\r]*(?:#[^\n]*)?(?:\n|\Z))*")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def piece_path(file: str, piece: str) -> str:
    """Return the path of a piece of a file; with an empty `piece`, of the folder of all."""
    return f"{file}{_SEPARATOR}{piece}" if piece else f"{file}/"


def is_piece(path: str) -> bool:
    """Tell whether a path names a piece of a file, or a folder of such."""
    return _SEPARATOR in path


def split_place(path: str) -> tuple[str, str]:
    """Return the file and the piece that a path names; of a plain file the piece is empty."""
    file, _, piece = path.partition(_SEPARATOR)
    return file, piece


def why_unsafe_place(path: str) -> str | None:
    """Say what forbids the path of a file or piece in a store, None for a safe one."""
    file, piece = split_place(path)
    if file == path:
        return why_unsafe(path)
    return why_unsafe(file) or why_unsafe(piece)


def as_piece(content: bytes) -> bytes:
    """Return a file's content as it is kept as a piece: no `---` above, a line end below."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    while content.startswith((_JOINT, b"\n")):
        content = content.partition(b"\n")[2]
    return content.rstrip(b"\n") + b"\n"


def why_no_piece(content: bytes) -> str | None:
    """Say why content cannot stand in one file with that of others, None when it can."""
    if _MARK in content:
        return f"it holds {_MARK.decode().rstrip()!r}, by which pieces are told apart"
    if content.startswith(b"%") or b"\n%" in content:
        return "it holds a YAML directive, which has no place between the documents of others"
    if content != as_piece(content):
        return "it does not end its last line, or begins with a separator"
    return None


def parse(content: bytes) -> dict[str, bytes]:
    """Return the pieces of a file by their paths in it; every byte of it is in one of them."""
    marks = [mark for mark in _MARKED.finditer(content) if _names_a_piece(mark[1])]
    if not marks:
        return _unmarked(content)
    found: dict[str, bytes] = {}
    ends = [*(mark.start() for mark in marks[1:]), len(content)]
    for number, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        above = content[: mark.start()] if number == 0 else b""
        path, text = mark[1].decode(), above + content[mark.end() : end]
        # One that stands twice is edited: both together are what stands there.
        found[path] = found[path] + mark[0] + text if path in found else text
    return found


def _names_a_piece(name: bytes) -> bool:
    try:
        return why_unsafe(name.decode()) is None
    except UnicodeDecodeError:
        return False


def _unmarked(content: bytes) -> dict[str, bytes]:
    return {
        f"{KEPT}/{number:06d}-{digest_bytes(document)[:12]}.yaml": document
        for number, document in enumerate(documents_in(content))
    }


def documents_in(content: bytes) -> list[bytes]:
    """Return the documents of a YAML stream, each as a piece; those with nothing in them not."""
    parts = _DOCUMENT_START.split(content.removeprefix(_BYTE_ORDER_MARK))
    return [as_piece(part) for part in parts if not _NOTHING_IN_IT.fullmatch(part)]


def compose(pieces: Mapping[str, bytes]) -> bytes:
    """Return the file that pieces make, by path in it, in the order of the paths' segments.

    That is (namespace, promise, name, pipeline, group), what Promises bring themselves first.
    """
    ordered = sorted(pieces, key=lambda path: path.split("/"))
    return _JOINT.join(_MARK + path.encode() + b"\n" + pieces[path] for path in ordered)


class PieceReader:
    """Answers for the pieces of files as a snapshot does for files; each is parsed once.

    Args:
        read: returns the content of plain files that are there, by path.
    """

    def __init__(self, read: Callable[[Sequence[str]], Mapping[str, bytes]]) -> None:
        self._read = read
        self._files: dict[str, tuple[Mapping[str, bytes], Index]] = {}

    def below(self, prefix: str) -> dict[str, str]:
        """Return path → digest of every piece at or below a folder in a file."""
        file, folder = split_place(prefix)
        _, index = self._parsed(file)
        return {piece_path(file, path): digest for path, digest in index.below(folder).items()}

    def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the content of pieces; those that are not there are left out."""
        found: dict[str, bytes] = {}
        for path in paths:
            file, piece = split_place(path)
            pieces, _ = self._parsed(file)
            if piece in pieces:
                found[path] = pieces[piece]
        return found

    def _parsed(self, file: str) -> tuple[Mapping[str, bytes], Index]:
        # Two threads may both parse: to the same.
        if file not in self._files:
            pieces = parse(self._read([file]).get(file, b""))
            digests = {path: digest_bytes(content) for path, content in pieces.items()}
            self._files[file] = pieces, Index(digests)
        return self._files[file]
