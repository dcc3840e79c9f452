"""Every error Troth raises on purpose, in one tree.

The branch says who must act next::

    TrothError
    ├── PermanentError            a person: trying again changes nothing
    │   ├── InvalidInputError     an object, a file or an option is wrong
    │   ├── NotServedError        it is right, but nothing here serves it
    │   ├── OutputRefusedError    what a stage rendered may not be written
    │   ├── StageError            a stage failed, hung, crashed or ate memory
    │   ├── HeldError             another request holds what this one asks for
    │   ├── UnscheduledError      no Destination matches
    │   ├── StoreError            the state store refuses, or its content is not trusted
    │   │   └── WriteRefusedError for what is to be written, or a part of it; less may be taken
    │   └── FaultError            Troth itself is at fault
    └── TransientError            time: the same call may succeed later
        └── WaitingError          something else has to be made first

Misuse of a function by a programmer is a ``ValueError`` or ``TypeError`` and no part of the tree.
Each error carries a `Reason`, the CamelCase word that reports show and docs/errors.md explains.
Messages name the thing, what is wrong with it, what was found and what to do; they never hold a
secret, and of foreign text at most `FOREIGN_TEXT_LIMIT` characters.
"""

import traceback
from enum import StrEnum
from pathlib import Path
from typing import Self

__all__ = [
    "FOREIGN_TEXT_LIMIT",
    "FaultError",
    "HeldError",
    "InvalidInputError",
    "NotServedError",
    "OutputRefusedError",
    "PermanentError",
    "Reason",
    "StageError",
    "StoreError",
    "TransientError",
    "TrothError",
    "UnscheduledError",
    "WaitingError",
    "WriteRefusedError",
    "shorten",
]

# Characters of a remote's or a stage's own text that a message may quote: enough for a hook's
# sentence, too little for a dump.
FOREIGN_TEXT_LIMIT = 2000


