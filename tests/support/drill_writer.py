"""A writer for drills: run as a program, it does its work and says each receipt it gets.

The work: there are requests ``r0`` to ``r<N>``, and each goes through generations 1 to GOAL, one
commit each; ``old0`` and on are removed. What is done already is seen from the store, as the engine
does it, so that any number of writers, one after the other, finish the same work.

Usage: python -m support.drill_writer URL CACHE REQUESTS GOAL [OPTION...]

    borrow               read the objects of a repository on this machine where they lie
    shared               keep all in one file, as the layout aggregatedYAML does
    signed=KEY           sign commits
    ca=FILE              trust these certificates
    password=FILE        log in over https
    ssh-key=FILE         log in over ssh, with known-hosts=FILE
    die-before-import    be killed when the first commits are about to be made
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from troth_statestore import ChangeSet, Snapshot
from troth_statestore.flusher import Flusher
from troth_statestore.git import BasicLogin, GitSettings, GitStore, KeyFile, Login, SshLogin
from troth_statestore.pieces import piece_path

__all__ = ["LAST", "SHARED_FILE", "content_of", "left_to_do"]

LAST = 3
"""The generation at which a request is done, if nothing else is said."""

SHARED_FILE = "all.yaml"
"""Where everything lies if it is all in one file."""


def content_of(key: str, generation: int, *, shared: bool = False) -> dict[str, bytes]:
    """Return the files of a request at a generation, or pieces; they change their names, too."""
    found = {
        f"{key}/same.yaml": f"{key} {generation}\n".encode(),
        f"{key}/of-{generation % 2}.yaml": f"{key} {generation}\n".encode() * 50,
    }
    return (
        {piece_path(SHARED_FILE, path): text for path, text in found.items()} if shared else found
    )


def left_to_do(
    snapshot: Snapshot, requests: int, goal: int = LAST, *, shared: bool = False
) -> list[ChangeSet]:
    """Return the next step of each request that is not done."""
    records = snapshot.records()
    found: list[ChangeSet] = []
    for key in sorted(f"r{number}" for number in range(requests)):
        content, version = records.get(key, (b"0", None))
        generation = int(content)
        if generation < goal:
            after = content_of(key, generation + 1, shared=shared)
            before = content_of(key, generation, shared=shared)
            found.append(_change(key, generation + 1, version, after, before))
    olds = sorted(key for key in records if key.startswith("old"))
    return found + [_removal(key, records[key][1], shared=shared) for key in olds]


def _removal(key: str, version: str, *, shared: bool) -> ChangeSet:
    return ChangeSet(
        key,
        version,
        delete=frozenset(content_of(key, 1, shared=shared)),
        title=f"Remove {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", "2")),
    )


def _change(
    key: str,
    generation: int,
    version: str | None,
    after: Mapping[str, bytes],
    before: Mapping[str, bytes],
) -> ChangeSet:
    return ChangeSet(
        key,
        version,
        after,
        frozenset(before) - after.keys(),
        record=str(generation).encode(),
        title=f"Update {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", str(generation))),
    )


@dataclass(frozen=True)
class _Login:
    """A login in files."""

    files: Mapping[str, str]
    name = "the drill's login"

    def read(self) -> Login:
        if "password" in self.files:
            return BasicLogin(self._text("password"))
        return SshLogin(self._text("ssh-key"), self._text("known-hosts"))

    def _text(self, name: str) -> str:
        return Path(self.files[name]).read_text()


def _settings(cache: str, options: Mapping[str, str]) -> GitSettings:
    def clock() -> int:
        if "die-before-import" in options:
            os.killpg(0, signal.SIGKILL)
        return 1_700_000_000

    return GitSettings(
        cache=Path(cache),
        borrow="borrow" in options,
        clock=clock,
        timeout=60,
        signing_key=KeyFile(Path(options["signed"])) if "signed" in options else None,
        ca_file=Path(options["ca"]) if "ca" in options else None,
        credentials=_Login(options) if {"password", "ssh-key"} & options.keys() else None,
    )


def _work(
    store: GitStore, requests: int, goal: int, *, shared: bool
) -> Iterator[dict[str, str | None]]:
    flusher = Flusher(store, max_batch=5)
    while changes := left_to_do(store.snapshot(), requests, goal, shared=shared):
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


def _main(url: str, cache: str, requests: str, goal: str, *given: str) -> None:
    options = {name: value for name, _, value in (one.partition("=") for one in given)}
    store = GitStore(url, settings=_settings(cache, options))
    print("ready", flush=True)  # noqa: T201  (this is how it tells)
    for receipt in _work(store, int(requests), int(goal), shared="shared" in options):
        print(json.dumps(receipt), flush=True)  # noqa: T201  (the same)
    store.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
