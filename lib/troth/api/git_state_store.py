"""The view of a GitStateStore: a repository that Destinations refer to, and how it is entered."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from troth.api.json_values import Fields, JsonObject
from troth.api.labels import (
    ALLOW_DELETIONS,
    COMMIT,
    DELETION_BUDGET,
    PUSH_BURST,
    PUSHES_PER_MINUTE,
    SIGNING_KEY,
    TROTH_PREFIX,
)
from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.api.secrets import SecretRef
from troth.api.store_policy import StorePolicy

__all__ = ["AuthMethod", "CommitEach", "GitStateStore", "StoreRef", "store_path"]

# Where Kratix looks for a Secret whose reference names no namespace.
_DEFAULT_NAMESPACE = "default"

_NO_POLICY = StorePolicy()


class AuthMethod(StrEnum):
    """How a host lets us in (spec.authMethod)."""

    BASIC = "basicAuth"
    SSH = "ssh"
    GITHUB_APP = "githubApp"


class CommitEach(StrEnum):
    """What one commit carries (annotation troth.dev/commit)."""

    REQUEST = "request"
    FLUSH = "flush"


class StoreRef(NamedTuple):
    """A reference to a state store object."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class GitStateStore:
    """A Git repository that Destinations refer to; `path` is a folder in it.

    `secret` holds the login for `auth_method`; None for a repository that needs none.
    `commit_each` and `signing_key` are None where its annotations say nothing.
    """

    name: str
    url: str
    branch: str
    path: str
    author_name: str
    author_email: str
    auth_method: AuthMethod
    secret: SecretRef | None
    policy: StorePolicy = _NO_POLICY
    commit_each: CommitEach | None = None
    signing_key: SecretRef | None = None

    @classmethod
    def parse(cls, raw: JsonObject) -> "GitStateStore":
        """Read a GitStateStore. Raises InvalidInputError."""
        root = Fields(raw)
        metadata, spec = root.section("metadata"), root.section("spec")
        _refuse_unknown(metadata)
        author = spec.section("gitAuthor")
        method = spec.text("authMethod", AuthMethod.BASIC)
        if method not in set(AuthMethod):
            raise spec.error("authMethod", f"{method!r} is none of {', '.join(AuthMethod)}.")
        path = store_path(spec) if spec.has("path") else ""
        for part in ("name", "email"):
            if any(mark in author.text(part, "") for mark in "<>\n\0"):
                raise author.error(part, "'<', '>' and line ends have no place in an author.")
        return cls(
            name=metadata.text("name"),
            url=spec.text("url"),
            branch=spec.text("branch", "main"),
            path=path,
            author_name=author.text("name", "").strip() or "kratix",
            author_email=author.text("email", "").strip(),
            auth_method=AuthMethod(method),
            secret=_secret(spec.section("secretRef")) if spec.has("secretRef") else None,
            policy=StorePolicy.parse(root.section("metadata")),
            commit_each=_commit_each(metadata),
            signing_key=_signing_key(metadata),
        )


def store_path(spec: Fields, field: str = "path") -> str:
    """Return a path of a Destination's or store's spec, without slashes at its ends.

    Raises:
        InvalidInputError: it leads out of the store, or into what is Git's own.
    """
    parts = [part for part in spec.text(field, "").split("/") if part not in {"", "."}]
    if ".." in parts or any(part.lower() == ".git" for part in parts):
        raise spec.error(field, "'..' and '.git' have no place in a path of a state store.")
    return "/".join(parts)


def _refuse_unknown(metadata: Fields) -> None:
    """Refuse annotations of ours that nobody reads: a misspelled one would be passed over."""
    known = (ALLOW_DELETIONS, COMMIT, DELETION_BUDGET, PUSHES_PER_MINUTE, PUSH_BURST, SIGNING_KEY)
    for name in sorted(metadata.string_map("annotations")):
        if name.startswith(TROTH_PREFIX) and name not in known:
            short = [one.removeprefix(TROTH_PREFIX) for one in known]
            near = get_close_matches(name.removeprefix(TROTH_PREFIX), short, 1)
            advice = (
                f"did you mean {TROTH_PREFIX}{near[0]}?"
                if near
                else f"known are {', '.join(known)}."
            )
            raise metadata.section("annotations").error(
                name, f"no such annotation is known on a GitStateStore; {advice}"
            )


def _commit_each(metadata: Fields) -> CommitEach | None:
    each = metadata.string_map("annotations").get(COMMIT)
    if each is not None and each not in set(CommitEach):
        raise metadata.section("annotations").error(
            COMMIT, f"{each!r} is none of {', '.join(CommitEach)}."
        )
    return None if each is None else CommitEach(each)


def _signing_key(metadata: Fields) -> SecretRef | None:
    text = metadata.string_map("annotations").get(SIGNING_KEY)
    if text is None:
        return None
    namespace, slash, name = text.rpartition("/")
    problem = dns_subdomain_problem(name) or (slash and dns_label_problem(namespace))
    if problem:
        raise metadata.section("annotations").error(
            SIGNING_KEY, f"{text!r} names no Secret ([NAMESPACE/]NAME): {problem}."
        )
    return SecretRef(namespace or _DEFAULT_NAMESPACE, name)


def _secret(reference: Fields) -> SecretRef:
    name = reference.text("name")
    namespace = reference.text("namespace", "") or _DEFAULT_NAMESPACE
    # They become parts of a path, where Secrets are files: nothing else may stand in them.
    if problem := dns_subdomain_problem(name):
        raise reference.error("name", f"{problem}.")
    if problem := dns_label_problem(namespace):
        raise reference.error("namespace", f"{problem}.")
    return SecretRef(namespace, name)
