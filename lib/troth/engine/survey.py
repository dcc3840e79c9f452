"""Survey: what the stores alone say of their requests, with no input at hand."""

from troth.engine.awaited_keys import WAITS, waits_for_keys
from troth.engine.ledger import Entry, Ledger
from troth.engine.never_back import SEALED_STAYS, sealed_digest
from troth.engine.observe import NOWHERE, Sight, compare, observe
from troth.engine.record import Record
from troth.engine.remains import remains_on_record
from troth.engine.report import of_record, of_unreadable, with_upkeep
from troth.engine.sites import recorded_sites
from troth.engine.strays import Strays
from troth.engine.suspension import spell_moment
from troth.engine.undone import with_undone
from troth.engine.values import Item, State
from troth.errors import Reason

__all__ = ["ends_when_due", "survey", "survey_one"]


def survey(ledger: Ledger) -> list[Item]:
    """Return a line for each request that is known, and for each record that cannot be read.

    Of each Destination in which something is nobody's, there is one line more.
    """
    found = [survey_one(ledger, entry) for entry in ledger.entries.values()]
    for spot, error in ledger.unreadable.items():
        found.append(of_unreadable(spot.path, error))
    strays = Strays.at(recorded_sites(ledger), ledger.view).left(())
    found += with_upkeep([*strays, *remains_on_record(ledger).items])
    return sorted(found, key=lambda item: item.key)


def survey_one(ledger: Ledger, entry: Entry) -> Item:
    """Return the line of one request: what its record says, held against its files."""
    record = entry.record
    return with_undone(_standing(ledger, entry), record.undone, record.status, record.due)


def _standing(ledger: Ledger, entry: Entry) -> Item:
    record, revision = entry.record, ledger.view.revision(entry.home)
    if record.suspension is not None:
        text = record.suspension.words
        return of_record(record, State.SUSPENDED, Reason.WORKFLOW_SUSPENDED, text, revision)
    if record.input_digest is None:
        text = "no Destination took it in its last run."
        return of_record(record, State.UNSCHEDULED, Reason.NO_MATCHING_DESTINATION, text)
    elsewhere = {placement.store for placement in record.placements} - ledger.view.snapshots.keys()
    if elsewhere:
        text = f"it has files in {', '.join(sorted(elsewhere))} too, which was not looked at."
        return of_record(record, State.WAITING, Reason.STATE_STORE_UNREACHABLE, text, revision)
    return _by_files(ledger, entry)


def _by_files(ledger: Ledger, entry: Entry) -> Item:
    record, revision = entry.record, ledger.view.revision(entry.home)
    observed = observe(record.key, record, NOWHERE, ledger.view)
    match compare(record, observed, entry.home):
        case Sight.INTACT if waits_for_keys(record.status):
            return of_record(record, State.WAITING, Reason.KEY_REPLACED, WAITS, revision)
        case Sight.INTACT:
            # Where something is undone, when it is tried again is said with that.
            due = None if record.undone else record.due
            text = f"its stages run again at {spell_moment(due)}." if due is not None else ""
            return of_record(record, State.UNCHANGED, Reason.UP_TO_DATE, text, revision)
        case Sight.DRIFTED:
            text = "its files differ from what was written; the next sync puts them back."
            return of_record(record, State.WAITING, Reason.DRIFTED, text, revision)
        case Sight.REVERTED if sealed_digest(ledger.view.read(observed)) != record.sealed:
            text = f"its files were rolled back, and the next sync puts them back: {SEALED_STAYS}"
            return of_record(record, State.WAITING, Reason.DRIFTED, text, revision)
        case Sight.REVERTED:
            text = f"its files were rolled back to an earlier output.{ends_when_due(record)}"
            return of_record(record, State.UNCHANGED, Reason.REVERTED, text, revision)


def ends_when_due(record: Record) -> str:
    """Say of a rollback when it may end by itself, nothing where it does not."""
    if record.due is None:
        return ""
    when = spell_moment(record.due)
    return f" Its stages run again at {when}; if they have something new then, that ends it."