class Reason(StrEnum):
    """Why something is as it is: one word for reports, conditions and docs/errors.md."""

    AMBIGUOUS_IDENTITY = "AmbiguousIdentity"
    CERTIFICATE_UNREACHABLE = "CertificateUnreachable"
    CERTIFICATE_UNUSABLE = "CertificateUnusable"
    CLUSTER_REFUSED = "ClusterRefused"
    CLUSTER_UNREACHABLE = "ClusterUnreachable"
    CREATED = "Created"
    CREDENTIAL_LOST = "CredentialLost"
    DELETION_BUDGET = "DeletionBudget"
    DELETION_PROTECTED = "DeletionProtected"
    DESTINATION_GONE = "DestinationGone"
    DESTINATION_SELECTOR_MISMATCH = "DestinationSelectorMismatch"
    DRIFTED = "Drifted"
    DRIFT_PUT_BACK = "DriftPutBack"
    DUPLICATE_OBJECT = "DuplicateObject"
    EFFECTS_UNDONE = "EffectsUndone"
    HISTORY_REWRITTEN = "HistoryRewritten"
    HOST_NOT_TRUSTED = "HostNotTrusted"
    IMAGE_NOT_SERVED = "ImageNotServed"
    INCOMPLETE_RUN = "IncompleteRun"
    INTERNAL_ERROR = "InternalError"
    INVALID_CREDENTIALS = "InvalidCredentials"
    INVALID_DESTINATION_SELECTORS = "InvalidDestinationSelectors"
    INVALID_NAME = "InvalidName"
    INVALID_OBJECT = "InvalidObject"
    INVALID_STATUS = "InvalidStatus"
    INVALID_TEMPLATE = "InvalidTemplate"
    INVALID_WORKFLOW_CONTROL = "InvalidWorkflowControl"
    INVALID_YAML = "InvalidYAML"
    KEY_REPLACED = "KeyReplaced"
    LEASE_LOST = "LeaseLost"
    NOT_AN_OBJECT = "NotAnObject"
    NO_MATCHING_DESTINATION = "NoMatchingDestination"
    OBJECT_HELD = "ObjectHeld"
    OTHER_INVENTORY = "OtherInventory"
    OTHER_ROOTS = "OtherRoots"
    OUTSIDE_FENCE = "OutsideFence"
    PARENT_NOT_FOUND = "ParentNotFound"
    PATH_HELD = "PathHeld"
    PAUSED = "Paused"
    PIPELINE_NOT_SERVED = "PipelineNotServed"
    PLAIN_SECRET = "PlainSecret"  # noqa: S105  (a reason's name)
    PROMISE_INVALID = "PromiseInvalid"
    PROMISE_IN_USE = "PromiseInUse"
    PROMISE_NOT_FOUND = "PromiseNotFound"
    PROMISE_UNAVAILABLE = "PromiseUnavailable"
    PROVIDER_ANSWER_INVALID = "ProviderAnswerInvalid"
    PROVIDER_BUSY = "ProviderBusy"
    PROVIDER_REFUSED = "ProviderRefused"
    PROVIDER_UNREACHABLE = "ProviderUnreachable"
    RECORD_REPAIRED = "RecordRepaired"
    RECORD_UNREADABLE = "RecordUnreadable"
    REMOVED = "Removed"
    REQUIREMENTS_NOT_FULFILLED = "RequirementsNotFulfilled"
    REVERTED = "Reverted"
    ROUTE_HELD = "RouteHeld"
    ROUTE_NOT_ALLOWED = "RouteNotAllowed"
    SCHEMA_VIOLATION = "SchemaViolation"
    SEALED_FOR_ANOTHER = "SealedForAnother"
    SEALED_VALUE = "SealedValue"
    SEALER_FAILED = "SealerFailed"
    SEALING_KEY_UNUSABLE = "SealingKeyUnusable"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105  (a reason's name)
    SIGNING_KEY_UNUSABLE = "SigningKeyUnusable"
    STAGE_CRASHED = "StageCrashed"
    STAGE_FAILED = "StageFailed"
    STAGE_NOT_FOUND = "StageNotFound"
    STAGE_OUT_OF_MEMORY = "StageOutOfMemory"
    STAGE_TIMEOUT = "StageTimeout"
    STATE_STORE_BUSY = "StateStoreBusy"
    STATE_STORE_REFUSED = "StateStoreRefused"
    STATE_STORE_UNREACHABLE = "StateStoreUnreachable"
    STATE_STORE_UNSUPPORTED = "StateStoreUnsupported"
    SUPERSEDED = "Superseded"
    SYNC_FIRST = "SyncFirst"
    TOO_LARGE = "TooLarge"
    UNKNOWN_KIND = "UnknownKind"
    UNKNOWN_OUTPUT = "UnknownOutput"
    UNOWNED = "Unowned"
    UNSAFE_PATH = "UnsafePath"
    UNSAFE_SWITCH = "UnsafeSwitch"
    UNSTABLE = "Unstable"
    UPDATED = "Updated"
    UP_TO_DATE = "UpToDate"
    WORKFLOW_SUSPENDED = "WorkflowSuspended"


class TrothError(Exception):
    """Something Troth could not do, and says so.

    Args:
        reason: the word for reports.
        message: full sentences for a person; no secrets.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def about(self, what: str) -> Self:
        """Return the same error with a message that begins with what it is about."""
        error = type(self).__new__(type(self))
        error.__dict__.update(self.__dict__)
        error.message = f"{what}: {self.message}"
        error.args = (error.message,)
        return error


class PermanentError(TrothError):
    """A person must act; trying again changes nothing."""


class InvalidInputError(PermanentError):
    """An object, a file or an option is wrong.

    Args:
        reason: the word for reports.
        message: full sentences for a person; no secrets.
        field: where in the object, as keys and indexes from its root; empty when it is all of it.
    """

    def __init__(self, reason: Reason, message: str, field: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason, message)
        self.field = field


class NotServedError(PermanentError):
    """It may well be right, but nothing here serves it."""


class OutputRefusedError(PermanentError):
    """What a stage rendered may not be written."""


class StageError(PermanentError):
    """A stage failed, hung, crashed, or ate more than its share."""


class HeldError(PermanentError):
    """Another request holds what this one asks for.

    Args:
        reason: the word for reports.
        message: full sentences for a person; no secrets.
        holder: namespace, Promise and name of the request that holds it, where it is one.
    """

    def __init__(
        self, reason: Reason, message: str, holder: tuple[str, str, str] | None = None
    ) -> None:
        super().__init__(reason, message)
        self.holder = holder


class UnscheduledError(PermanentError):
    """No Destination matches the selectors, or the one that did is not given any more."""


class StoreError(PermanentError):
    """The state store refuses the write, or holds something that cannot be trusted."""


class WriteRefusedError(StoreError):
    """The state store refuses what is to be written, or a part of it: less may be taken."""


class FaultError(PermanentError):
    """Troth itself is at fault: an exception that nobody foresaw.

    It stops what it happened to and nothing else. The message names the exception's type and place,
    not its text, in which anything may stand.
    """

    @classmethod
    def of(cls, error: Exception) -> "FaultError":
        """Make one of an unforeseen exception."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
        message = (
            f"a fault of Troth itself ({type(error).__name__} at {place}); please report it, with "
            "what `troth --debug` prints."
        )
        return cls(Reason.INTERNAL_ERROR, message)


class TransientError(TrothError):
    """The same call may succeed later, with nobody doing anything.

    Args:
        reason: the word for reports.
        message: full sentences for a person; no secrets.
        retry_after: seconds before which it is of no use to try again; None when nothing is known.
    """

    def __init__(self, reason: Reason, message: str, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class WaitingError(TransientError):
    """Something else has to be made first, by another request or by hand."""


def shorten(text: str, limit: int = FOREIGN_TEXT_LIMIT) -> str:
    """Cut foreign text for a message, keeping its end, where programs put what went wrong."""
    text = text.strip()
    return text if len(text) <= limit else "…" + text[-limit:]
