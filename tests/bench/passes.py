"""Passes over many requests of the Promise ``namespace``, through the embedded driver into Git."""

import tempfile
from pathlib import Path

from bench._fleet import Fleet
from bench._table import Row, Scale
from support.workspace import ROOT

from troth.api import JsonObject, load_object

__all__ = ["run"]


def run(scale: Scale) -> list[Row]:
    """Measure a first sync, a pass with nothing to do, and a full render and compare."""
    requests = scale.large
    with tempfile.TemporaryDirectory() as name:
        fleet = Fleet(Path(name))
        bundle = ROOT / "promises" / "namespace" / "promise.yaml"
        fleet.write("platform/bundle/promise.yaml", load_object(bundle.read_text(), "promise.yaml"))
        for number in range(requests):
            fleet.ask(number, "TeamNamespace", _spec(number))
        rows: list[Row] = []
        for title, forced in (("first sync", False), ("no-op pass", False), ("re-render", True)):
            took = fleet.sync(forced=forced)
            note = f"{took.writes}; {took.states}"
            rows += [
                Row(f"{title} of {requests:,}", took.seconds, "s", note),
                Row(f"{title}: reading the files", took.loading, "s"),
                Row(f"{title}: peak memory", took.memory, "MB", "process + largest child"),
            ]
    return rows


def _spec(number: int) -> JsonObject:
    return {
        "team": f"team-{number}",
        "environment": "dev",
        "size": "small",
        "owners": ["admins"],
        "viewers": ["auditors"],
        "network": {
            "ingressFromGateway": True,
            "egress": [{"namespace": "shared-db"}, {"cidr": "10.20.0.0/16"}],
        },
    }
