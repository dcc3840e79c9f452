"""The main promise on real parts: any history of requests ends in the tree of a fresh sync."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.workspace import ROOT

from troth.api import JsonObject, dump_documents
from troth.engine import Settings, State
from troth.local import SyncOptions, load, open_session, open_store
from troth.local.stores import StoreChoice
from troth.runners.warm import WarmRunner

PROMISE = ROOT / "promises" / "namespace" / "promise.yaml"
TEAMS = ("a", "b", "c", "d")

edits = st.lists(
    st.tuples(st.sampled_from(TEAMS), st.none() | st.sampled_from(["small", "medium", "large"])),
    min_size=1,
    max_size=6,
)


def ask(folder: Path, team: str, size: str) -> None:
    request: JsonObject = {
        "apiVersion": "marketplace.troth.dev/v1alpha1",
        "kind": "TeamNamespace",
        "metadata": {"name": team},
        "spec": {"team": team, "environment": "dev", "owners": ["admins"], "size": size},
    }
    (folder / f"{team}.yaml").write_bytes(dump_documents([request]))


def sync(promise: Path, requests: Path, store: Path) -> dict[str, str]:
    """Sync as the command does; return path → blob id of the files branch."""
    inputs = load([promise, requests])
    opened = open_store(StoreChoice(str(store)), create=True)
    with open_session(
        inputs, {"": opened}, WarmRunner(workers=1), SyncOptions(Settings())
    ) as session:
        items = session.sync()
        assert {item.state for item in items} <= {State.WRITTEN, State.UNCHANGED, State.REMOVED}
        return dict(opened.snapshot().digests(""))


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(edits)
def test_any_history_of_requests_ends_in_the_tree_of_a_fresh_sync(
    history: list[tuple[str, str | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests"
        requests.mkdir()
        # Something always stays: an empty folder is taken for one that was not mounted.
        ask(requests, "always", "small")
        lived: dict[str, str] = {}
        for team, size in history:
            if size is None:
                (requests / f"{team}.yaml").unlink(missing_ok=True)
            else:
                ask(requests, team, size)
            lived = sync(PROMISE, requests, Path(folder) / "lived.git")
        shutil.rmtree(Path(folder) / "fresh.git", ignore_errors=True)

        fresh = sync(PROMISE, requests, Path(folder) / "fresh.git")

        assert lived == fresh
