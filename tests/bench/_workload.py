"""The requests that the writer is measured with: 8 files of some 600 bytes, a record of some 2 kB.

All of it follows from the number of the request and that of its version.
"""

import hashlib
from collections.abc import Iterator

from troth_statestore import ChangeSet, Owner, nested_folder, nested_group, record_key

__all__ = ["FILES", "change_set", "files", "folder", "owner"]

FILES = 8


def owner(number: int, namespaces: int) -> Owner:
    """Return who a request's files belong to."""
    return Owner(f"team-{number % namespaces:03}", "namespace", f"request-{number:05}")


def folder(number: int, namespaces: int) -> str:
    """Return the folder that all of a request's files lie in."""
    return nested_folder("default", owner(number, namespaces))


def files(number: int, namespaces: int, version: int) -> dict[str, bytes]:
    """Return path → content of a request's files."""
    of = owner(number, namespaces)
    where = nested_group("default", of, "instance", ".")
    return {
        f"{where}/file-{place}.yaml": (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {of.name}-{place}\n"
            f"  namespace: {of.namespace}\ndata:\n{_lines(f'{number} {place} {version}', 9)}"
        ).encode()
        for place in range(FILES)
    }


def change_set(number: int, namespaces: int, version: int, expected: str | None) -> ChangeSet:
    """Return the change set that brings a request to a version."""
    of = owner(number, namespaces)
    return ChangeSet(
        record_key(of),
        expected,
        files(number, namespaces, version),
        record=f"request: {of.name}\nstate:\n{_lines(f'{number} {version}', 38)}".encode(),
        title=f"Update {of.namespace}/{of.name} ({of.promise})",
        trailers=(
            ("Troth-Request", f"{of.namespace}/{of.name}"),
            ("Troth-Generation", str(version)),
            ("Troth-Promise", of.promise),
        ),
    )


def _lines(seed: str, number: int) -> str:
    return "".join(
        f"  key-{line:02}: {digest}\n" for line, digest in enumerate(_hashes(seed, number))
    )


def _hashes(seed: str, number: int) -> Iterator[str]:
    for line in range(number):
        yield hashlib.sha1(f"{seed} {line}".encode(), usedforsecurity=False).hexdigest()
