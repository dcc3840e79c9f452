"""A plain Secret on its way into a SealedSecret: read, judged, sealed, and nowhere kept."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Fields, JsonObject, load_object
from troth.api.labels import LAST_APPLIED, SEALED_FOR, TROTH_PREFIX
from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import PatchMode, Scope, Sealer, SecretShape, Target, sealed_secret

__all__ = ["PlainSecret"]

_SEALED_SECRETS = "sealedsecrets.bitnami.com/"


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """A Secret that is to be sealed.

    Attributes:
        name: empty where nothing says it.
        namespace: empty where nothing says it.
        values: the plain bytes, by key.
        shape: what the Secret is like besides.
        scope: how far what is sealed may be carried.
        mode: what becomes of a Secret that is there; None where its annotations contradict.
        immutable: whether the cluster lets nobody change it, once it is there.
    """

    name: str
    namespace: str
    values: Mapping[str, bytes] = field(repr=False)
    shape: SecretShape = field(default_factory=SecretShape)
    scope: Scope = Scope.STRICT
    mode: PatchMode | None = PatchMode.REPLACE
    immutable: bool = False

    @classmethod
    def parse(cls, content: bytes) -> "PlainSecret":
        """Read a Secret as ``kubectl create secret --dry-run=client -o yaml`` prints it.

        What the API server adds to one is left out, and so is kubectl's copy of it, which holds the
        values.

        Raises:
            InvalidInputError: it is none; the message says nothing of what stands in it.
        """
        try:
            root = Fields(load_object(content.decode(), "standard input"))
        except (InvalidInputError, UnicodeDecodeError):
            raise _unusable("it is no YAML or JSON of one object") from None
        if (root.raw.get("apiVersion"), root.raw.get("kind")) != ("v1", "Secret"):
            raise _unusable("it is no Secret (apiVersion v1)")
        try:
            return cls._read(root)
        except InvalidInputError as error:
            where = ".".join(map(str, error.field)) or "it"
            raise _unusable(f"{where} is not as a Secret has it") from None

    @classmethod
    def _read(cls, root: Fields) -> "PlainSecret":
        metadata = root.section("metadata")
        annotations = metadata.string_map("annotations")
        own = {key: text for key, text in annotations.items() if key.startswith(_SEALED_SECRETS)}
        others = {
            key: text
            for key, text in annotations.items()
            if key not in own and key != LAST_APPLIED and not key.startswith(TROTH_PREFIX)
        }
        kind = root.text("type", "Opaque")
        labels = dict(metadata.string_map("labels"))
        return cls(
            name=metadata.text("name", ""),
            namespace=metadata.text("namespace", ""),
            values={**_decoded(root), **_encoded(root)},
            shape=SecretShape(kind, labels, others),
            scope=Scope.of(own),
            mode=_mode(own),
            immutable=root.flag("immutable", default=False),
        )

    def seal(self, sealer: Sealer, destination: str | None, *, allow_empty: bool) -> JsonObject:
        """Return the SealedSecret.

        Args:
            sealer: seals.
            destination: the Destination that it is sealed for, None where that is nobody's
                business: then it does not say so.
            allow_empty: whether a value may be empty.

        Raises:
            InvalidInputError: a name is missing or none, or a value is.
            NotServedError, PermanentError, TransientError: as the sealer raises them.
        """
        for what in ("name", "namespace"):
            if not getattr(self, what):
                message = f"the Secret has no {what}, and it is sealed for one; give --{what}."
                raise InvalidInputError(Reason.INVALID_NAME, message)
        empty = sorted(key for key, value in self.values.items() if not value)
        if empty and not allow_empty:
            message = (
                f"the value of {', '.join(empty)} is empty, which is mostly a mistake (a file or "
                "variable that is not there); give --allow-empty if it is to be so."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        if self.mode is None:
            message = (
                "the annotations of the Secret below sealedsecrets.bitnami.com/ are those of no "
                "patch mode; give --patch-mode."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        target = Target(self.namespace, self.name, self.scope)
        # Judges keys, type and annotations, before anything is sealed.
        sealed_secret(target, "", dict.fromkeys(self.values, ""), self.shape, self.mode)
        values = {key: sealer.seal(value, target) for key, value in self.values.items()}
        made = sealed_secret(target, destination or "", values, self.shape, self.mode)
        metadata, spec = Fields(made).mapping("metadata"), Fields(made).mapping("spec")
        if destination is None:
            metadata = _without(metadata)
        if self.immutable:
            spec = {**spec, "template": {**Fields(spec).mapping("template"), "immutable": True}}
        return {**made, "metadata": metadata, "spec": spec}


def _without(metadata: JsonObject) -> JsonObject:
    """Return metadata that does not say for which Destination it is sealed."""
    annotations = Fields(metadata).mapping("annotations")
    left = {key: text for key, text in annotations.items() if key != SEALED_FOR}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**rest, "annotations": left} if left else rest


def _decoded(root: Fields) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    data = root.section("data")
    for key, text in root.string_map("data").items():
        try:
            found[key] = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise data.error(key, "base64 is needed here.") from None
    return found


def _encoded(root: Fields) -> dict[str, bytes]:
    return {key: text.encode() for key, text in root.string_map("stringData").items()}


def _mode(own: Mapping[str, str]) -> PatchMode | None:
    """Return the mode that a Secret's annotations stand for, None where they stand for none."""
    scopes = {key for scope in Scope for key in scope.annotations}
    wanted = {key: text for key, text in own.items() if key not in scopes}
    return next((mode for mode in PatchMode if mode.annotations == wanted), None)


def _unusable(problem: str) -> InvalidInputError:
    message = (
        f"the Secret on standard input cannot be sealed: {problem}. To seal one value that stands "
        "there by itself, say under which --key."
    )
    return InvalidInputError(Reason.INVALID_OBJECT, message)
