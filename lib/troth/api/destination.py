"""The view of a Destination: where output goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from troth.api.git_state_store import StoreRef, store_path
from troth.api.json_values import Fields, JsonObject
from troth.api.labels import READER, SEALING_ACCESS, SEALING_CERTIFICATE, SEALING_EPOCH
from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.api.secrets import SecretRef
from troth.errors import InvalidInputError

__all__ = ["Destination", "Layout", "Reader", "same_place"]


# What Kratix fills in where spec.filepath.filename is missing.
_FILENAME = "aggregated.yaml"


class Layout(StrEnum):
    """How files lie below a Destination's path (spec.filepath.mode)."""

    NESTED = "nestedByMetadata"
    AGGREGATED = "aggregatedYAML"
    NONE = "none"


class Reader(StrEnum):
    """What reads a Destination (annotation troth.dev/reader), which decides what is checked."""

    ARGOCD = "argocd"
    FLUX = "flux"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Destination:
    """One place that output may be scheduled to.

    `path` lies below the state store's path, without slashes at its ends. `store` is None, and
    `takes_all` set, for the Destination that is assumed when none is given. `filename` is where
    the layout ``aggregatedYAML`` keeps everything, below `path`. `canaries` says whether the files
    that show an agent's being at work are wanted; None when nothing is said about them.
    `certificate` says where the certificate is that secrets are sealed with for it, and
    `sealing_access` names the Secret with what lets in there; `sealing_epoch` is another text when
    the controller there has lost the keys it had.
    """

    name: str
    labels: Mapping[str, str]
    path: str
    store: StoreRef | None
    layout: Layout = Layout.NESTED
    strict: bool = False
    reader: Reader = Reader.ARGOCD
    takes_all: bool = False
    filename: str = _FILENAME
    canaries: bool | None = None
    certificate: str | None = None
    sealing_epoch: str = ""
    sealing_access: SecretRef | None = None

    @classmethod
    def parse(cls, raw: JsonObject) -> "Destination":
        """Read a Destination. Raises InvalidInputError, with Kratix's words where it has some."""
        root = Fields(raw)
        metadata, spec = root.section("metadata"), root.section("spec")
        name = metadata.text("name")
        if problem := dns_subdomain_problem(name):
            raise metadata.error("name", f"{problem}.")
        if not spec.has("path") or not spec.text("path", ""):
            raise spec.error("path", "path field is required")
        if not spec.has("stateStoreRef"):
            raise spec.error("stateStoreRef", "stateStoreRef field is required")
        reference = spec.section("stateStoreRef")
        filepath, canaries = spec.section("filepath"), spec.section("initWorkloads")
        mode = filepath.text("mode", Layout.NESTED)
        if mode not in set(Layout):
            raise filepath.error("mode", f"{mode!r} is none of {_choices(Layout)}.")
        annotations = metadata.string_map("annotations")
        return cls(
            name=name,
            labels=metadata.string_map("labels"),
            path=store_path(spec),
            store=StoreRef(reference.text("kind"), reference.text("name")),
            layout=Layout(mode),
            strict=spec.flag("strictMatchLabels", default=False),
            reader=_reader(metadata),
            filename=_filename(filepath, _reader(metadata)),
            canaries=canaries.flag("enabled", default=False) if canaries.has("enabled") else None,
            certificate=annotations.get(SEALING_CERTIFICATE),
            sealing_epoch=annotations.get(SEALING_EPOCH, ""),
            sealing_access=_access(metadata),
        )


def _reader(metadata: Fields) -> Reader:
    reader = metadata.string_map("annotations").get(READER, Reader.ARGOCD)
    if reader not in set(Reader):
        raise metadata.section("annotations").error(
            READER, f"{reader!r} is none of {_choices(Reader)}."
        )
    return Reader(reader)


def _access(metadata: Fields) -> SecretRef | None:
    text = metadata.string_map("annotations").get(SEALING_ACCESS)
    if text is None:
        return None
    namespace, slash, name = text.partition("/")
    problem = (
        dns_label_problem(namespace) or dns_subdomain_problem(name) if slash else "it has no /"
    )
    if problem:
        message = f"{text[:80]!r} names no Secret as NAMESPACE/NAME: {problem}."
        raise metadata.section("annotations").error(SEALING_ACCESS, message)
    return SecretRef(namespace, name)


def _filename(filepath: Fields, reader: Reader) -> str:
    if not filepath.has("filename") or not filepath.text("filename", ""):
        return _FILENAME
    name = store_path(filepath, "filename")
    if not name or name.startswith((".kratix/", "kratix-canary-")):
        raise filepath.error("filename", "the name of a file is needed here.")
    if reader is not Reader.FILES and not name.endswith((".yaml", ".yml")):
        message = f"only .yaml and .yml files are read by Argo CD and Flux alike, not {name!r}."
        raise filepath.error("filename", message)
    return name


def _choices(values: type[StrEnum]) -> str:
    return ", ".join(values)


def same_place(first: Destination, second: Destination) -> InvalidInputError | None:
    """Return the error when one Destination would write into the folders of the other.

    Kratix refuses equal paths only; a path within another's ``resources`` or ``dependencies``
    lies in a folder that belongs to one of its requests, or Promises, and in the layout ``none``
    any path below may be one of its files.
    """
    if first.store != second.store:
        return None
    outer, inner = sorted((first, second), key=lambda one: len(one.path))
    prefix = f"{outer.path}/" if outer.path else ""
    folders = ("",) if outer.layout is Layout.NONE else ("resources/", "dependencies/")
    inside = any(f"{inner.path}/".startswith(prefix + folder) for folder in folders)
    if outer.path != inner.path and not inside:
        return None
    store = second.store.name if second.store else "default"
    return Fields({}, ("spec",)).error(
        "path", f"destination path '{second.path}' already exists for state store '{store}'"
    )
