"""Admit: is this request one that its Promise serves, and is it right?"""

from troth.api import (
    Json,
    JsonObject,
    Kind,
    Promise,
    RequestKey,
    RequestSchema,
    ResourceRequest,
)
from troth.engine.check import check_request
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.record import asked_of
from troth.engine.values import Origin, Submission, World
from troth.errors import InvalidInputError, Reason

__all__ = ["Admission", "object_of"]


class Admission:
    """Finds the Promise of a request and validates it; schemas are made ready once.

    Args:
        world: the Promises.
        ledger: what is remembered; a request that was right under the same revision of its
            Promise is not judged again.
    """

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._ledger = ledger
        self._offers: dict[Kind, Promise] = {}
        for promise in world.promises.values():
            if promise.api is not None:
                self._offers[Kind(promise.api.group, promise.api.kind)] = promise
        self._schemas: dict[tuple[str, str], RequestSchema] = {}

    def admit(self, submission: Submission) -> Draft:
        """Return the request with its Promise and its record.

        Raises:
            InvalidInputError: no Promise offers its kind, it does not fit the schema (every
                violation is named with its line), or its record cannot be read.
            OutputRefusedError: it holds a secret, which its record would copy.
        """
        request, origin = submission.request, submission.origin
        promise = self.promise_of(request)
        if promise is None or promise.api is None:
            message = (
                f"{origin.where(('kind',))}: no Promise offers kind {request.kind} of group "
                f"{request.group!r}; {self._advice(request)}."
            )
            raise InvalidInputError(Reason.PROMISE_NOT_FOUND, message)
        schema = promise.api.schemas.get(request.version)
        if schema is None:
            served = ", ".join(sorted(promise.api.schemas))
            message = (
                f"{origin.where(('apiVersion',))}: Promise {promise.name} serves {request.kind} "
                f"in version {served}, not in {request.version!r}."
            )
            raise InvalidInputError(Reason.SCHEMA_VIOLATION, message)
        ready = self._schema(promise, request.version, schema)
        spec = ready.fill(request.spec)
        key = RequestKey(request.namespace, promise.name, request.name)
        entry = self._ledger.find(key)
        record = entry.record if entry is not None else None
        asked = asked_of(request)
        if record is None or not record.was_asked(asked) or record.promise_digest != promise.digest:
            _validate(ready, spec, origin)
            check_request(asked)
        return Draft(key, submission, promise, object_of(request, spec), asked, entry)

    def admit_promise(self, submission: Submission, promise: Promise) -> Draft:
        """Return a Promise as a request of itself, with its record.

        Raises:
            InvalidInputError: its record cannot be read.
        """
        key = RequestKey.of_promise(promise.name)
        entry = self._ledger.find(key)
        asked = asked_of(submission.request)
        shown = object_of(submission.request, submission.request.spec)
        return Draft(key, submission, promise, shown, asked, entry)

    def _advice(self, request: ResourceRequest) -> str:
        kinds = sorted(kind.kind for kind in self._offers if kind.group == request.group)
        if kinds:
            return f"that group has {', '.join(kinds)}"
        return "give the Promise too"

    def promise_of(self, request: ResourceRequest) -> Promise | None:
        """Return the Promise that offers a request's kind, None when none does."""
        return self._offers.get(Kind(request.group, request.kind))

    def key_of(self, request: ResourceRequest) -> RequestKey | None:
        """Return who a request is, None when no Promise offers its kind."""
        promise = self.promise_of(request)
        return RequestKey(request.namespace, promise.name, request.name) if promise else None

    def _schema(self, promise: Promise, version: str, schema: JsonObject) -> RequestSchema:
        known = (promise.digest, version)
        if known not in self._schemas:
            self._schemas[known] = RequestSchema(schema)
        return self._schemas[known]


def _validate(schema: RequestSchema, spec: JsonObject, origin: Origin) -> None:
    if violations := schema.violations(spec):
        lines = [f"{origin.where(found.field)}: {found.message}" for found in violations]
        raise InvalidInputError(Reason.SCHEMA_VIOLATION, "\n".join(lines))


def object_of(request: ResourceRequest, spec: JsonObject) -> JsonObject:
    """Return what object.yaml says of a request, apart from generation and status."""
    metadata: dict[str, Json] = {"name": request.name}
    if request.namespace:
        metadata["namespace"] = request.namespace
    if request.labels:
        metadata["labels"] = dict(sorted(request.labels.items()))
    if request.annotations:
        metadata["annotations"] = dict(sorted(request.annotations.items()))
    return {
        "apiVersion": request.api_version,
        "kind": request.kind,
        "metadata": metadata,
        "spec": spec,
    }
