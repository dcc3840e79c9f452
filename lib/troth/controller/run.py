"""Run: put the office together, and watch until told to stop."""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import kopf

from troth.api import DeletionLimit, Secrets
from troth.controller.catalogue import Catalogue
from troth.controller.clerk import Clerk
from troth.controller.cluster import Cluster
from troth.controller.cluster_secrets import ClusterSecrets
from troth.controller.inspection import Inspector, Seams
from troth.controller.lease import Lease, LeaseTerms, Seat
from troth.controller.live_desk import LiveDesk
from troth.controller.office import Office
from troth.controller.open_stores import OpenStores
from troth.controller.places import watch_places
from troth.controller.promises import watch_promises
from troth.controller.reporting import Reporter, Teller
from troth.controller.requests import watch_requests
from troth.controller.seen import PROGRESS, TOUCH, SeenStorage
from troth.engine import DeletionBudget, Settings
from troth.errors import Reason, TransientError
from troth.local.ways_in import WaysIn
from troth.runners import Runner

__all__ = ["Options", "run"]

_log = logging.getLogger(__name__)

_FINALIZER = "troth.dev/removal"

_GLANCE = 0.1  # seconds between two looks at whether to stop


@dataclass(frozen=True, slots=True)
class Options:
    """How a controller runs.

    Attributes:
        runner_of: makes the runner, given where Secrets are.
        kubeconfig: leads to the API server; None for the Pod's own.
        inventory: whose requests these are.
        ca_file: certificates that vouch for hosts of state stores.
        allows_open: whether Promises without a fence are served.
        lease: what is waited for before anything is served; None to serve at once.
    """

    runner_of: Callable[[Secrets], Runner]
    kubeconfig: Path | None = None
    inventory: str = "controller"
    ca_file: Path | None = None
    allows_open: bool = False
    lease: LeaseTerms | None = None


def run(options: Options, stop: threading.Event | None = None) -> None:
    """Watch and serve until told to stop, by a signal or by `stop`; first wait for the Lease.

    Raises:
        InvalidInputError: no API server is known.
        TransientError: the Lease was lost.
    """
    over = stop or threading.Event()
    if options.lease is None:
        _serve(options, lambda: True, over)
        return
    terms = options.lease
    lease = Lease(Cluster.connect(options.kubeconfig, terms.pause), terms, time.monotonic)
    seat = Seat(lease, terms.pause, over)
    _log.info("Waiting for the Lease %s/%s as %s.", terms.namespace, terms.name, terms.identity)
    if not seat.take(over):
        return
    _log.info("The Lease is ours: serving.")
    lost = False
    try:
        _serve(options, lambda: lease.is_held, over)
    finally:
        lost = not lease.is_held
        seat.leave()
    if lost:
        message = f"the Lease {terms.namespace}/{terms.name} was lost: another controller serves."
        raise TransientError(Reason.LEASE_LOST, message)


def _serve(options: Options, leads: Callable[[], bool], stop: threading.Event) -> None:
    cluster = Cluster.connect(options.kubeconfig).guarded(leads)
    secrets = ClusterSecrets(cluster)
    catalogue = Catalogue()
    stores = OpenStores(WaysIn(ca_file=options.ca_file, secrets=secrets))
    runner = options.runner_of(secrets)
    reporter = Reporter(catalogue, cluster, leads)
    teller = Teller(reporter.report)
    desk = LiveDesk(catalogue, stores, runner, _settings(options), teller.tell, secrets, leads)
    clerk = Clerk(desk)
    office = Office(catalogue, clerk, cluster, options.allows_open, leads)
    inspector = Inspector(Seams(catalogue, stores, reporter, clerk.try_again, time.time))
    inspector.start()
    try:
        asyncio.run(_watch(office, inspector, partial(_login, options.kubeconfig), stop))
    finally:
        inspector.close()
        clerk.close()
        teller.close()
        stores.close()
        runner.close()


def _settings(options: Options) -> Settings:
    """Return what may be done in one plan.

    Whoever deletes a request says so of that very one; what bounds absences bounds nothing here.
    What many go with, a Promise, is bounded where it is uninstalled.
    """
    budget = DeletionBudget(limit=DeletionLimit(sys.maxsize, 100))
    return Settings(inventory=options.inventory, budget=budget)


async def _watch(
    office: Office,
    inspector: Inspector,
    login: Callable[..., Any],
    stop: threading.Event,
) -> None:
    registry = kopf.OperatorRegistry()
    watch_places(registry, office, inspector.look)
    watch_promises(registry, office)
    watch_requests(registry, office)
    kopf.on.login(registry=registry, id="login")(login)
    settings = kopf.OperatorSettings()
    settings.persistence.progress_storage = kopf.StatusProgressStorage(
        field=PROGRESS, touch_field=TOUCH
    )
    settings.persistence.diffbase_storage = SeenStorage()
    settings.persistence.finalizer = _FINALIZER
    settings.posting.enabled = False  # events of kopf's own say nothing to people
    over = asyncio.Event()
    watching = asyncio.create_task(_follow(stop, over))
    await kopf.operator(
        registry=registry, settings=settings, standalone=True, clusterwide=True, stop_flag=over
    )
    watching.cancel()


async def _follow(stop: threading.Event, over: asyncio.Event) -> None:
    """Set one when the other is; kopf would wait for it in a thread, and so could never end."""
    while not stop.is_set():  # noqa: ASYNC110  (others set it from their threads)
        await asyncio.sleep(_GLANCE)
    over.set()


def _login(kubeconfig: Path | None, **arguments: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401
    if kubeconfig is None:
        return kopf.login_with_service_account(**arguments)
    os.environ["KUBECONFIG"] = str(kubeconfig)  # the only way to tell kopf of a file
    return kopf.login_with_kubeconfig(**arguments)
