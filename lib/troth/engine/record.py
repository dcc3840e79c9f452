"""The record of a request: all that has to be known of it when its file is gone.

Kept in the state store beside the files, one for each request, and opaque to the store. Written as
JSON, which is YAML too: people read and mend it as such, and ten thousand of them parse in well
under a second. No timestamp of a run stands in it; the moments it may hold are those at which a
request is tried again. The whole format is in docs/contract.md.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from troth.api import (
    Fields,
    Json,
    JsonObject,
    RequestKey,
    ResourceRequest,
    canonical,
    is_object,
    load_object,
)
from troth.api.labels import LAST_APPLIED
from troth.engine.placements import decode_placement, encode_placement
from troth.engine.routes import Traits
from troth.engine.suspension import Suspension, read_moment, spell_moment
from troth.engine.undone import SOMETHING
from troth.engine.values import ObjectVersion, Placement
from troth.errors import InvalidInputError, Reason, TrothError
from troth_statestore import Owner, record_key

__all__ = [
    "API_VERSION",
    "OUTPUTS_KEPT",
    "Record",
    "asked_of",
    "identity_of",
    "spelled_in",
    "version_of",
]

_GROUP = "troth.dev/"
API_VERSION = f"{_GROUP}v1alpha1"
"""What records are spelled in."""

_KIND = "Record"

# Digests of earlier outputs: as far back as a person's `git revert` is recognised as a rollback.
OUTPUTS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Record:
    """What the store remembers of one request.

    Attributes:
        asked: the request as it was given: apiVersion, kind, labels, annotations, spec.
        generation: counts changes of the spec.
        version: of the object that was fulfilled, None where it came from a file.
        inventory: who may remove it.
        roots: what was read to find it, sorted.
        promise_digest: the Promise's revision that served it last.
        input_digest: digest of what its output was rendered from; None when nothing was.
        outputs: digests of its last outputs, newest first.
        sealed: digest of the SealedSecrets of its newest output, None where it holds none.
        placements: where its files are; contents left out.
        leaving: where they were before they moved, as far as that is not cleaned yet.
        traits: what routes are decided by, of the Destinations where there is any.
        status: what its stages wrote.
        suspension: why and until when it is suspended, None when it is not.
        due: when its stages run again though nothing has changed, None for never.
        undone: what its stages were to do outside and could not, empty where all is done.
        protected: whether its removal has been forbidden by annotation.
        paused: whether nothing is to be done with it, by a label on it or on its Promise.
    """

    key: RequestKey
    asked: JsonObject
    generation: int
    inventory: str
    roots: tuple[str, ...]
    promise_digest: str
    input_digest: str | None
    outputs: tuple[str, ...]
    placements: tuple[Placement, ...]
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    status: Mapping[str, Json] = field(default_factory=dict[str, Json])
    suspension: Suspension | None = None
    protected: bool = False
    paused: bool = False
    sealed: str | None = None
    version: ObjectVersion | None = None
    leaving: tuple[Placement, ...] = ()
    due: datetime | None = None
    undone: str = ""

    def was_asked(self, asked: JsonObject) -> bool:
        """Tell whether it was made of this very request (to Python, 1 and true are equal)."""
        return self.asked == asked and canonical(self.asked) == canonical(asked)

    def is_due(self, now: datetime) -> bool:
        """Tell whether its stages want to run again though nothing has changed."""
        return self.due is not None and self.due <= now

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name of what was asked for."""
        group = str(self.asked["apiVersion"]).rpartition("/")[0]
        return group, str(self.asked["kind"]), self.key.namespace, self.key.name

    @property
    def spec(self) -> JsonObject:
        """The spec as it was given."""
        return Fields(self.asked).mapping("spec")

    @property
    def as_object(self) -> JsonObject:
        """The request, or the Promise, as an object, to be read by its view again."""
        asked = Fields(self.asked)
        metadata: dict[str, Json] = {
            "name": self.key.name or self.key.promise,
            "namespace": self.key.namespace,
            "labels": asked.mapping("labels"),
            "annotations": asked.mapping("annotations"),
        }
        kind: dict[str, Json] = {
            "apiVersion": asked.text("apiVersion"),
            "kind": asked.text("kind"),
        }
        return {**kind, "metadata": metadata, "spec": self.spec}

    def encode(self, home: str = "") -> bytes:
        """Spell the record, kept in the store `home`: the same record, the same bytes."""
        left: list[Json] = [encode_placement(one, home) for one in self.leaving]
        spelled: dict[str, Json] = {
            "apiVersion": API_VERSION,
            "kind": _KIND,
            "request": {**self.key._asdict(), **self.asked},
            "generation": self.generation,
            **({"object": self._spelled_version()} if self.version is not None else {}),
            "inventory": self.inventory,
            "roots": list(self.roots),
            "protected": self.protected,
            **({"paused": True} if self.paused else {}),
            "promiseDigest": self.promise_digest,
            "inputDigest": self.input_digest,
            "outputDigests": list(self.outputs),
            **({"sealedDigest": self.sealed} if self.sealed else {}),
            "placements": [encode_placement(placement, home) for placement in self.placements],
            **({"leaving": left} if left else {}),
            **self._spelled_traits(),
            "status": self.status,
            "suspension": self.suspension.encode() if self.suspension is not None else None,
            **({"reconcileAt": spell_moment(self.due)} if self.due is not None else {}),
            **({"unfinished": self.undone} if self.undone else {}),
        }
        return (json.dumps(spelled, indent=1, ensure_ascii=False) + "\n").encode()

    def _spelled_version(self) -> Json:
        version = self.version
        return None if version is None else {"uid": version.uid, "created": version.created}

    def _spelled_traits(self) -> dict[str, Json]:
        if not self.traits:
            return {}
        return {"routes": {name: self.traits[name].encode() for name in sorted(self.traits)}}

    @classmethod
    def decode(cls, content: bytes, key: str, home: str = "") -> "Record":
        """Read a record.

        Args:
            content: what stands in the store.
            key: where it stands there.
            home: the store's name in this run.

        Raises:
            InvalidInputError: it is no record that can be trusted (RecordUnreadable).
        """
        try:
            record = _decode(_parse(content, key), home)
            if record_key(Owner(*record.key)) != key:
                text = f"it is the record of {record.key}, at another's place."
                raise InvalidInputError(Reason.RECORD_UNREADABLE, text)
            return record  # noqa: TRY300  (one place says what an unreadable record means)
        except (TrothError, UnicodeError, RecursionError) as error:
            text = error.message if isinstance(error, TrothError) else str(error)
            message = (
                f"the record {key} in the state store cannot be read: {text} Until it can, this "
                "request is left alone."
            )
            raise InvalidInputError(Reason.RECORD_UNREADABLE, message) from error


