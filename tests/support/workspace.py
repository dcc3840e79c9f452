"""A folder in which the ``troth`` command is used as people use it, with a Git store beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from support.minted import note_saying

from troth.api import Json, JsonObject, dump_documents

ROOT = Path(__file__).parent.parent.parent
TROTH = Path(sys.executable).parent / "troth"


@dataclass(frozen=True)
class Run:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def all_items(self) -> list[dict[str, Json]]:
        """The items of a JSON report."""
        return cast("list[dict[str, Json]]", json.loads(self.out)["items"])

    @property
    def items(self) -> dict[str, dict[str, Json]]:
        """The items of a JSON report by name (by source where there is none)."""
        return {str(item["name"] or item["source"]): item for item in self.all_items}


@dataclass
class Workspace:
    """A folder with the Promise ``namespace``, requests, and a bare repository."""

    path: Path
    promise: str = "promise.yaml"
    store: str = "fleet.git"
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bundle = ROOT / "promises" / "namespace" / "promise.yaml"
        self.write(self.promise, bundle.read_text())
        (self.path / "requests").mkdir()

    def write(self, name: str, content: str | JsonObject) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else dump_documents([content]).decode()
        path.write_text(text)
        return path

    def ask(self, name: str, **spec: Json) -> Path:
        """Write a request for a namespace of the team ``name``."""
        base: Mapping[str, Json] = {"team": name, "environment": "dev", "owners": ["admins"]}
        return self.write(
            f"requests/{name}.yaml",
            {
                "apiVersion": "marketplace.troth.dev/v1alpha1",
                "kind": "TeamNamespace",
                "metadata": {"name": name},
                "spec": {**base, **spec},
            },
        )

    def destination(self, mode: str, *, canaries: bool = False) -> None:
        """Write the one Destination, with its files in a layout."""
        self.write(
            "requests/destination.yaml",
            {
                "apiVersion": "platform.kratix.io/v1alpha1",
                "kind": "Destination",
                "metadata": {"name": "worker"},
                "spec": {
                    "path": "worker",
                    "stateStoreRef": {"kind": "GitStateStore", "name": "any"},
                    "filepath": {"mode": mode},
                    "initWorkloads": {"enabled": canaries},
                },
            },
        )

    def troth(self, *arguments: str) -> Run:
        done = subprocess.run(
            [str(TROTH), *arguments],
            cwd=self.path,
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        note_saying(f"troth {' '.join(arguments[:1])}", done.stdout + done.stderr)
        return Run(done.returncode, done.stdout, done.stderr)

    def sync(self, *arguments: str) -> Run:
        paths = (self.promise, "requests", "--state-store", self.store)
        return self.troth("sync", *paths, "-o", "json", *arguments)

    def git(self, *arguments: str) -> str:
        command = ["git", "--git-dir", str(self.path / self.store), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def commits(self, branch: str = "main") -> list[str]:
        """Subjects of a branch, newest first; none when it is not there."""
        known = self.git("for-each-ref", "--format=%(refname:short)").splitlines()
        return self.git("log", "--format=%s", branch).splitlines() if branch in known else []

    def touched(self, revision: str) -> list[str]:
        """Paths that a commit changed."""
        return self.git(
            "diff-tree", "-r", "--no-commit-id", "--name-only", "--root", revision
        ).splitlines()
