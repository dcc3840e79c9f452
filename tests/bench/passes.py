"""Passes over many requests of the Promise ``namespace``, through the embedded driver into Git.

Each pass runs in a process of its own, so that its peak memory is its own; the figure for memory is
that of the process and the largest of its children.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench._table import Row, Scale

from troth.api import JsonObject, dump_documents
from troth.engine import Settings
from troth.local import SyncOptions, load, open_session, open_store
from troth.local.stores import StoreChoice
from troth.runners.warm import WarmRunner
from troth_statestore.git import create_bare

__all__ = ["run"]

_ROOT = Path(__file__).parent.parent.parent
_NAMESPACES = 50

# A hook that counts what is pushed, where nothing else can miss it.
_HOOK = "#!/bin/sh\necho push >> pushes\ncat > /dev/null\n"


def run(scale: Scale) -> list[Row]:
    """Measure a first sync, a pass with nothing to do, and a full render and compare."""
    requests = scale.large
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_requests(folder / "requests", requests)
        _make_store(folder / "fleet.git")
        rows: list[Row] = []
        for title, forced in (("first sync", False), ("no-op pass", False), ("re-render", True)):
            before = _counts(folder)
            took = _in_a_process(folder, forced=forced)
            commits, pushes = (
                now - then for now, then in zip(_counts(folder), before, strict=True)
            )
            note = f"{commits} commits, {pushes} pushes; {took['states']}"
            rows += [
                Row(f"{title} of {requests:,}", took["seconds"], "s", note),
                Row(f"{title}: reading the files", took["loading"], "s"),
                Row(f"{title}: peak memory", took["memory"], "MB", "process + largest child"),
            ]
    return rows


def _write_requests(folder: Path, count: int) -> None:
    for number in range(count):
        namespace = f"group-{number % _NAMESPACES:02}"
        request: JsonObject = {
            "apiVersion": "marketplace.troth.dev/v1alpha1",
            "kind": "TeamNamespace",
            "metadata": {"name": f"app-{number}", "namespace": namespace},
            "spec": {
                "team": f"team-{number}",
                "environment": "dev",
                "size": "small",
                "owners": ["admins"],
                "viewers": ["auditors"],
                "network": {
                    "ingressFromGateway": True,
                    "egress": [{"namespace": "shared-db"}, {"cidr": "10.20.0.0/16"}],
                },
            },
        }
        path = folder / namespace / f"app-{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dump_documents([request]))


def _make_store(path: Path) -> None:
    create_bare(path)
    hook = path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK, encoding="utf-8")
    hook.chmod(0o755)


def _counts(folder: Path) -> tuple[int, int]:
    """Return commits on all branches and pushes so far."""
    store = folder / "fleet.git"
    counted = subprocess.run(
        ["git", "--git-dir", str(store), "rev-list", "--all", "--count"],
        capture_output=True,
        text=True,
        check=True,
    )
    pushes = store / "pushes"
    pushed = len(pushes.read_text(encoding="utf-8").splitlines()) if pushes.exists() else 0
    return int(counted.stdout), pushed


def _in_a_process(folder: Path, *, forced: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.passes", str(folder), "forced" if forced else "plain"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def _pass(folder: Path, *, forced: bool) -> dict[str, object]:
    """Do one pass as the command does; `forced` runs every stage again."""
    began = time.perf_counter()
    inputs = load([_ROOT / "promises" / "namespace" / "promise.yaml", folder / "requests"])
    loaded = time.perf_counter()
    if forced:
        inputs.submissions = [
            replace(one, request=replace(one.request, forced=True)) for one in inputs.submissions
        ]
    store = open_store(StoreChoice(str(folder / "fleet.git")), create=True)
    with open_session(inputs, {"": store}, WarmRunner(), SyncOptions(Settings())) as session:
        items = session.sync()
    ended = time.perf_counter()
    states = sorted({f"{item.state} {item.reason}" for item in items})
    own, children = (
        resource.getrusage(who).ru_maxrss // 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "seconds": ended - began,
        "loading": loaded - began,
        "memory": own + children,
        "states": ", ".join(states),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_pass(Path(sys.argv[1]), forced=sys.argv[2] == "forced")) + "\n")
