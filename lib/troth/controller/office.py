"""The office: what all who watch share, and how an object that was seen gets into the catalogue."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from troth.api import Destination, GitStateStore, Kind, Promise, RequestKey
from troth.api.labels import FENCE
from troth.controller.bodies import is_leaving, promise_in, request_in, what_was_asked
from troth.controller.catalogue import Catalogue
from troth.controller.clerk import Answer, Clerk
from troth.controller.cluster import Cluster
from troth.errors import InvalidInputError, Reason

__all__ = ["Office"]

_MOMENT = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Office:
    """What those who watch share.

    Args:
        catalogue: what stands in the cluster.
        clerk: serves.
        cluster: the API server.
        allows_open: whether Promises without a fence are served.
        leads: whether it is still for us to serve.
    """

    catalogue: Catalogue
    clerk: Clerk
    cluster: Cluster
    allows_open: bool = False
    leads: Callable[[], bool] = lambda: True

    async def answer(self, key: RequestKey) -> Answer:
        """Have something served as it is now, or removed; return what became of it.

        One that has lost the Lease never answers: what it knows may be long past, and kopf, which
        would write that into a status, is being stopped.
        """
        found = await asyncio.wrap_future(self.clerk.hand_in(key))
        while not self.leads():  # noqa: ASYNC110  (nothing is waited for but the end)
            await asyncio.sleep(_MOMENT)
        return found

    def now(self) -> datetime:
        """Return the moment, UTC."""
        return datetime.now(UTC)

    def see_promise(self, body: Mapping[str, Any]) -> Promise:
        """Enter a Promise into the catalogue. Raises InvalidInputError; then nothing changes."""
        promise = Promise.parse(what_was_asked(body))
        if promise.api is not None and not promise.fence.declared and not self.allows_open:
            message = (
                f"Promise {promise.name} declares no fence (annotation {FENCE}), so its requests "
                "could write into any namespace. Declare one, or let the controller serve such "
                "Promises (--allow-open-promises)."
            )
            raise InvalidInputError(Reason.OUTSIDE_FENCE, message)
        self._refuse_rival(promise, body)
        self.catalogue.promises.put(promise.name, promise)
        key = RequestKey.of_promise(promise.name)
        self.catalogue.since.put(promise.name, str(body["metadata"]["creationTimestamp"]))
        if is_leaving(body):
            self.catalogue.handed_in.drop(key)
        else:
            self.catalogue.handed_in.put(key, promise_in(promise, body))
        return promise

    def _refuse_rival(self, promise: Promise, body: Mapping[str, Any]) -> None:
        """Refuse a Promise that offers what an older one offers: it is that one's to serve.

        Raises:
            InvalidInputError: names the older one.
        """
        if promise.api is None:
            return
        rival = self.catalogue.promise_of(Kind(promise.api.group, promise.api.kind))
        if rival is None or rival == promise.name:
            return
        mine = str(body["metadata"]["creationTimestamp"]), promise.name
        if (self.catalogue.since.find(rival) or "", rival) < mine:
            message = (
                f"Promise {rival} offers kind {promise.api.kind} of group {promise.api.group} "
                f"already; {promise.name} is not installed while that one is there."
            )
            raise InvalidInputError(Reason.AMBIGUOUS_IDENTITY, message)

    def see_destination(self, body: Mapping[str, Any]) -> Destination:
        """Enter a Destination into the catalogue. Raises as `see_promise`."""
        destination = Destination.parse(what_was_asked(body))
        self.catalogue.destinations.put(destination.name, destination)
        return destination

    def see_store(self, body: Mapping[str, Any]) -> GitStateStore:
        """Enter a GitStateStore into the catalogue. Raises as `see_promise`."""
        store = GitStateStore.parse(what_was_asked(body))
        self.catalogue.stores.put(store.name, store)
        return store

    def see_request(self, body: Mapping[str, Any]) -> RequestKey:
        """Enter a request into the catalogue; return its key.

        Raises:
            InvalidInputError: it is none that could be served; what was asked for before counts.
        """
        key = self.key_of(body)
        if key is None:
            message = "no Promise that is installed offers this kind."
            raise InvalidInputError(Reason.PROMISE_NOT_FOUND, message)
        if is_leaving(body):
            self.catalogue.handed_in.drop(key)
        else:
            self.catalogue.handed_in.put(key, request_in(body))
        return key

    def key_of(self, body: Mapping[str, Any]) -> RequestKey | None:
        """Return the key of a request, None where no Promise offers its kind."""
        group = str(body["apiVersion"]).rpartition("/")[0]
        promise = self.catalogue.promise_of(Kind(group, str(body["kind"])))
        metadata = body["metadata"]
        if promise is None:
            return None
        return RequestKey(str(metadata["namespace"]), promise, str(metadata["name"]))
