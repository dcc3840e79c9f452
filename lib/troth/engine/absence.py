"""Absence: what was not handed in this time, and what may be concluded from that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from troth.api import RequestKey, ResourceRequest
from troth.engine.ledger import Ledger
from troth.engine.record import identity_of
from troth.engine.removal import PruneRules, sort_out
from troth.engine.report import of_unreadable
from troth.engine.values import Item, Submission
from troth_statestore import Owner, record_key

__all__ = ["Intake", "absent"]


@dataclass(frozen=True, slots=True)
class Intake:
    """What a driver hands in for one run.

    Attributes:
        submissions: the requests, each identity once.
        was_read: tells of a root, as records name them, whether this run read all of it.
        complete: whether everything there could be read.
        promises: the Promises, for what they render themselves.
        refused: group, kind, namespace and name of requests that were there, but of no use.
        doubtful: namespace and name of objects that were there and are of no known group.
        scope: who is asked about, None for all; of others it is not concluded that they are absent.
    """

    submissions: Sequence[Submission]
    was_read: Callable[[str], bool]
    complete: bool
    promises: Sequence[Submission] = ()
    refused: frozenset[tuple[str, str, str, str]] = frozenset()
    doubtful: frozenset[tuple[str, str]] = frozenset()
    scope: frozenset[RequestKey] | None = None


def absent(
    intake: Intake,
    ledger: Ledger,
    key_of: Callable[[ResourceRequest], RequestKey | None],
    rules: PruneRules,
    heir_of: Callable[[RequestKey], RequestKey | None],
) -> tuple[list[RequestKey], list[Item]]:
    """Conclude from what was not handed in what is to be removed, and report what is kept.

    Args:
        intake: what was handed in.
        ledger: what the stores know.
        key_of: tells who a request is, None when no Promise offers its kind.
        rules: what may be concluded.
        heir_of: tells who asks for the same again under another Promise.
    """
    present, lost = _present(intake, ledger, key_of)
    # A Promise whose name is another's now: what it offered before is offered by somebody else.
    known = ledger.entries.keys()
    present -= {key for key in present & known if key.is_promise and heir_of(key) is not None}
    complete = rules.complete and not lost and not ledger.view.unreached
    asked = ledger.entries.keys() if intake.scope is None else intake.scope
    rules = replace(rules, complete=complete)
    removals, kept = sort_out(ledger, asked - present, rules, heir_of)
    if intake.scope is not None:
        return removals, kept
    given = {record_key(Owner(*key)) for key in present}
    unreadable = [
        of_unreadable(spot.path, error)
        for spot, error in ledger.unreadable.items()
        if spot.path not in given
    ]
    return removals, [*kept, *unreadable]


def _present(
    intake: Intake, ledger: Ledger, key_of: Callable[[ResourceRequest], RequestKey | None]
) -> tuple[set[RequestKey], bool]:
    """Return who was handed in, and whether a request among them has lost its Promise.

    One that was refused, or whose Promise is missing now, is known by its kind and name. Who has
    the key of one of another kind, which its Promise offered before, is another.
    """
    present = {RequestKey.of_promise(one.request.name) for one in intake.promises}
    keyless = set(intake.refused)
    lost = False
    for submission in intake.submissions:
        request = submission.request
        key = key_of(request)
        if key is not None:
            entry = ledger.entries.get(key)
            if entry is None or entry.record.identity == identity_of(request):
                present.add(key)
        else:
            lost = True
            keyless.add((request.group, request.kind, request.namespace, request.name))
    if keyless:
        for key, entry in ledger.entries.items():
            asked = entry.record.asked
            group = str(asked["apiVersion"]).rpartition("/")[0]
            namespace, name = (
                ("default", key.promise) if key.is_promise else (key.namespace, key.name)
            )
            if (group, asked["kind"], namespace, name) in keyless:
                present.add(key)
    return present, lost
