"""Promises: installed with their CRD and their own output, uninstalled after their requests."""

import asyncio
from collections.abc import Mapping
from typing import Any

import kopf

from troth.api import DeletionLimit, Promise, RequestKey
from troth.api.labels import ALLOW_DELETIONS
from troth.controller.cluster import GROUP, VERSION
from troth.controller.installing import (
    ask_requests_to_go,
    crd_of,
    install_crd,
    remove_crd,
)
from troth.controller.office import Office
from troth.controller.statuses import is_available, of_broken_promise, of_promise
from troth.engine import State
from troth.errors import TransientError, TrothError

__all__ = ["watch_promises"]

# Seconds until an uninstallation is looked at again: while requests go, and when something failed.
_SOON, _LATER = 2.0, 15.0

_USUAL = DeletionLimit()


def watch_promises(registry: kopf.OperatorRegistry, office: Office) -> None:
    """Have Promises installed, and uninstalled."""
    handlers = _Handlers(office)
    resource = (GROUP, VERSION, "promises")
    kopf.on.create(*resource, id="install", registry=registry)(handlers.install)
    kopf.on.update(*resource, id="install", registry=registry)(handlers.install)
    kopf.on.resume(*resource, id="install", registry=registry)(handlers.install)
    kopf.on.delete(*resource, id="uninstall", registry=registry)(handlers.uninstall)
    kopf.on.event(*resource, id="forget", registry=registry)(handlers.forget)


class _Handlers:
    """What is done when something happens to a Promise."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def install(self, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:  # noqa: ANN401
        office = self._office
        try:
            promise = office.see_promise(body)
            await asyncio.to_thread(install_crd, office.cluster, promise)
        except TransientError as error:
            raise kopf.TemporaryError(error.message, delay=_LATER) from error
        except TrothError as error:
            patch.status.update(of_broken_promise(error, body, office.now()))
            return
        key = RequestKey.of_promise(promise.name)
        answer = await office.answer(key)
        office.catalogue.unavailable.put(promise.name, not is_available(answer))
        patch.status.update(of_promise(promise, answer, office.catalogue, body, office.now()))
        office.clerk.remind(office.catalogue.requests_of(promise.name))
        office.clerk.remind(office.catalogue.dependents_of(promise.name))

    async def uninstall(
        self,
        body: kopf.Body,
        name: str,
        patch: kopf.Patch,
        **_: Any,  # noqa: ANN401
    ) -> None:
        try:
            why = await self._why_it_stays(name, body)
        except TrothError as error:
            why = error.message, _LATER
        if why is not None:
            patch.status["message"] = why[0]
            raise kopf.TemporaryError(why[0], delay=why[1])

    def forget(self, event: kopf.RawEvent, name: str, **_: Any) -> None:  # noqa: ANN401
        if event["type"] == "DELETED":
            self._office.catalogue.forget_promise(name)

    async def _why_it_stays(self, name: str, body: Mapping[str, Any]) -> tuple[str, float] | None:
        """Uninstall a Promise as far as that goes; return why it stays, and when to look again."""
        office = self._office
        promise = office.catalogue.promises.find(name)
        if promise is None:
            crd = await asyncio.to_thread(crd_of, office.cluster, name)
            if crd is not None:
                text = (
                    f"the CRD {crd} is its, and this Promise cannot be read, so nothing tells how "
                    "to remove its requests; mend it first."
                )
                return text, _LATER
        else:
            why = self._why_not_so_many(promise, body)
            if why is not None:
                return why, _LATER
            left = await asyncio.to_thread(ask_requests_to_go, office.cluster, promise)
            if left:
                return f"{left} requests of it are being removed first.", _SOON
        key = RequestKey.of_promise(name)
        office.catalogue.handed_in.drop(key)
        answer = await office.answer(key)
        if answer.item.state is not State.REMOVED:
            return answer.item.message or f"not removed yet ({answer.item.reason}).", _LATER
        if promise is not None:
            await asyncio.to_thread(remove_crd, office.cluster, promise)
        return None

    def _why_not_so_many(self, promise: Promise, body: Mapping[str, Any]) -> str | None:
        """Return why so many requests are not removed with a Promise, None where they may be."""
        catalogue = self._office.catalogue
        count = len(catalogue.requests_of(promise.name))
        size = sum(not key.is_promise for key in catalogue.handed_in.all())
        allowed = str(body["metadata"].get("annotations", {}).get(ALLOW_DELETIONS, ""))
        agreed = int(allowed) if allowed.isdecimal() else 0
        if count <= agreed or not _USUAL.exceeded(count, size):
            return None
        return (
            f"{count} of {size} requests would be removed with it, more than {_USUAL} of them; "
            "none is removed until you agree: annotate this Promise with "
            f'{ALLOW_DELETIONS}: "{count}".'
        )
