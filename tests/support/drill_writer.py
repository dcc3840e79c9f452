"""A writer for drills: run as a program, it does its work and says each receipt it gets.

The work: there are requests ``r0`` to ``r<N>``, and each goes through generations 1 to GOAL, one
commit each; ``old0`` and on are removed. What is done already is seen from the store, as the engine
does it, so that any number of writers, one after the other, finish the same work.

Usage: python -m support.drill_writer URL CACHE REQUESTS GOAL [borrow] [die-before-import]
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from troth_statestore import ChangeSet, Snapshot
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitSettings, GitStore

__all__ = ["LAST", "content_of", "left_to_do"]

LAST = 3
"""The generation at which a request is done, if nothing else is said."""


def content_of(key: str, generation: int) -> dict[str, bytes]:
    """Return the files of a request at a generation: they change their names, too."""
    return {
        f"{key}/same.yaml": f"{key} {generation}\n".encode(),
        f"{key}/of-{generation % 2}.yaml": f"{key} {generation}\n".encode() * 50,
    }


def left_to_do(snapshot: Snapshot, requests: int, goal: int = LAST) -> list[ChangeSet]:
    """Return the next step of each request that is not done."""
    records = snapshot.records()
    found: list[ChangeSet] = []
    for key in sorted(f"r{number}" for number in range(requests)):
        content, version = records.get(key, (b"0", None))
        generation = int(content)
        if generation < goal:
            found.append(_change(key, generation + 1, version))
    olds = sorted(key for key in records if key.startswith("old"))
    return found + [_removal(key, records[key][1]) for key in olds]


def _removal(key: str, version: str) -> ChangeSet:
    return ChangeSet(
        key,
        version,
        delete=frozenset(content_of(key, 1)),
        title=f"Remove {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", "2")),
    )


def _change(key: str, generation: int, version: str | None) -> ChangeSet:
    return ChangeSet(
        key,
        version,
        content_of(key, generation),
        frozenset(content_of(key, generation - 1)) - content_of(key, generation).keys(),
        record=str(generation).encode(),
        title=f"Update {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", str(generation))),
    )


def _work(store: GitStore, requests: int, goal: int) -> Iterator[dict[str, str | None]]:
    flusher = Flusher(store, max_batch=5)
    while changes := left_to_do(store.snapshot(), requests, goal):
        futures = flusher.submit_all(changes)
        for change, future in zip(changes, futures, strict=True):
            receipt = future.result()
            yield {
                "key": receipt.key,
                "generation": dict(change.trailers)["Troth-Generation"],
                "outcome": str(receipt.outcome),
                "revision": receipt.revision,
            }
    flusher.close()


def _main(url: str, cache: str, requests: str, goal: str, *options: str) -> None:
    kill_at_import = "die-before-import" in options

    def clock() -> int:
        if kill_at_import:
            os.killpg(0, signal.SIGKILL)
        return 1_700_000_000

    settings = GitSettings(cache=Path(cache), borrow="borrow" in options, clock=clock, timeout=60)
    store = GitStore(url, settings=settings)
    print("ready", flush=True)  # noqa: T201  (this is how it tells)
    for receipt in _work(store, int(requests), int(goal)):
        print(json.dumps(receipt), flush=True)  # noqa: T201  (the same)
    store.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
