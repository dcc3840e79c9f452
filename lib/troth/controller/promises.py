"""Promises: installed with their CRD and their own output, uninstalled after their requests."""

import asyncio
from typing import Any

import kopf

from troth.api import Promise, RequestKey
from troth.controller.installing import ask_requests_to_go, install_crd, remove_crd
from troth.controller.office import GROUP, VERSION, Office
from troth.controller.statuses import of_answer, of_error, of_promise
from troth.engine import State
from troth.errors import TransientError, TrothError

__all__ = ["watch_promises"]

# Seconds until an uninstallation is looked at again: while requests go, and when something failed.
_SOON, _LATER = 1.0, 15.0


def watch_promises(registry: kopf.OperatorRegistry, office: Office) -> None:
    """Have Promises installed, and uninstalled."""
    desk = _Promises(office)
    resource = (GROUP, VERSION, "promises")
    kopf.on.create(*resource, id="install", registry=registry)(desk.install)
    kopf.on.update(*resource, id="install", registry=registry)(desk.install)
    kopf.on.resume(*resource, id="install", registry=registry)(desk.install)
    kopf.on.delete(*resource, id="uninstall", registry=registry)(desk.uninstall)


class _Promises:
    """What is done when something happens to a Promise. Handlers of kopf's."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def install(self, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:  # noqa: ANN401
        office = self._office
        key = RequestKey.of_promise(str(body.metadata.name))
        try:
            promise = office.see_promise(body)
            await asyncio.to_thread(install_crd, office.cluster, promise)
        except TransientError as error:
            raise kopf.TemporaryError(error.message, delay=_LATER) from error
        except TrothError as error:
            patch.status.update(of_answer(of_error(key, error, body), None, body, office.now()))
            patch.status["status"] = "Unavailable"
            return
        answer = await office.answer(key)
        others = office.catalogue.promises.all()
        patch.status.update(of_promise(promise, answer, others, body, office.now()))
        office.clerk.remind(office.catalogue.requests_of(promise.name))

    async def uninstall(
        self,
        name: str,
        patch: kopf.Patch,
        **_: Any,  # noqa: ANN401
    ) -> None:
        office = self._office
        promise = office.catalogue.promises.find(name)
        if promise is None:
            return  # it was never one that could be installed
        try:
            why = await self._why_it_stays(promise)
        except TrothError as error:
            why = error.message, _LATER
        if why is not None:
            patch.status["message"] = why[0]
            raise kopf.TemporaryError(why[0], delay=why[1])
        office.catalogue.promises.drop(name)

    async def _why_it_stays(self, promise: Promise) -> tuple[str, float] | None:
        """Uninstall a Promise as far as that goes; return why it stays, and when to look again."""
        office = self._office
        left = await asyncio.to_thread(ask_requests_to_go, office.cluster, promise)
        if left:
            return f"{left} requests of it are being removed first.", _SOON
        key = RequestKey.of_promise(promise.name)
        office.catalogue.handed_in.drop(key)
        answer = await office.answer(key)
        if answer.item.state is not State.REMOVED:
            return answer.item.message, _LATER
        await asyncio.to_thread(remove_crd, office.cluster, promise)
        return None
