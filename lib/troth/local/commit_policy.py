"""How a store's commits are made: what the command says, and for the rest what its object says."""

from dataclasses import dataclass

from troth.api import CommitEach, GitStateStore, SecretRef, Secrets
from troth.errors import InvalidInputError, Reason, StoreError
from troth_statestore.git import Author, KeySource

__all__ = ["CommitPolicy", "policy_of"]

# The key of a Secret that holds a private key, as in one to log in with.
_PRIVATE_KEY = "sshPrivateKey"


@dataclass(frozen=True, slots=True)
class CommitPolicy:
    """What is said of a store's commits; None where nothing is.

    Attributes:
        author: who they are by.
        each: what one commit carries.
        signing_key: what they are signed with.
    """

    author: Author | None = None
    each: CommitEach | None = None
    signing_key: KeySource | None = None

    def or_else(self, other: "CommitPolicy") -> "CommitPolicy":
        """Return this policy, with what `other` says where this one says nothing."""
        return CommitPolicy(
            self.author or other.author,
            self.each or other.each,
            self.signing_key or other.signing_key,
        )


def policy_of(store: GitStateStore, secrets: Secrets | None) -> CommitPolicy:
    """Return what a GitStateStore says; a signing key is only read when it is needed."""
    author = Author(store.author_name, store.author_email or Author().email)
    reference = store.signing_key
    key = None if reference is None else _SecretKey(secrets, reference, store.name)
    return CommitPolicy(author, store.commit_each, key)


@dataclass(frozen=True, slots=True)
class _SecretKey:
    secrets: Secrets | None
    reference: SecretRef
    store: str

    @property
    def name(self) -> str:
        return f"in Secret {self.reference} of GitStateStore {self.store}"

    def read(self) -> bytes:
        if self.secrets is None:
            raise self._error("say with --secrets-dir DIR where Secrets are.")
        try:
            secret = self.secrets.read(self.reference)
        except InvalidInputError as error:
            raise self._error(error.message) from error
        if _PRIVATE_KEY not in secret:
            raise self._error(f"it has no key {_PRIVATE_KEY}.")
        return secret[_PRIVATE_KEY]

    def _error(self, why: str) -> StoreError:
        message = f"Commits are to be signed with the key {self.name}: {why} Nothing was written."
        return StoreError(Reason.SIGNING_KEY_UNUSABLE, message)
