"""The real kubectl, with objects in and out as tests want them."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from troth.api import Fields, Json, JsonObject, is_object

__all__ = ["Kubectl", "KubectlError"]

_LIMIT = 60  # seconds for a command


class KubectlError(Exception):
    """kubectl failed; the message is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl, as one user of one cluster.

    `flags` go with each command. What kubectl keeps for itself goes beside `kubeconfig`.
    """

    program: Path
    kubeconfig: Path
    flags: tuple[str, ...] = ()

    def acting_as(self, user: str, *groups: str) -> "Kubectl":
        """Return kubectl as another user, with that user's rights alone."""
        flags = (f"--as={user}", *(f"--as-group={group}" for group in groups))
        return replace(self, flags=flags)

    def run(self, *arguments: str, standard_input: str = "") -> str:
        """Run kubectl; return what it prints.

        Raises:
            KubectlError: it failed.
        """
        folder = self.kubeconfig.parent
        common = [f"--kubeconfig={self.kubeconfig}", f"--cache-dir={folder / 'kubectl-cache'}"]
        done = subprocess.run(
            [str(self.program), *common, *self.flags, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT,
        )
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip())
        return done.stdout

    def apply(self, *objects: JsonObject, dry_run: bool = False, server_side: bool = True) -> None:
        """Apply objects, in this order.

        Args:
            objects: what is to be there.
            dry_run: the API server only says whether it would take them.
            server_side: as Flux does; else as kubectl and Argo CD do unless told otherwise.

        Raises:
            KubectlError: the API server refused some; the others are applied.
        """
        flags = ["--server-side", "--force-conflicts"] if server_side else []
        flags += ["--dry-run=server"] if dry_run else []
        self.run("apply", *flags, "-f", "-", standard_input=_list_of(objects))

    def create(self, *objects: JsonObject) -> None:
        """Create objects, in this order.

        Raises:
            KubectlError: the API server refused some; the others are created.
        """
        self.run("create", "-f", "-", standard_input=_list_of(objects))

    def get(self, kind: str, name: str, namespace: str | None = None) -> JsonObject | None:
        """Return an object as the API server has it, or None."""
        where = () if namespace is None else (f"--namespace={namespace}",)
        text = self.run("get", kind, name, *where, "--ignore-not-found", "--output=json")
        if not text:
            return None
        found: Json = json.loads(text)
        assert is_object(found)
        return found

    def names(self, kind: str, namespace: str, selector: str = "") -> list[str]:
        """Return the names of the objects of a kind that have these labels."""
        flags = (f"--namespace={namespace}", f"--selector={selector}", "--output=name")
        return [line.partition("/")[2] for line in self.run("get", kind, *flags).split()]

    def secret(self, name: str, namespace: str) -> Mapping[str, bytes] | None:
        """Return what a Secret holds, decoded, or None where there is no such Secret."""
        found = self.get("secret", name, namespace)
        if found is None:
            return None
        data = Fields(found).mapping("data")
        return {key: base64.b64decode(str(value)) for key, value in data.items()}

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete an object and wait until it is gone, but not for what it owned.

        Raises:
            KubectlError: there is none, or it may not be deleted.
        """
        where = () if namespace is None else (f"--namespace={namespace}",)
        self.run("delete", kind, name, *where)


def _list_of(objects: tuple[JsonObject, ...]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
