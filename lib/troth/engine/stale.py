"""Stale: records that are older than their files, told by the receipts in the commits.

To a record that was set back, what was written later looks like an edit. But a commit that Troth
made says which output it carries: where that is just what stands there, the record is what is
wrong. Called by ``troth verify``, after `verify`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from troth.api import RequestKey
from troth.engine.digest import output_digest
from troth.engine.history import Past, receipts_in
from troth.engine.observe import observe
from troth.engine.proof import Flaw, Problem, Proof, destination_root
from troth.engine.record import Record
from troth_statestore import split_place

__all__ = ["places", "tell_stale"]

# What a proof says of the files of a record that is stale.
_ABOUT_FILES = frozenset({Flaw.DRIFTED, Flaw.EXTRA_FILE, Flaw.MISSING_FILE, Flaw.REVERTED})

# Folders that git is asked for one by one; for more than these, whole Destinations are cheaper.
_FOLDERS = 200


def tell_stale(proofs: Iterable[Proof], past: Past) -> list[Proof]:
    """Return the proofs with what is wrong with a record told as such, and not as its files' fault.

    Args:
        proofs: what came of `verify`.
        past: the history of the same moment; of a store without one nothing more is told.
    """
    listed = list(proofs)
    doubtful = {
        proof.key
        for proof in listed
        if proof.key in past.ledger.entries
        and any(problem.flaw in _ABOUT_FILES for problem in proof.problems)
    }
    if not doubtful:
        return listed
    newest = _newest_receipts(past, doubtful)
    return [
        _stale(past, proof, newest[proof.key]) if proof.key in newest else proof for proof in listed
    ]


@dataclass(frozen=True, slots=True)
class _Receipt:
    """What a commit says of a request; `seconds` decides between stores."""

    revision: str
    seconds: int
    trailers: Mapping[str, str]


def _newest_receipts(past: Past, keys: Collection[RequestKey]) -> dict[RequestKey, _Receipt]:
    found: dict[RequestKey, _Receipt] = {}
    for store in sorted(past.histories):
        here: dict[RequestKey, _Receipt] = {}
        for commit in past.histories[store].log(places(past, store, keys)):
            for owner, trailers in receipts_in(commit.message):
                here.setdefault(owner, _Receipt(commit.revision, commit.seconds, trailers))
        for owner in here.keys() & set(keys):
            if owner not in found or found[owner].seconds < here[owner].seconds:
                found[owner] = here[owner]
    return found


def places(past: Past, store: str, keys: Collection[RequestKey]) -> Sequence[str]:
    """Return the files and folders in a store that tell of requests, few enough to ask git for."""
    placements = [
        (key, placement)
        for key in keys
        for placement in past.ledger.entries[key].record.placements
        if placement.store == store
    ]
    files = {file for _, one in placements if one.owned is None for file in one.files}
    folders = {one.owned for _, one in placements if one.owned is not None}
    if len(folders) > _FOLDERS:
        roots = {destination_root(one.owned or "", key) or "" for key, one in placements}
        kinds = ("resources", "dependencies")
        folders = {f"{root}/{kind}" if root else kind for root in roots for kind in kinds}
    return sorted({split_place(path)[0] for path in files | folders})


def _stale(past: Past, proof: Proof, receipt: _Receipt) -> Proof:
    entry = past.ledger.entries[proof.key]
    observed = observe(proof.key, entry.record, past.world, past.ledger.view)
    if not _is_newer(receipt.trailers, output_digest(observed, entry.home), entry.record):
        return proof
    text = (
        f"its files are, byte for byte, what commit {receipt.revision[:12]} wrote, of which the "
        "record does not know: the record is older than its files. Was an old version of it put "
        "back?"
    )
    others = (problem for problem in proof.problems if problem.flaw not in _ABOUT_FILES)
    return replace(proof, problems=(Problem(Flaw.STALE_RECORD, text), *others))


def _is_newer(receipt: Mapping[str, str], standing: str, record: Record) -> bool:
    """Tell whether the files were written after the record, and are as they were written."""
    if receipt.get("Troth-Output") != standing or "Troth-Rollback" in receipt:
        return False
    generation = receipt.get("Troth-Generation", "")
    later = generation.isdecimal() and int(generation) > record.generation
    # An output that the record knows was set back, unless the request has changed since.
    return later or standing not in record.outputs
