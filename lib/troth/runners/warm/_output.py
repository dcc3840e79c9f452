"""Reading what a stage left: only plain files, nothing followed, nothing large."""

import errno
import os
import re
import stat
from dataclasses import dataclass, field, replace

from troth.errors import OutputRefusedError, Reason
from troth.runners.protocol import StageResult
from troth.runners.warm._limits import Limits
from troth.sdk.files import METADATA_FILES
from troth.sdk.inspecting import INSPECTION_FILE

__all__ = ["read_inspection", "read_result"]

# Control characters, backslashes, and bytes that are not UTF-8 (surrogates, as Python reads them).
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_PIPE_OR_DEVICE = "a pipe, a socket or a device"


def read_result(root: str, limits: Limits) -> StageResult:
    """Read ``output/**`` and the files of the contract in ``metadata/``.

    Raises:
        OutputRefusedError: something there is no plain file or folder, has an unsafe name, or
            is more than the limits allow.
    """
    reading = _Reading(limits)
    try:
        _check_folder(f"{root}/output", "output")
        _check_folder(f"{root}/metadata", "metadata")
        files = dict(sorted(reading.tree(f"{root}/output").items()))
        metadata = {
            name: content
            for name in METADATA_FILES
            if (content := _read_if_there(f"{root}/metadata/{name}", limits)) is not None
        }
    except OSError as error:
        raise _unreadable(root, error) from error
    return StageResult(files, metadata)


def read_inspection(root: str, limits: Limits) -> bytes | None:
    """Read ``metadata/inspection.json``, which tells of many requests; None when there is none.

    Raises:
        OutputRefusedError: as `read_result`.
    """
    try:
        _check_folder(f"{root}/metadata", "metadata")
        whole = replace(limits, file_bytes=limits.output_bytes)
        return _read_if_there(f"{root}/metadata/{INSPECTION_FILE}", whole)
    except OSError as error:
        raise _unreadable(root, error) from error


def _unreadable(root: str, error: OSError) -> OutputRefusedError:
    """Say what is foreign at this seam: removed permissions, paths too long to open."""
    name = str(error.filename).removeprefix(f"{root}/")
    return _unsafe(name, f"could not be read ({error.strerror})")


@dataclass(slots=True)
class _Reading:
    """One walk through an output folder, counting as it goes."""

    limits: Limits
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    total: int = 0

    def tree(self, top: str) -> dict[str, bytes]:
        """Read every file below a folder: path → content."""
        folders = [(top, "")]
        count = 0
        while folders:
            folder, prefix = folders.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if _UNSAFE_NAME.search(entry.name):
                        what = "has a control character, a backslash or no UTF-8 in its name"
                        raise _unsafe(f"output/{name}", what)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.path, f"{name}/"))
                        count += 1
                        self._check_count(count, "folders")
                    else:
                        self._add(entry, name)
        return self.files

    def _add(self, entry: "os.DirEntry[str]", name: str) -> None:
        if entry.is_symlink():
            raise _unsafe(f"output/{name}", "is a symlink")
        if not entry.is_file(follow_symlinks=False):
            raise _unsafe(f"output/{name}", f"is {_PIPE_OR_DEVICE}")
        self._check_count(len(self.files) + 1, "files")
        content = _read_plain(entry.path, f"output/{name}", self.limits)
        self.total += len(content)
        if self.total > self.limits.output_bytes:
            raise _too_large("the output", self.total, self.limits.output_bytes)
        self.files[name] = content

    def _check_count(self, count: int, what: str) -> None:
        if count > self.limits.files:
            message = f"the output has more than {self.limits.files} {what}; split the request."
            raise OutputRefusedError(Reason.TOO_LARGE, message)


def _check_folder(path: str, name: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        mode = 0
    if not stat.S_ISDIR(mode):
        raise _unsafe(name, "is no folder any more: a stage writes into it and leaves it there")


def _read_if_there(path: str, limits: Limits) -> bytes | None:
    name = "/".join(path.rsplit("/", 2)[1:])
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        raise _unsafe(name, "is a symlink")
    if not stat.S_ISREG(mode):
        raise _unsafe(name, f"is a folder, {_PIPE_OR_DEVICE}")
    return _read_plain(path, name, limits)


def _read_plain(path: str, name: str, limits: Limits) -> bytes:
    """Read a file, checked again once it is open."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _unsafe(name, "is a symlink") from error
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unsafe(name, f"is {_PIPE_OR_DEVICE}")
        if status.st_nlink != 1:
            raise _unsafe(name, "is a hard link to another file")
        if status.st_size > limits.file_bytes:
            raise _too_large(name, status.st_size, limits.file_bytes)
        return os.read(descriptor, limits.file_bytes)
    finally:
        os.close(descriptor)


def _unsafe(name: str, what: str) -> OutputRefusedError:
    spelled = ascii(name)[:300]
    return OutputRefusedError(Reason.UNSAFE_PATH, f"{spelled} {what}; output is plain files only.")


def _too_large(name: str, size: int, limit: int) -> OutputRefusedError:
    message = f"{ascii(name)[:300]} has {size:,} bytes; at most {limit:,} are taken."
    return OutputRefusedError(Reason.TOO_LARGE, message)
