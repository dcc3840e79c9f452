"""The names in a new bundle, all of them made of one."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from troth.api.labels import KRATIX_GROUP
from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["DEFAULT_GROUP", "PIPELINE", "Names"]

DEFAULT_GROUP = "marketplace.example.com"
"""The API group of a Promise whose author names none."""

PIPELINE = "configure"
"""The name of a new Promise's pipeline."""

# Kratix names ServiceAccounts <promise>-resource-configure-<pipeline>, at most 60 characters.
_NAME_LIMIT = 60 - len(f"-resource-configure-{PIPELINE}")

# In lower case a DNS label that begins with a letter (RFC 1035), and so with List behind it.
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*")
_KIND_LIMIT = 63 - len("List")

# What the API server lets nobody define who is not Kubernetes.
_PROTECTED = ("k8s.io", "kubernetes.io")

# The image of the stages that come with Troth, which every command serves already.
_OURS = "troth-stage"


@dataclass(frozen=True, slots=True)
class Names:
    """What a new Promise, its API and its stage are called.

    Attributes:
        name: of the Promise, its bundle's folder and its stage; a DNS label that begins with a
            letter.
        kind: what a developer asks for.
        group: the API group.
    """

    name: str
    kind: str
    group: str

    @classmethod
    def of(cls, name: str, kind: str | None = None, group: str = DEFAULT_GROUP) -> "Names":
        """Make all names of the Promise's, the kind as well where none is given.

        Raises:
            InvalidInputError: one of them cannot be used.
        """
        if problem := _name_problem(name):
            raise _error(f"NAME: {problem}.")
        made = cls(name, _camel_case(name) if kind is None else kind, group)
        if problem := _kind_problem(made.kind):
            raise _error(f"--kind: {problem}.")
        if problem := _group_problem(group) or dns_subdomain_problem(f"{made.plural}.{group}"):
            raise _error(f"--group: {problem}.")
        return made

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.kind.lower()

    @property
    def plural(self) -> str:
        """The resource's name in URLs, by the rules of English as far as they are rules."""
        if re.search("(s|x|z|ch|sh)$", self.singular):
            return f"{self.singular}es"
        if re.search("[^aeiou]y$", self.singular):
            return f"{self.singular[:-1]}ies"
        return f"{self.singular}s"

    @property
    def distribution(self) -> str:
        """The package of the stage, which is what its image is called as well."""
        return f"{re.sub('-+', '-', self.name)}-stage"

    @property
    def package(self) -> str:
        """The Python package in it."""
        return self.distribution.replace("-", "_")

    def require_free_stage(self) -> None:
        """Refuse names whose stage would never run, because its image means another one.

        Raises:
            InvalidInputError: the stage is called as Troth's own, or as a package that is
                installed here.
        """
        advice = "; take another NAME, or one without a stage of its own with --template."
        if self.distribution == _OURS:
            raise _error(f"NAME: the image {_OURS} is that of Troth's own stages{advice}")
        with suppress(PackageNotFoundError):
            found = version(self.distribution)
            raise _error(
                f"NAME: the stage would be called {self.distribution}, and a package of that name "
                f"is installed ({found}), which would run instead{advice}"
            )

    def values(self) -> Mapping[str, str]:
        """Return every name by the word that stands for it in texts."""
        return {
            "api": f"{self.plural}.{self.group}",
            "api_version": f"{self.group}/v1alpha1",
            "distribution": self.distribution,
            "example": f"{self.name}-example",
            "group": self.group,
            "image": f"{self.distribution}:0.1",
            "kind": self.kind,
            "list": f"{self.kind}List",
            "minimal": f"{self.name}-minimal",
            "name": self.name,
            "package": self.package,
            "pipeline": PIPELINE,
            "plural": self.plural,
            "singular": self.singular,
        }


def _name_problem(name: str) -> str | None:
    if problem := dns_label_problem(name):
        return problem
    if not name[0].isalpha():
        return f"{name!r} has to begin with a letter, as the kind and the package made of it do"
    if len(name) > _NAME_LIMIT:
        return (
            f"{name!r} has {len(name)} characters, at most {_NAME_LIMIT} are allowed: Kratix makes "
            f"longer names of it"
        )
    return None


def _kind_problem(kind: str) -> str | None:
    if not _KIND.fullmatch(kind):
        return f"{shorten(kind)!r} is not made of letters and digits, with a capital letter first"
    if len(kind) > _KIND_LIMIT:
        return f"{kind!r} has {len(kind)} characters, at most {_KIND_LIMIT} are allowed"
    return None


def _group_problem(group: str) -> str | None:
    if problem := dns_subdomain_problem(group):
        return problem
    if "." not in group:
        return f"{group!r} has to be a domain name with a dot, such as {DEFAULT_GROUP}"
    if group == KRATIX_GROUP or any(f".{group}".endswith(f".{one}") for one in _PROTECTED):
        return f"{group!r} is kept for others; take a domain of your own"
    return None


def _camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _error(message: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_NAME, message)
