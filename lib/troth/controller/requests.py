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

# Seconds until a removal is looked at again that could not be done.
_AGAIN = 15.0


def watch_requests(registry: kopf.OperatorRegistry, office: Office) -> None:
    """Have requests of all Promises served; a kind that comes later is watched from then on."""
    desk = _Requests(office)
    options: dict[str, Any] = {"category": CATEGORY, "registry": registry}
    kopf.on.create(**options, id="serve")(desk.serve)
    kopf.on.update(**options, id="serve")(desk.serve)
    kopf.on.resume(**options, id="serve")(desk.serve)
    kopf.on.delete(**options, id="remove")(desk.remove)
    kopf.on.event(**options, id="forget")(desk.forget)


class _Requests:
    """What is done when something happens to a request. Handlers of kopf's."""

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

    async def remove(self, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:  # noqa: ANN401
        office = self._office
        key = office.key_of(body)
        if key is None:
            text = "no Promise that is installed offers this kind, so nothing tells what to remove."
            raise kopf.TemporaryError(text, delay=_AGAIN)
        office.catalogue.handed_in.drop(key)
        answer = await office.answer(key)
        if answer.item.state is not State.REMOVED:
            patch.status["message"] = _why_not(answer)
            raise kopf.TemporaryError(_why_not(answer), delay=_AGAIN)

    def forget(self, event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:  # noqa: ANN401
        key = self._office.key_of(body)
        if event["type"] == "DELETED" and key is not None:
            self._office.catalogue.handed_in.drop(key)
            self._office.clerk.remind([key])  # somebody may have taken our finalizer off


def _why_not(answer: Answer) -> str:
    return answer.item.message or f"not removed yet ({answer.item.reason})."
