"""Refusals: what a request is not rendered for, going by what its record says was done last."""

from troth.engine.draft import Draft
from troth.engine.record import Record
from troth.errors import HeldError, InvalidInputError, Reason

__all__ = ["refuse_superseded", "refuse_without_pipelines"]


def refuse_superseded(draft: Draft, record: Record) -> None:
    """Refuse an older state of an object than the one that was fulfilled last.

    A driver that was paused, and is not the leader any more, may still hand it in.
    """
    now, last = draft.submission.version, record.version
    if now is None or last is None:
        return
    older = now.generation < last.generation if now.uid == last.uid else now.created < last.created
    if older:
        what = f"generation {now.generation} of the object {now.uid}"
        message = (
            f"{what} was handed in, and the store has generation {last.generation} of {last.uid}, "
            "which is newer; it is left as it is."
        )
        raise HeldError(Reason.SUPERSEDED, message)


def refuse_without_pipelines(draft: Draft) -> None:
    """Refuse to remove all that a request has because its Promise has lost its pipelines.

    A promise.yaml that was cut off may well be a Promise, of which only the end is missing.
    """
    record, workflow = draft.record, draft.key.workflow
    if record is None or draft.key.is_promise or draft.promise.workflows.of(workflow).configure:
        return
    if any(placement.files for placement in record.placements):
        message = (
            f"Promise {draft.promise.name} has no resource workflow any more, and this request has "
            "files by it, which are kept. Look whether its file was cut off; if they shall go, "
            "remove the request."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
