"""The real kubeseal, and the SealedSecrets that tests make with it and then change."""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from support.gateway_objects import set_at
from support.tools import require

from troth.api import Json, JsonObject, is_object

__all__ = ["annotated", "changed", "kubeseal", "secret"]

_LIMIT = 60  # seconds
_TEMPLATE = ("spec", "template", "metadata")


def kubeseal(plain: JsonObject, certificate: bytes, scope: str = "strict") -> JsonObject:
    """Return the SealedSecret of a Secret that has a namespace."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.pem"
        path.write_bytes(certificate)
        done = subprocess.run(
            [require("kubeseal"), f"--cert={path}", f"--scope={scope}", "--format=json"],
            env={"PATH": os.environ["PATH"], "HOME": folder},
            input=json.dumps(plain),
            capture_output=True,
            text=True,
            check=True,
            timeout=_LIMIT,
        )
    found: Json = json.loads(done.stdout)
    assert is_object(found)
    return found


def secret(name: str, namespace: str, data: Mapping[str, bytes]) -> JsonObject:
    """Return a Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def changed(sealed: JsonObject, *path: str, to: Json) -> JsonObject:
    """Return a copy in which the value at `path` is another; missing parts are made."""
    copy = set_at(sealed, *path, to=to)
    assert is_object(copy)
    return copy


def annotated(sealed: JsonObject, **annotations: str) -> JsonObject:
    """Return a copy whose template has these annotations of Sealed Secrets, added to others.

    ``skip_set_owner_references="true"`` stands for ``.../skip-set-owner-references: "true"``.
    """
    for name, value in annotations.items():
        key = f"sealedsecrets.bitnami.com/{name.replace('_', '-')}"
        sealed = changed(sealed, *_TEMPLATE, "annotations", key, to=value)
    return sealed
