"""The kinds of state stores: repositories and buckets. The Secrets they name are plain Secrets."""

from troth.api.crds._definition import READY, Column, Definition
from troth.api.crds._paths import store_path_text
from troth.api.crds._schema import (
    OPEN,
    Schema,
    choice,
    conditions,
    flag,
    record,
    rule,
    secret_ref,
    text,
    whole,
)

__all__ = ["BUCKET_STATE_STORE", "GIT_STATE_STORE"]

_URL_LENGTH = 2048
_AUTHOR_LENGTH = 256


_AUTHOR = rule("!self.matches('[<>\\\\n]')", "'<', '>' and line ends have no place in an author")
_NO_PASSWORD = rule(
    "!self.matches('^[A-Za-z][-+.A-Za-z0-9]*://[^/@]*:[^/]*@')",
    "a password has no place in a URL; name a Secret in secretRef",
)


def _status() -> Schema:
    return record(
        {
            "status": text("Ready or NotReady."),
            "conditions": conditions(),
            "observedGeneration": whole("The generation that all of this is about."),
            "troth": record({}, "What Troth keeps for itself.", more=OPEN),
        },
        "How it is; written by the controller alone.",
    )


def _author() -> Schema:
    part = text(rules=[_AUTHOR], maxLength=_AUTHOR_LENGTH)
    return record(
        {"name": part, "email": part},
        "Who makes the commits.",
        more={"default": {"name": "kratix"}},
    )


GIT_STATE_STORE = Definition(
    kind="GitStateStore",
    plural="gitstatestores",
    about="A Git repository that Destinations keep their files in.",
    fields={
        "spec": record(
            {
                "url": text(
                    "Where the repository is.",
                    rules=[_NO_PASSWORD],
                    maxLength=_URL_LENGTH,
                ),
                "branch": text("The branch that agents read.", default="main"),
                "path": store_path_text("A folder in the repository."),
                "authMethod": choice(
                    ("basicAuth", "ssh", "githubApp"),
                    "How the host lets us in.",
                    default="basicAuth",
                ),
                "secretRef": secret_ref(
                    "The Secret with the login; in the namespace default where it names none."
                ),
                "gitAuthor": _author(),
            },
            "Where the repository is, and how it is entered.",
        ),
        "status": _status(),
    },
    columns=(Column("URL", ".spec.url"), Column("Branch", ".spec.branch"), READY),
    rules=(rule("self.?spec.?url.orValue('') != ''", "url field is required", field=".spec.url"),),
)


def _secret_rule(condition: str, message: str) -> Schema:
    return rule(f"self.?authMethod.orValue('accessKey') != 'accessKey' || {condition}", message)


BUCKET_STATE_STORE = Definition(
    kind="BucketStateStore",
    plural="bucketstatestores",
    about="A bucket that Destinations keep their files in.",
    fields={
        "spec": record(
            {
                "bucketName": text("The name of the bucket."),
                "endpoint": text("The host that serves it."),
                "path": store_path_text("A folder in the bucket."),
                "insecure": flag("Whether it is spoken to without TLS."),
                "useDualStack": flag("Whether its address is that of IPv4 and IPv6."),
                "authMethod": choice(
                    ("accessKey", "IAM"), "How the host lets us in.", default="accessKey"
                ),
                "secretRef": secret_ref("The Secret with the keys."),
            },
            "Where the bucket is, and how it is entered.",
            required=("bucketName", "endpoint"),
            rules=(
                _secret_rule(
                    "has(self.secretRef)",
                    "spec.secretRef must be set when using authentication method accessKey",
                ),
                _secret_rule(
                    "!has(self.secretRef) || self.secretRef.?name.orValue('') != ''",
                    "spec.secretRef must contain secret name",
                ),
                _secret_rule(
                    "!has(self.secretRef) || self.secretRef.?namespace.orValue('') != ''",
                    "spec.secretRef must contain secret namespace",
                ),
            ),
        ),
        "status": _status(),
    },
    columns=(Column("Name", ".spec.bucketName"), Column("Endpoint", ".spec.endpoint"), READY),
)
