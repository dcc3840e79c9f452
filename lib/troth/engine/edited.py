"""Edited: which of a request's files are not as the commit that wrote them left them.

A record keeps one digest over all files of its newest output. A store with a history holds that
output still, in the commit whose receipt has that digest; what it held then is believed when it has
that digest as well. Called by ``troth verify``, after `tell_stale`.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from troth.api import RequestKey
from troth.engine.digest import output_digest
from troth.engine.history import Past, receipts_in
from troth.engine.ledger import Entry
from troth.engine.observe import observe
from troth.engine.proof import Flaw, Problem, Proof, counted, few
from troth.engine.record import Record
from troth.engine.stale import places
from troth.engine.values import Spot
from troth_statestore import Commit, History, digest_bytes, is_piece

__all__ = ["tell_edited"]

# Times that a commit is read, each some hundredths of a second and more in a large shared file.
_READS = 200


def tell_edited(proofs: Iterable[Proof], past: Past, *, reads: int = _READS) -> list[Proof]:
    """Return the proofs with just the files named that were edited, where a history tells which.

    Args:
        proofs: what came of `verify` and `tell_stale`.
        past: the history of the same moment; of a store without one nothing more is told.
        reads: how often a commit is read at most, which files that requests share need, and
            branches that were merged out of order. Of what is left then nothing more is told.
    """
    listed = list(proofs)
    vague = {proof.key for proof in listed if _is_vague(proof, past)}
    if not vague:
        return listed
    lines = {
        store: _Line.of(history, history.log(places(past, store, vague)))
        for store, history in past.histories.items()
    }
    left = iter(range(reads))
    return [_named(proof, past, lines, left) if proof.key in vague else proof for proof in listed]


def _is_vague(proof: Proof, past: Past) -> bool:
    """Tell whether files differ, and not each of them is known to."""
    entry = past.ledger.entries.get(proof.key)
    if entry is None or not any(_is_about_contents(problem) for problem in proof.problems):
        return False
    spots = _spots(entry.record)
    return len(spots) > 1 and all(spot.store in past.histories for spot in spots)


def _is_about_contents(problem: Problem) -> bool:
    return problem.flaw is Flaw.DRIFTED and bool(problem.paths)


def _spots(record: Record) -> set[Spot]:
    return {spot for placement in record.placements for spot in placement.spots}


@dataclass(frozen=True, slots=True)
class _Line:
    """The commits of a store that touch some requests, the newest first.

    Attributes:
        history: where they are from.
        revisions: their names.
        carrying: by request, which of them carry it, and the digest of which output.
        steps: by file, which of them changed it, and its digest after that, None where it is gone.
    """

    history: History
    revisions: tuple[str, ...]
    carrying: Mapping[RequestKey, list[tuple[int, str]]]
    steps: Mapping[str, list[tuple[int, str | None]]]

    @classmethod
    def of(cls, history: History, commits: Iterable[Commit]) -> "_Line":
        """Sort out what was logged."""
        revisions: list[str] = []
        carrying: dict[RequestKey, list[tuple[int, str]]] = {}
        steps: dict[str, list[tuple[int, str | None]]] = {}
        for number, commit in enumerate(commits):
            revisions.append(commit.revision)
            for owner, receipt in receipts_in(commit.message):
                found = (number, receipt.get("Troth-Output", ""))
                carrying.setdefault(owner, []).append(found)
            for step in commit.files:
                steps.setdefault(step.path, []).append((number, step.after))
        return cls(history, tuple(revisions), carrying, steps)

    def writing(self, key: RequestKey, output: str) -> int | None:
        """Return the newest commit of an output.

        Where none is, the newest of the request: the output may differ in another store alone.
        """
        mine = self.carrying.get(key, [])
        numbers = [number for number, carried in mine if carried == output]
        return next(iter([*numbers, *(number for number, _ in mine)]), None)

    def digests(self, number: int, paths: Collection[str]) -> dict[str, str | None]:
        """Return the digests of files as a commit left them, as far as the log tells."""
        found: dict[str, str | None] = {}
        for path in paths:
            steps = self.steps.get(path, [])
            at = bisect_left(steps, number, key=lambda step: step[0])
            found[path] = steps[at][1] if at < len(steps) else None
        return found

    def read(self, number: int, paths: Collection[str]) -> dict[str, str | None]:
        """Return the digests of files as a commit left them, by reading them there."""
        if not paths:
            return {}
        there = self.history.read_at(self.revisions[number], sorted(paths))
        return {path: digest_bytes(there[path]) if path in there else None for path in paths}


def _named(proof: Proof, past: Past, lines: Mapping[str, _Line], reads: Iterator[int]) -> Proof:
    entry = past.ledger.entries[proof.key]
    spots = _spots(entry.record)
    wrote = _writing(entry.record, {spot.store for spot in spots}, lines)
    written = _written(entry, wrote, lines, reads)
    if written is None:
        return proof
    observed = observe(proof.key, entry.record, past.world, past.ledger.view)
    edited = {spot for spot in spots & observed.keys() if observed[spot] != written[spot]}
    names = few(lines[store].revisions[number][:12] for store, number in sorted(wrote.items()))
    text = f"not as commit {names} left them: {len(edited)} of its {counted(spots)}"
    if odd := sum(":" in observed[spot] for spot in edited):  # no content has such a digest
        text += f"; no plain files any more, but links or executable: {odd}"
    told = [Problem.at(Flaw.DRIFTED, f"{text}.", edited)] if edited else []
    at = next(n for n, problem in enumerate(proof.problems) if _is_about_contents(problem))
    return replace(proof, problems=(*proof.problems[:at], *told, *proof.problems[at + 1 :]))


def _writing(record: Record, stores: Collection[str], lines: Mapping[str, _Line]) -> dict[str, int]:
    """Return which commit of each store wrote the newest output; none where one is not known."""
    newest = record.outputs[0] if record.outputs else ""
    found = {store: lines[store].writing(record.key, newest) for store in stores}
    known = {store: number for store, number in found.items() if number is not None}
    return known if len(known) == len(found) else {}


def _written(
    entry: Entry, wrote: Mapping[str, int], lines: Mapping[str, _Line], reads: Iterator[int]
) -> dict[Spot, str] | None:
    """Return the digests of a record's files as they were written, None where nothing proves it."""
    # The log has all digests at hand, but for pieces, and where branches were merged out of order.
    for is_read in (False, True):
        found: dict[Spot, str] = {}
        for store, number in wrote.items():
            paths = {spot.path for spot in _spots(entry.record) if spot.store == store}
            line = lines[store]
            pieces = {path for path in paths if is_read or is_piece(path)}
            if pieces and next(reads, None) is None:
                return None
            digests = {**line.digests(number, paths - pieces), **line.read(number, pieces)}
            found |= {Spot(store, path): told for path, told in digests.items() if told is not None}
        if wrote and output_digest(found, entry.home) == entry.record.outputs[0]:
            return found
    return None
