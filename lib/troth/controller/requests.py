"""Requests: served when they come and change, let go of once they are gone from Git too."""

from typing import Any

import kopf

from troth.api.crds.installed import CATEGORY
from troth.controller.clerk import Answer
from troth.controller.office import Office
from troth.controller.statuses import of_answer, of_error
from troth.engine import State
from troth.errors import InvalidInputError

__all__ = ["watch_requests"]

# Seconds until what could not be done is looked at again; of removals, each time later, up to this.
_AGAIN, _SELDOM = 15.0, 300.0


def watch_requests(registry: kopf.OperatorRegistry, office: Office) -> None:
    """Have requests of all Promises served; a kind that comes later is watched from then on."""
    handlers = _Handlers(office)
    options: dict[str, Any] = {"category": CATEGORY, "registry": registry}
    kopf.on.create(**options, id="serve")(handlers.serve)
    kopf.on.update(**options, id="serve")(handlers.serve)
    kopf.on.resume(**options, id="serve")(handlers.serve)
    kopf.on.delete(**options, id="remove")(handlers.remove)
    kopf.on.event(**options, id="forget")(handlers.forget)


class _Handlers:
    """What is done when something happens to a request."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def serve(self, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:  # noqa: ANN401
        office = self._office
        try:
            key = office.see_request(body)
        except InvalidInputError as error:
            answer = of_error(office.key_of(body), error, body)
        else:
            answer = await office.answer(key)
        promise = office.catalogue.promises.find(answer.item.promise)
        patch.status.update(of_answer(answer, promise, body, office.now()))
        if promise is None:  # one may come, or be mended
            raise kopf.TemporaryError(answer.item.message, delay=_AGAIN)

    async def remove(
        self,
        body: kopf.Body,
        patch: kopf.Patch,
        retry: int = 0,
        **_: Any,  # noqa: ANN401
    ) -> None:
        office = self._office
        key = office.key_of(body)
        if key is None:
            text = "no Promise that is installed offers this kind, so nothing tells what to remove."
            raise kopf.TemporaryError(text, delay=_AGAIN)
        office.catalogue.handed_in.drop(key)
        answer = await office.answer(key)
        if answer.item.state is not State.REMOVED:
            patch.status["message"] = _why_not(answer)
            delay = min(_AGAIN * 2.0 ** min(retry, 16), _SELDOM)
            raise kopf.TemporaryError(_why_not(answer), delay=delay)

    def forget(self, event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:  # noqa: ANN401
        key = self._office.key_of(body)
        if event["type"] != "DELETED" or key is None:
            return
        there = self._office.catalogue.handed_in.find(key)
        # Another object of that name may be there by now; and what was let go of is done with.
        version = there.version if there is not None else None
        if version is not None and version.uid == body.metadata.uid:
            self._office.catalogue.handed_in.drop(key)
            self._office.clerk.remind([key])  # somebody took our finalizer off


def _why_not(answer: Answer) -> str:
    return answer.item.message or f"not removed yet ({answer.item.reason})."
