"""Objects of the platform's kinds that stand in this project: bundles, test data, documents."""

import re
from collections.abc import Iterator
from pathlib import Path

from support.workspace import ROOT

from troth.api import JsonObject, load_documents
from troth.api.labels import KRATIX_GROUP, KRATIX_VERSION

__all__ = ["platform_objects"]

_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _texts() -> Iterator[tuple[Path, str]]:
    for path in [*ROOT.glob("promises/*/*.yaml"), *ROOT.glob("tests/data/*.yaml")]:
        yield path, path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("promises/*/*.md")]:
        for found in _BLOCK.finditer(path.read_text(encoding="utf-8")):
            yield path, found[1]


def platform_objects() -> dict[str, JsonObject]:
    """Return them by where they stand: ``<file>: <kind>/<name>``."""
    objects: dict[str, JsonObject] = {}
    for path, text in sorted(_texts()):
        for document in load_documents(text, str(path)):
            one = document.data
            if one.get("apiVersion") == f"{KRATIX_GROUP}/{KRATIX_VERSION}":
                metadata = one["metadata"]
                assert isinstance(metadata, dict)
                where = f"{path.relative_to(ROOT)}: {one['kind']}/{metadata['name']}"
                objects[where if where not in objects else f"{where} ({len(objects)})"] = one
    return objects
