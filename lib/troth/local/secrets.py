"""Secrets as files, for runs without a cluster: folders as a Pod mounts them, or Secret objects.

``DIR/<namespace>/<name>/<key>`` is what a mounted Secret looks like, each key a file;
``DIR/<namespace>/<name>.yaml`` a Secret as ``kubectl get secret -o yaml`` prints it.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from troth.api import Fields, SecretRef, load_object
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
        """Return the Secret's values by key.

        Raises:
            InvalidInputError: there is none, it cannot be read, or it is there in both forms.
        """
        namespace, name = reference
        # Names become parts of a path; whoever made the reference need not have checked them.
        if problem := dns_label_problem(namespace) or dns_subdomain_problem(name):
            raise _unusable(reference, problem)
        folder = self._folder / namespace / name
        file = self._folder / namespace / f"{name}.yaml"
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
            f"Secret {name} not found in namespace {namespace}. Neither the folder {folder} nor "
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
    try:
        root = Fields(load_object(text, "secret"))
        metadata = root.section("metadata")
        named = (metadata.text("namespace", reference.namespace), metadata.text("name"))
        data, plain = root.string_map("data"), root.string_map("stringData")
    except InvalidInputError:
        # Not chained, and without the words: they may quote what is in the file.
        raise _unusable(reference, "its file is no YAML of one Secret with texts in it") from None
    if root.raw.get("kind") != "Secret" or named != reference:
        raise _unusable(reference, "its file holds an object of another kind, namespace or name")
    return {**_decoded(data, reference), **{key: text.encode() for key, text in plain.items()}}


def _decoded(data: Mapping[str, str], reference: SecretRef) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for key, text in data.items():
        try:
            found[key] = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _unusable(reference, f"data.{key} is no base64") from None
    return found


def _unusable(reference: SecretRef, why: str) -> InvalidInputError:
    message = f"Secret {reference} cannot be read: {why}."
    return InvalidInputError(Reason.INVALID_CREDENTIALS, message)
