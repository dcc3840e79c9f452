"""Golden output: what a request gives, kept in ``expected/<request>/``.

The files of the output stand there under their own paths, and beside them those that the stages
left in ``metadata/`` (status.yaml, destination-selectors.yaml, workflow-control.yaml). Where a
Promise has several pipelines, each has a folder of its name there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from troth.errors import InvalidInputError, OutputRefusedError, Reason
from troth.runners import StageResult

__all__ = ["leftovers", "prune", "read_golden", "spell_golden", "write_golden"]

# What stages leave of time and randomness; what they want of where output goes is none of it.
_STATE = frozenset({"status.yaml", "workflow-control.yaml"})


def spell_golden(
    results: Sequence[tuple[str, StageResult]], *, several: bool, state: bool = True
) -> dict[str, bytes]:
    """Return the golden files of a request: path below its folder → content.

    Args:
        results: what each pipeline that ran left, by its name.
        several: whether the Promise has more than one pipeline.
        state: whether status.yaml and workflow-control.yaml are among them.

    Raises:
        OutputRefusedError: an output file is called as a metadata file.
    """
    spelled: dict[str, bytes] = {}
    for pipeline, result in results:
        prefix = f"{pipeline}/" if several else ""
        for name in sorted(result.files.keys() & result.metadata.keys()):
            message = (
                f"the output file {name} is called as the file of the same name in metadata/, "
                "beside which its golden copy stands; give it another name."
            )
            raise OutputRefusedError(Reason.UNSAFE_PATH, message)
        metadata = {k: v for k, v in result.metadata.items() if state or k not in _STATE}
        for path, content in sorted({**result.files, **metadata}.items()):
            spelled[prefix + path] = content
    return spelled


def read_golden(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, none when it is not there.

    Raises:
        InvalidInputError: one of them cannot be read.
    """
    try:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    except OSError as error:
        message = f"{error.filename}: this file cannot be read: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error


def write_golden(folder: Path, files: Mapping[str, bytes]) -> str:
    """Make a folder hold exactly these files; return in words what was done.

    Raises:
        InvalidInputError: it cannot be written.
    """
    before = read_golden(folder)
    changed = [path for path in files if path in before and before[path] != files[path]]
    added = [path for path in files if path not in before]
    gone = [path for path in before if path not in files]
    try:
        for path in gone:
            (folder / path).unlink()
        _remove_empty(folder)
        for path in (*changed, *added):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[path])
    except OSError as error:
        message = f"{error.filename}: this cannot be written: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
    counts = {"changed": len(changed), "added": len(added), "removed": len(gone)}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def leftovers(folder: Path, requests: Sequence[str]) -> list[Path]:
    """Return the golden files that belong to none of the requests, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in requests
    )


def prune(folder: Path, paths: Sequence[Path]) -> None:
    """Remove files, and the folders that they leave empty.

    Raises:
        InvalidInputError: one cannot be removed.
    """
    try:
        for path in paths:
            path.unlink()
        _remove_empty(folder)
    except OSError as error:
        message = f"{error.filename}: this cannot be removed: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error


def _remove_empty(folder: Path) -> None:
    """Remove the empty folders below a folder, from the innermost."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
