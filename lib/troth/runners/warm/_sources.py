"""The digest of the code that would run, so that an edited stage counts as a change at once."""

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

from troth.sdk import stage_entry_points

__all__ = ["sdk_digest", "stages_digest"]

_SDK = ("troth.sdk", "troth.api", "troth.errors")


def stages_digest(distribution: str) -> str:
    """Return the sha256 of all files of the packages that a distribution's stages stand in."""
    points = stage_entry_points(distribution)
    return _digest({point.module.partition(".")[0] for point in points})


def sdk_digest() -> str:
    """Return the sha256 of what stands between the file contract and a stage."""
    return _digest(_SDK)


def _digest(modules: Iterable[str]) -> str:
    """Digest the files of modules, by name and content, compiled files left out."""
    digest = hashlib.sha256()
    for module in sorted(modules):
        for name, path in _files(module):
            content = path.read_bytes()
            digest.update(f"{module}\0{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _files(module: str) -> Iterator[tuple[str, Path]]:
    """List the files of a module or package, found without importing it, in order of name."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        return  # running it will say that it cannot be imported
    if spec.submodule_search_locations is None:
        if spec.origin is not None:
            yield Path(spec.origin).name, Path(spec.origin)
        return
    for location in spec.submodule_search_locations:
        root = Path(location)
        found = {
            path.relative_to(root).as_posix(): path
            for path in root.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        yield from sorted(found.items())
