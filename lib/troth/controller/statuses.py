"""What the status of an object is to say, and what has to be written for it to say so."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from troth.api import Json, JsonObject, Promise, RequestKey, Requirement, is_object
from troth.controller.bodies import as_plain
from troth.controller.catalogue import Catalogue
from troth.controller.clerk import Answer
from troth.controller.place_statuses import place_status, store_status
from troth.engine import Item, State
from troth.engine.conditions import Condition, is_fulfilled, merge_conditions
from troth.engine.promise_status import PromiseOutcome, Required, RequiredState, promise_status
from troth.engine.report import state_of
from troth.engine.request_status import RequestOutcome, request_status
from troth.engine.suspension import spell_moment
from troth.errors import TrothError

__all__ = [
    "generation_of",
    "is_available",
    "news",
    "of_answer",
    "of_broken_promise",
    "of_error",
    "of_place",
    "of_promise",
]

_STORES = "gitstatestores"


def of_answer(
    answer: Answer, promise: Promise | None, body: Mapping[str, Any], now: datetime
) -> dict[str, Json]:
    """Return what has to be merged into the status of a request; nothing where it says so already.

    Args:
        answer: what became of it.
        promise: which serves it, None where none does.
        body: the object as it was looked at.
        now: UTC.
    """
    before, generation = _status(body), generation_of(body)
    if promise is None:
        text = answer.item.message
        return news(before, {**before, "message": text, "observedGeneration": generation})
    outcome = RequestOutcome(answer.item, promise, answer.record, generation)
    return news(before, request_status(before, outcome, now))


def of_error(key: RequestKey | None, error: TrothError, body: Mapping[str, Any]) -> Answer:
    """Return the answer that an error is, to a request that could not even be handed in."""
    metadata = body["metadata"]
    mine = key or RequestKey(str(metadata.get("namespace", "")), "", str(metadata["name"]))
    return Answer(Item(*mine, state_of(error), error.reason, error.message), None)


def of_promise(
    promise: Promise,
    answer: Answer,
    catalogue: Catalogue,
    body: Mapping[str, Any],
    now: datetime,
) -> dict[str, Json]:
    """Return what has to be merged into the status of a Promise; nothing where it says so already.

    Args:
        promise: as it was installed.
        answer: what became of it.
        catalogue: tells how it is with those that it requires.
        body: the object as it was looked at.
        now: UTC.
    """
    before = _status(body)
    outcome = PromiseOutcome(
        promise=promise,
        available=is_available(answer),
        item=answer.item if promise.has_own_output else None,
        record=answer.record,
        required=[_required(one, catalogue) for one in promise.requires],
        generation=generation_of(body),
    )
    return news(before, promise_status(before, outcome, now))


def of_place(
    plural: str, ready: Condition, body: Mapping[str, Any], now: datetime
) -> dict[str, Json]:
    """Return what has to be merged into the status of a Destination or state store.

    Args:
        plural: its kind.
        ready: how it is.
        body: the object as it was looked at.
        now: UTC.
    """
    before, status = _status(body), store_status if plural == _STORES else place_status
    return news(before, status(before, ready, generation_of(body), now))


def is_available(answer: Answer) -> bool:
    """Tell whether a Promise can serve, going by what became of it.

    What was installed serves on, where only something of it could not be brought to date.
    """
    return is_fulfilled(answer.item) or answer.item.state is State.MISPLACED


def of_broken_promise(error: TrothError, body: Mapping[str, Any], now: datetime) -> dict[str, Json]:
    """Return what has to be merged into the status of a Promise that cannot be installed."""
    before, generation = _status(body), generation_of(body)
    at = spell_moment(now), generation
    no = Condition("Available", "False", "PromiseUnavailable", "Cannot fulfil resource requests")
    status: dict[str, Json] = {
        **before,
        "status": "Unavailable",
        "message": error.message,
        "observedGeneration": generation,
        "conditions": merge_conditions(before.get("conditions"), [no], None, at),
    }
    counts = dict.fromkeys(("workflows", "workflowsSucceeded", "workflowsFailed"), 0)
    return news(before, {**counts, **status})


def _required(one: Requirement, catalogue: Catalogue) -> Required:
    found = catalogue.promises.find(one.name)
    state = RequiredState.INSTALLED
    if found is None:
        state = RequiredState.NOT_INSTALLED
    elif one.version and one.version != found.version:
        state = RequiredState.OTHER_VERSION
    elif catalogue.unavailable.find(one.name):
        state = RequiredState.NOT_AVAILABLE
    return Required(one.name, one.version, state)


def news(before: JsonObject, after: JsonObject) -> dict[str, Json]:
    """Return the merge patch that makes one object of another (RFC 7386)."""
    found: dict[str, Json] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if is_object(value) and is_object(old):
            if inner := news(old, value):
                found[key] = inner
        elif key not in before or old != value:
            found[key] = value
    return found


def _status(body: Mapping[str, Any]) -> JsonObject:
    return as_plain(body.get("status") or {})


def generation_of(body: Mapping[str, Any]) -> int:
    """Return which state of an object it is, by the API server's count."""
    return int(body["metadata"]["generation"])
