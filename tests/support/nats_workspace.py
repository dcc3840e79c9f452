"""A folder with the Promise ``nats-user``, its accounts, a Destination, Secrets and a store."""

import json
from collections.abc import Mapping
from pathlib import Path

from support.nats_users import SECRETS
from support.sealing import certificate_pem, private_key
from support.workspace import ROOT, Workspace

from troth.api import JsonObject

__all__ = ["SECRETS_DIR", "ask", "destination", "give_secrets", "nats_workspace"]

SECRETS_DIR = ("--secrets-dir", "secrets")


def nats_workspace(folder: Path, accounts: Mapping[str, JsonObject]) -> Workspace:
    """Make one, without requests; Secrets are those of the namespace ``default``."""
    workspace = Workspace(folder)
    text = (ROOT / "promises/nats-user/promise.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("value: |\n")
    _, mark, tail = rest.partition("- name: NATS_APPS_KEY")
    workspace.write(
        "promise.yaml", f"{head}value: '{json.dumps(accounts)}'\n{' ' * 18}{mark}{tail}"
    )
    certificate = certificate_pem(private_key()).decode()
    workspace.write("requests/destination.yaml", destination(certificate))
    give_secrets(workspace, "default")
    return workspace


def give_secrets(workspace: Workspace, namespace: str) -> None:
    """Lay the Secrets of a namespace."""
    workspace.write(f"secrets/{namespace}/nats-platform/token", SECRETS["TOKEN"])
    workspace.write(f"secrets/{namespace}/troth-sealing/key", SECRETS["TROTH_SEALING_KEY"])


def destination(certificate: str, **annotations: str) -> JsonObject:
    """Return the Destination that all goes to."""
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Destination",
        "metadata": {
            "name": "worker",
            "annotations": {"troth.dev/sealing-certificate": certificate, **annotations},
        },
        "spec": {"path": "worker", "stateStoreRef": {"kind": "GitStateStore", "name": "any"}},
    }


def ask(
    workspace: Workspace,
    name: str,
    *,
    of: str = "apps",
    home: str = "default",
    into: str = "nats",
    **secret: str,
) -> Path:
    """Write a request for a user of an account, in a namespace, and into a Secret."""
    return workspace.write(
        f"requests/{name}.yaml",
        {
            "apiVersion": "marketplace.troth.dev/v1alpha1",
            "kind": "NatsUser",
            "metadata": {"name": name, "namespace": home},
            "spec": {"account": of, "secret": {"name": into, **secret}},
        },
    )
