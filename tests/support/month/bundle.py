"""The files of a platform team for a month: Promise, Destination, request, and the Secrets."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from support.minted import note_secret
from support.month.outside import SEALING_KEY, Outside
from support.synadia.visits import TOKEN
from support.workspace import ROOT

from troth.api import Json, JsonObject, dump_documents, load_object

__all__ = ["Bundle", "request_of"]

_PROMISE = ROOT / "promises" / "nats-user" / "promise.yaml"


def request_of(*, forced: bool = False) -> JsonObject:
    """Return the request: seven days a generation, renewed two days before, a day of overlap."""
    labels: dict[str, Json] = {"kratix.io/manual-reconciliation": "true"} if forced else {}
    return {
        "apiVersion": "marketplace.troth.dev/v1alpha1",
        "kind": "NatsUser",
        "metadata": {"name": "orders", "namespace": "default", "labels": labels},
        "spec": {
            "account": "cloud",
            "permissions": {
                "publish": {"allow": ["orders.>"]},
                "subscribe": {"allow": ["orders.>", "_INBOX.>"]},
            },
            "lifetime": "7d",
            "renewBefore": "2d",
            "overlap": "1d",
            "secret": {"name": "orders-nats", "serversKey": "servers", "jsonKey": "nats.json"},
        },
    }


@dataclass
class Bundle:
    """A folder with the files, and one with the Secrets as a Pod mounts them."""

    folder: Path
    outside: Outside
    version: int = 0

    @property
    def files(self) -> Path:
        return self.folder / "platform"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def secret_values(self) -> dict[str, dict[str, str]]:
        """The Secrets by name."""
        return {"nats-platform": {"token": TOKEN}, "troth-sealing": {"key": SEALING_KEY}}

    def write(self, *, forced: bool = False) -> None:
        """Write all of it."""
        for name, values in self.secret_values.items():
            mounted = self.secrets / "default" / name
            mounted.mkdir(parents=True, exist_ok=True)
            for key, value in values.items():
                mounted.joinpath(key).write_text(value)
                note_secret(f"{key} of {name}", value)
        self.files.joinpath("nats-user").mkdir(parents=True)
        self.write_promise()
        self.write_destination()
        self._write("request.yaml", request_of(forced=forced))

    def write_promise(self) -> None:
        """Write the Promise in its version: another of its label, its columns and an account."""
        self._write("nats-user/promise.yaml", self.promise)

    @property
    def promise(self) -> JsonObject:
        """The Promise as it ships, with the accounts of this month."""
        promise = json.loads(json.dumps(load_object(_PROMISE.read_text(), "promise.yaml")))
        promise["metadata"]["labels"]["kratix.io/promise-version"] = f"v0.1.{self.version}"
        column = {"name": f"V{self.version}", "type": "string", "jsonPath": ".status.user"}
        promise["spec"]["api"]["spec"]["versions"][0]["additionalPrinterColumns"].append(column)
        accounts = json.loads(self.outside.accounts)
        for number in range(self.version):
            accounts[f"other-{number}"] = accounts["cloud"]
        for pipelines in promise["spec"]["workflows"]["resource"].values():
            [container] = pipelines[0]["spec"]["containers"]
            container["env"][0]["value"] = json.dumps(accounts)
        return cast("JsonObject", promise)

    def write_destination(self) -> None:
        """Write the Destination with the controller's newest certificate."""
        certificate = self.outside.certificate.decode()
        destination: JsonObject = {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Destination",
            "metadata": {
                "name": "worker",
                "annotations": {"troth.dev/sealing-certificate": certificate},
            },
            "spec": {
                "path": "worker",
                "stateStoreRef": {"kind": "GitStateStore", "name": "any"},
            },
        }
        self._write("destination.yaml", destination)

    def _write(self, name: str, content: JsonObject) -> None:
        self.files.joinpath(name).write_bytes(dump_documents([content]))
