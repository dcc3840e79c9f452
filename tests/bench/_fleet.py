"""A fleet: requests as files, a bare Git store that counts pushes, and passes over them.

Each pass runs in a process of its own, so that its peak memory is its own; the figure for memory is
that of the process and the largest of its children.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from troth.api import JsonObject, dump_documents
from troth.engine import Settings
from troth.local import SyncOptions, load, open_session, open_store
from troth.local.secrets import SecretsFolder
from troth.local.stores import StoreChoice
from troth.runners import StageJob, StageResult
from troth.runners.warm import WarmRunner
from troth_statestore.git import create_bare

__all__ = ["NAMESPACES", "Fleet", "Pass"]

NAMESPACES = 50

# A hook that counts what is pushed, where nothing else can miss it.
_HOOK = "#!/bin/sh\necho push >> pushes\ncat > /dev/null\n"


@dataclass(frozen=True)
class Pass:
    """What a pass took, and what it did.

    Attributes:
        seconds: all of it, with reading the files.
        loading: seconds until the files were read.
        memory: peak, in megabytes.
        runs: how often a stage was run.
        states: how requests stand after it.
        commits: made on all branches.
        pushes: received by the store.
    """

    seconds: float
    loading: float
    memory: int
    runs: int
    states: str
    commits: int = 0
    pushes: int = 0

    @property
    def writes(self) -> str:
        """What was written, as a note tells it."""
        return f"{self.commits} commits, {self.pushes} pushes"


class Fleet:
    """A folder with ``requests``, ``platform`` and ``secrets``, and the store ``fleet.git``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "fleet.git"
        for name in ("requests", "platform", "secrets"):
            folder.joinpath(name).mkdir()
        create_bare(self.store)
        hook = self.store / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK, encoding="utf-8")
        hook.chmod(0o755)

    def ask(self, number: int, kind: str, spec: JsonObject) -> None:
        """Write the request of a number."""
        namespace, name = f"group-{number % NAMESPACES:02}", f"app-{number}"
        request: JsonObject = {
            "apiVersion": "marketplace.troth.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
        self.write(f"requests/{namespace}/{name}.yaml", request)

    def write(self, name: str, content: JsonObject) -> None:
        """Write an object."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dump_documents([content]))

    def sync(self, *, forced: bool = False) -> Pass:
        """Do a pass; `forced` runs every stage again."""
        before = self._written()
        command = [sys.executable, "-m", "bench._fleet", str(self.folder)]
        command.append("forced" if forced else "plain")
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took = Pass(**json.loads(done.stdout.splitlines()[-1]))
        commits, pushes = (now - then for now, then in zip(self._written(), before, strict=True))
        return replace(took, commits=commits, pushes=pushes)

    def records(self) -> Iterator[JsonObject]:
        """Read what the store remembers of each request."""
        branch = "refs/heads/troth/records/main"
        paths = self._git("ls-tree", "-r", "--name-only", branch, "requests").splitlines()
        asked = "".join(f"{branch}:{path}\n" for path in paths)
        answer = self._git("cat-file", "--batch", asked=asked)
        position = 0
        for _ in paths:
            end = answer.index("\n", position)
            size = int(answer[position:end].split()[2])
            yield json.loads(answer[end + 1 : end + 1 + size])
            position = end + 1 + size + 1

    def _written(self) -> tuple[int, int]:
        """Return commits on all branches and pushes so far."""
        pushes = self.store / "pushes"
        pushed = len(pushes.read_text(encoding="utf-8").splitlines()) if pushes.exists() else 0
        return int(self._git("rev-list", "--all", "--count")), pushed

    def _git(self, *arguments: str, asked: str | None = None) -> str:
        return subprocess.run(
            ["git", "--git-dir", str(self.store), *arguments],
            input=asked,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


class _Counted(WarmRunner):
    """A warm runner that counts what it runs."""

    def __init__(self, secrets: Path) -> None:
        super().__init__(secrets=SecretsFolder(secrets))
        self.ran: list[str] = []  # appending is safe from any thread

    def run(self, job: StageJob) -> StageResult:
        self.ran.append(job.promise)
        return super().run(job)


def _pass(folder: Path, *, forced: bool) -> Pass:
    """Do one pass as the command does."""
    began = time.perf_counter()
    inputs = load([folder / "platform", folder / "requests"])
    loaded = time.perf_counter()
    if forced:
        inputs.submissions = [
            replace(one, request=replace(one.request, forced=True)) for one in inputs.submissions
        ]
    store = open_store(StoreChoice(str(folder / "fleet.git")), create=True)
    runner = _Counted(folder / "secrets")
    with open_session(inputs, {"": store}, runner, SyncOptions(Settings())) as session:
        items = session.sync()
    ended = time.perf_counter()
    own, children = (
        resource.getrusage(who).ru_maxrss // 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    states = ", ".join(sorted({f"{item.state} {item.reason}" for item in items}))
    return Pass(ended - began, loaded - began, own + children, len(runner.ran), states)


if __name__ == "__main__":
    took = _pass(Path(sys.argv[1]), forced=sys.argv[2] == "forced")
    sys.stdout.write(json.dumps(asdict(took)) + "\n")
