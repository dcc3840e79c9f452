"""The clerk's desk in a cluster: the catalogue, the stores that it names, and the warm runner."""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from troth.api import RequestKey, Secrets
from troth.controller.catalogue import Catalogue
from troth.controller.clerk import Answer
from troth.controller.open_stores import OpenStores
from troth.engine import Moment, Renderer, Settings, Submission, View, World
from troth.engine.write import Submit
from troth.errors import Reason, TransientError, TrothError
from troth.local.sealing import Certificates
from troth.runners import Runner
from troth.sdk.sealing import CertificateCache
from troth_statestore import ChangeSet, Receipt

__all__ = ["LiveDesk"]

_CERTIFICATES_LAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """What a clerk works with in a cluster.

    Args:
        catalogue: what stands in the cluster.
        stores: the state stores.
        runner: runs stages.
        settings: what may be done in one plan.
        heard: told what became of requests that nobody waits for.
        secrets: where the Secrets of the cluster are.
        leads: whether it is still for us to serve.
    """

    catalogue: Catalogue
    stores: OpenStores
    runner: Runner
    settings: Settings
    heard: Callable[[Answer], None]
    secrets: Secrets | None = None
    leads: Callable[[], bool] = lambda: True
    _known: list[CertificateCache] = field(default_factory=list[CertificateCache])

    @property
    def renderer(self) -> Renderer:
        """Runs pipelines."""
        certificates = Certificates(self.world(), self._certificates(), self.secrets)
        return Renderer(self.runner, self._moment, sealing=certificates.of)

    def _certificates(self) -> CertificateCache:
        """Return what is known of certificates; after a while it is asked for anew."""
        if not self._known or self.now() - self._known[0].now > _CERTIFICATES_LAST:
            self._known[:] = [CertificateCache(self.now())]
        return self._known[0]

    @property
    def submit(self) -> Submit:
        """Hands change sets to a store, while it is for us to do so."""
        return self._submit

    def world(self) -> World:
        """Return Promises and Destinations as they are now."""
        catalogue = self.catalogue
        names = tuple(sorted(catalogue.usable_stores()))
        return World(catalogue.promises.all(), catalogue.usable_destinations(), names)

    def look(self) -> View:
        """Return what the stores hold now.

        Raises:
            TransientError: there are none, none can be read, or it is not for us to look.
        """
        self._check_lead()
        self.stores.follow(self.catalogue.usable_stores())
        view = self.stores.look()
        view = replace(view, unreached={**self._hidden(), **view.unreached})
        if not view.snapshots:
            why = "; ".join(f"{name}: {one.message}" for name, one in view.unreached.items())
            message = f"no state store can be used: {why or 'there is no GitStateStore.'}"
            raise TransientError(Reason.STATE_STORE_UNREACHABLE, message)
        return view

    def _hidden(self) -> dict[str, TrothError]:
        """Return the stores that may hold something, and of which nobody can tell where they are.

        A request of which no record is found may have one there: it is not gone.
        """
        catalogue = self.catalogue
        found = catalogue.wrong("gitstatestores")
        known = catalogue.stores.all()
        for one in catalogue.destinations.all().values():
            if one.store is not None and one.store.name not in known:
                message = (
                    f"{one.store.kind} {one.store.name} of Destination {one.name} is not there."
                )
                error = TransientError(Reason.STATE_STORE_UNREACHABLE, message)
                found.setdefault(one.store.name, error)
        return {name: error for name, error in found.items() if name not in known}

    def find(self, key: RequestKey) -> Submission | None:
        """Return what is asked for now, None where it is gone, or to go."""
        return self.catalogue.handed_in.find(key)

    def now(self) -> datetime:
        """Return the moment, UTC."""
        return datetime.now(UTC)

    def tell(self, answer: Answer) -> None:
        """Take note of what became of a request, whoever asked."""
        self.heard(answer)

    def _submit(self, store: str, changes: Sequence[ChangeSet]) -> Sequence[Future[Receipt]]:
        self._check_lead()
        return self.stores.submit(store, changes)

    def _check_lead(self) -> None:
        if not self.leads():
            message = "the Lease was lost: another controller serves now."
            raise TransientError(Reason.LEASE_LOST, message)

    def _moment(self) -> Moment:
        return Moment(self.now().replace(microsecond=0), secrets.token_bytes(32))