def version_of(content: bytes) -> str | None:
    """Return the version of Troth's records that something is spelled in, None when in none."""
    spelled = spelled_in(content)
    version = str(spelled.get("apiVersion", ""))
    return version if spelled.get("kind") == _KIND and version.startswith(_GROUP) else None


def spelled_in(content: bytes) -> JsonObject:
    """Return what can be read of something that may be no record, nothing where nothing can."""
    try:
        return _parse(content, "")
    except (TrothError, UnicodeDecodeError, RecursionError):
        return {}


def identity_of(request: ResourceRequest) -> tuple[str, str, str, str]:
    """Return group, kind, namespace and name of a request, as `Record.identity` does."""
    return request.group, request.kind, request.namespace, request.name


def asked_of(request: ResourceRequest) -> JsonObject:
    """Return what a record keeps of a request as it was given."""
    annotations = {k: v for k, v in request.all_annotations.items() if k != LAST_APPLIED}
    return {
        "apiVersion": request.api_version,
        "kind": request.kind,
        "labels": request.labels,
        "annotations": annotations,
        "spec": request.spec,
    }


def _parse(content: bytes, key: str) -> JsonObject:
    try:
        parsed = cast("Json", json.loads(content, parse_constant=_finite, parse_float=_finite))
    except ValueError:
        return load_object(content.decode(), key)  # mended by hand, in YAML's other spelling
    if not is_object(parsed):
        raise InvalidInputError(Reason.RECORD_UNREADABLE, "it is no mapping.")
    if b"\\u" in content:  # nearly never: half a character may be spelled so, and nowhere written
        canonical(parsed)
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidInputError(Reason.RECORD_UNREADABLE, f"{number} is no number that JSON has.")
    return number


def _decode(raw: JsonObject, home: str) -> Record:
    fields = Fields(raw, reason=Reason.RECORD_UNREADABLE)
    if (fields.text("apiVersion"), fields.text("kind")) != (API_VERSION, _KIND):
        raise fields.error("apiVersion", f"{API_VERSION}, kind {_KIND}, is needed here.")
    request = fields.section("request")
    asked = {k: v for k, v in request.raw.items() if k not in RequestKey._fields}
    for name in ("labels", "annotations"):
        request.string_map(name)
    for name in ("apiVersion", "kind"):
        request.text(name)
    request.mapping("spec")
    if not fields.has("status"):  # each record is written with one, and nothing else holds it
        raise fields.error("status", "what the stages keep is needed here, {} for nothing.")
    generation = fields.value("generation")
    if not isinstance(generation, int):
        raise fields.error("generation", "a number is needed here.")
    return Record(
        key=_key(request),
        asked=asked,
        generation=generation,
        version=_decode_version(fields, generation),
        inventory=fields.text("inventory"),
        roots=fields.texts("roots"),
        protected=fields.flag("protected", default=False),
        paused=fields.flag("paused", default=False),
        promise_digest=fields.text("promiseDigest"),
        input_digest=fields.text("inputDigest") if fields.has("inputDigest") else None,
        outputs=fields.texts("outputDigests"),
        sealed=fields.text("sealedDigest") if fields.has("sealedDigest") else None,
        placements=tuple(decode_placement(item, home) for item in fields.items("placements")),
        leaving=tuple(decode_placement(item, home) for item in fields.items("leaving")),
        traits=_decode_traits(fields.section("routes")),
        status=fields.mapping("status"),
        suspension=(
            Suspension.decode(fields.section("suspension")) if fields.has("suspension") else None
        ),
        due=read_moment(fields, "reconcileAt"),
        undone=_decode_undone(fields),
    )


def _decode_undone(fields: Fields) -> str:
    """Read what is undone; earlier records say only that something is."""
    return SOMETHING if fields.value("unfinished") is True else fields.text("unfinished", "")


def _decode_version(fields: Fields, generation: int) -> ObjectVersion | None:
    if not fields.has("object"):
        return None
    known = fields.section("object")
    return ObjectVersion(known.text("uid"), generation, known.text("created"))


def _decode_traits(fields: Fields) -> dict[str, Traits]:
    return {name: Traits.decode(fields.section(name)) for name in fields.raw}


def _key(request: Fields) -> RequestKey:
    """Read who the record is of; a Promise's own has neither namespace nor name."""
    promise = request.text("promise")
    if request.value("namespace") == request.value("name") == "":
        return RequestKey.of_promise(promise)
    return RequestKey(request.text("namespace"), promise, request.text("name"))
