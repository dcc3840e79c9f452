"""Destinations and state stores on a real API server: tried, and told."""

from pathlib import Path

from support.cluster import eventually, run_cluster
from support.repositories import Remote
from support.served_cluster import ServedCluster, platform_object, run_controller
from support.workspace import ROOT

from troth.api import Fields, JsonObject, load_object

NAMESPACE = ROOT / "promises/namespace"


def ready(served: ServedCluster, kind: str, name: str, reason: str) -> JsonObject:
    """Wait until a place is what it should be, for this reason; return it."""

    def look() -> JsonObject | None:
        found = served.kubectl.get(kind, name)
        conditions = Fields(found or {}).section("status").items("conditions")
        return found if any(one.raw.get("reason") == reason for one in conditions) else None

    return eventually(look)


def test_places_are_tried_told_and_served_once_they_are_there(tmp_path: Path) -> None:
    with run_cluster(tmp_path / "cluster") as cluster, run_controller(cluster, tmp_path) as served:
        served.install(NAMESPACE / "promise.yaml")
        ready(served, "destination", "prod", "DestinationReady")
        store = ready(served, "gitstatestore", "fleet", "StateStoreReady")
        assert Fields(store).section("status").text("status") == "Ready"

        elsewhere = tmp_path / "elsewhere.git"
        served.kubectl.apply(
            platform_object("GitStateStore", "fleet", {"url": str(elsewhere), "branch": "main"})
        )
        ready(served, "gitstatestore", "fleet", "ErrorInitialisingWriter")
        ready(served, "destination", "prod", "StateStoreNotReady")
        served.kubectl.apply(load_object((NAMESPACE / "resource-request.yaml").read_text(), "r"))
        name = "payments-dev"
        eventually(lambda: served.kubectl.get("teamnamespace", name, "default"))
        Remote.create(elsewhere)
        served.kubectl.run("wait", "--for=condition=Ready", "destination/prod", "--timeout=60s")
        served.condition("teamnamespace", name, "default", "Written")

        before = served.kubectl.get("destination", "prod")
        served.stop()
        served.start()
        served.kubectl.apply(
            platform_object(
                "Destination",
                "lost",
                {"path": "x", "stateStoreRef": {"kind": "GitStateStore", "name": "none"}},
            )
        )
        lost = ready(served, "destination", "lost", "StateStoreNotFound")
        assert "GitStateStore/none: not found" in str(lost["status"])
        served.kubectl.delete("destination", "lost")
        assert served.kubectl.get("destination", "prod") == before
