"""The labels and annotations that mean something, spelled once."""

from collections.abc import Mapping

__all__ = [
    "ALLOW_DELETIONS",
    "ALLOW_PLAIN_SECRETS",
    "COMMIT",
    "CONTROL_LABELS",
    "DELEGATIONS",
    "DELETION_BUDGET",
    "DELETION_PROTECTION",
    "EXTERNAL",
    "FENCE",
    "KRATIX_GROUP",
    "KRATIX_VERSION",
    "LAST_APPLIED",
    "MANUAL_RECONCILIATION",
    "PAUSED",
    "PROMISE_NAME",
    "PROMISE_VERSION",
    "PUSHES_PER_MINUTE",
    "PUSH_BURST",
    "READER",
    "RECONCILE_RESOURCES",
    "SEALED_FOR",
    "SEALING_ACCESS",
    "SEALING_CERTIFICATE",
    "SEALING_EPOCH",
    "SEALS_FOR",
    "SECRETS_NAMESPACE",
    "SIGNING_KEY",
    "TROTH_PREFIX",
    "WORKFLOW_SUSPENDED",
    "visible_annotations",
    "visible_labels",
]

KRATIX_GROUP = "platform.kratix.io"
KRATIX_VERSION = "v1alpha1"

MANUAL_RECONCILIATION = "kratix.io/manual-reconciliation"
PAUSED = "kratix.io/paused"
PROMISE_NAME = "kratix.io/promise-name"
PROMISE_VERSION = "kratix.io/promise-version"
RECONCILE_RESOURCES = "kratix.io/reconcile-resources"
WORKFLOW_SUSPENDED = "kratix.io/workflow-suspended"

# Labels by which people steer a reconcile; they are no part of what is asked for.
CONTROL_LABELS = frozenset(
    {
        MANUAL_RECONCILIATION,
        PAUSED,
        "internal.workflows.kratix.io/run-from-start",
        RECONCILE_RESOURCES,
        WORKFLOW_SUSPENDED,
    }
)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TROTH_PREFIX = "troth.dev/"
FENCE = "troth.dev/fence"
EXTERNAL = "troth.dev/external"
DELEGATIONS = "troth.dev/delegations"  # of a rendered Gateway or ListenerSet
COMMIT = "troth.dev/commit"
READER = "troth.dev/reader"
SEALED_FOR = "troth.dev/sealed-for"  # of a rendered SealedSecret: a Destination's name
SIGNING_KEY = "troth.dev/signing-key"
SEALING_ACCESS = "troth.dev/sealing-access"  # of a Destination, as the next two
SEALING_CERTIFICATE = "troth.dev/sealing-certificate"
SEALING_EPOCH = "troth.dev/sealing-epoch"
SEALS_FOR = "troth.dev/seals-for"  # of a Promise
ALLOW_PLAIN_SECRETS = "troth.dev/allow-plain-secrets"
SECRETS_NAMESPACE = "troth.dev/secrets-namespace"  # of a Promise
DELETION_PROTECTION = "troth.dev/deletion-protection"

# Of a GitStateStore; what they say is read in `store_policy`.
PUSHES_PER_MINUTE = "troth.dev/pushes-per-minute"
PUSH_BURST = "troth.dev/push-burst"
DELETION_BUDGET = "troth.dev/deletion-budget"
ALLOW_DELETIONS = "troth.dev/allow-deletions"


def visible_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels a stage may see: all but those that steer."""
    return {key: value for key, value in labels.items() if key not in CONTROL_LABELS}


def visible_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations a stage may see: neither kubectl's copy of the object nor ours."""
    return {
        key: value
        for key, value in annotations.items()
        if key != LAST_APPLIED and not key.startswith(TROTH_PREFIX)
    }
