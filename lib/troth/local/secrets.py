"""Secrets as files, for runs without a cluster: folders as a Pod mounts them, or Secret objects.

``DIR/<namespace>/<name>/<key>`` is what a mounted Secret looks like, each key a file;
``DIR/<namespace>/<name>.yaml`` a Secret as ``kubectl get secret -o yaml`` prints it. ConfigMaps
stand beside them as ``<name>.configmap``: one may have the name of a Secret.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from troth.api import Fields, SecretKind, SecretRef, load_object
from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.errors import InvalidInputError, Reason

__all__ = ["SecretsFolder"]

# A mounted Secret is a link to a folder with all keys of one moment; the link is swapped when the
# Secret changes. Format: AtomicWriter of Kubernetes' pkg/volume/util.
_MOMENT = "..data"

# How often a Secret is read again that was swapped meanwhile.
_ATTEMPTS = 3


class SecretsFolder:
    """Secrets below one folder, read anew each time they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        """Return the values of a Secret or ConfigMap by key.

        Raises:
            InvalidInputError: there is none, it cannot be read, or it is there in both forms.
        """
        namespace, name, kind = reference
        # Names become parts of a path; whoever made the reference need not have checked them.
        if problem := dns_label_problem(namespace) or dns_subdomain_problem(name):
            raise _unusable(reference, problem)
        base = name if kind is SecretKind.SECRET else f"{name}.configmap"
        folder = self._folder / namespace / base
        file = self._folder / namespace / f"{base}.yaml"
        try:
            if folder.is_dir() and file.exists():
                raise _unusable(reference, f"there are both {folder} and {file}; keep one")
            if folder.is_dir():
                return _of_folder(folder)
            if file.exists():
                return _of_object(file.read_text(encoding="utf-8"), reference)
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no text in UTF-8"
            raise _unusable(reference, f"below {self._folder}: {why}") from None
        # The first sentence is Kratix's.
        message = (
            f"{kind} {name} not found in namespace {namespace}. Neither the folder {folder} nor "
            f"the file {file} is there."
        )
        raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)


def _of_folder(folder: Path) -> Mapping[str, bytes]:
    for attempt in range(1, _ATTEMPTS + 1):
        moment = folder / _MOMENT
        at = moment.resolve() if moment.exists() else folder
        try:
            return {
                key.name: key.read_bytes()
                for key in sorted(at.iterdir())
                if key.is_file() and not key.name.startswith("..")
            }
        except FileNotFoundError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("the loop returns or raises")


def _of_object(text: str, reference: SecretRef) -> Mapping[str, bytes]:
    is_config = reference.kind is SecretKind.CONFIG_MAP
    try:
        root = Fields(load_object(text, "secret"))
        metadata = root.section("metadata")
        named = (metadata.text("namespace", reference.namespace), metadata.text("name"))
        spelled = ("binaryData", "data") if is_config else ("data", "stringData")
        data, plain = (root.string_map(field) for field in spelled)
    except InvalidInputError:
        # Not chained, and without the words: they may quote what is in the file.
        text = f"its file is no YAML of one {reference.kind} with texts in it"
        raise _unusable(reference, text) from None
    if root.raw.get("kind") != reference.kind or named != reference[:2]:
        raise _unusable(reference, "its file holds an object of another kind, namespace or name")
    return {**_decoded(data, reference), **{key: text.encode() for key, text in plain.items()}}


def _decoded(data: Mapping[str, str], reference: SecretRef) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for key, text in data.items():
        try:
            found[key] = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _unusable(reference, f"the value of {key} is no base64") from None
    return found


def _unusable(reference: SecretRef, why: str) -> InvalidInputError:
    message = f"{reference.kind} {reference} cannot be read: {why}."
    return InvalidInputError(Reason.INVALID_CREDENTIALS, message)
