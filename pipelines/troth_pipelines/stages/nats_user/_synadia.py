"""Making users at Synadia: each generation a user of its own, credentials issued once."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from troth.api import Fields
from troth.errors import InvalidInputError, PermanentError, Reason
from troth.sdk import Context
from troth_pipelines.credentials import Generation, Made
from troth_pipelines.nats.synadia import (
    AccountRef,
    Issued,
    SynadiaProvider,
    SynadiaSettings,
    UserRef,
    UserSpec,
    Wanted,
    Where,
    connect,
)
from troth_pipelines.nats.synadia.settings import DEFAULT_URL
from troth_pipelines.stages.nats_user._accounts import SynadiaAccount
from troth_pipelines.stages.nats_user._model import Secret
from troth_pipelines.stages.nats_user._secret import values_of
from troth_pipelines.stages.nats_user._wanted import WantedUser

__all__ = ["SynadiaMaker", "open_account"]

_ID, _PUBLIC_KEY, _USER, _ISSUER = "id", "publicKey", "user", "issuer"

# Seconds for all calls of one thing that is done: a run may make a generation and end another, and
# has 60 in all.
_BUDGET = 25.0

# Seconds by which credentials may end sooner than asked: the host's clock may tick meanwhile.
_SLACK = 60


@dataclass(frozen=True, slots=True)
class SynadiaMaker:
    """Makes the generations of one user in one account; see `UserMaker`."""

    account: SynadiaAccount
    wanted: WantedUser
    secret: Secret
    context: Context

    def make(self, number: int) -> Made:
        """Make a generation, or complete one that was made; its credentials are issued once.

        Where the state was lost, or is an old one, the highest that is there is completed.

        Raises:
            TransientError: Synadia does not answer now.
            PermanentError: it refuses, or answers something else.
        """
        lifetime = int(self.wanted.lifetime.total_seconds())
        now = int(self.context.now.timestamp())
        spec = UserSpec(lifetime, self.wanted.grant)
        wanted = Wanted(self.wanted.name, number, self.wanted.owner, spec)
        with self._open() as (provider, account):
            ensured = provider.ensure(account, wanted)
            user = ensured.user
            issued = provider.issue(account, user, lifetime, now)
        _refuse_short(user.name, issued, lifetime)
        return Made(
            values=values_of(self.secret, self.account.servers, issued.creds),
            details={
                _USER: user.name,
                _ID: user.id,
                _PUBLIC_KEY: user.public_key,
                _ISSUER: issued.issuer,
            },
            issued=datetime.fromtimestamp(issued.issued, UTC),
            expires=datetime.fromtimestamp(issued.expires, UTC),
            number=ensured.generation,
        )

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        """Delete a generation's user, and revoke its key unless that has ended by itself."""
        ended = generation.expires is not None and generation.expires <= self.context.now
        said = Fields(
            details,
            ("status", "credentials", f"generation {generation.number}"),
            Reason.INVALID_STATUS,
        )
        user = UserRef(said.text(_ID), said.text(_USER), said.text(_PUBLIC_KEY))
        with self._open() as (provider, account):
            provider.retire(account, user, self.wanted.owner, revoke=not ended)

    def retire_all(self) -> None:
        """End every user of this owner, whatever is known of them: the request is deleted."""
        with self._open() as (provider, account):
            present = [one for one in provider.drift(account) if one.owner == self.wanted.owner]
            for one in sorted(present, key=lambda one: (one.user.name, one.user.id)):
                provider.retire(account, one.user, self.wanted.owner)

    def _open(self) -> AbstractContextManager[tuple[SynadiaProvider, AccountRef]]:
        return open_account(self.account, _BUDGET)


@contextmanager
def open_account(
    given: SynadiaAccount, budget: float
) -> Generator[tuple[SynadiaProvider, AccountRef]]:
    """Give the provider, and the account found there, until the end of the block.

    Args:
        given: what the platform says of the account.
        budget: seconds for all calls together.

    Raises:
        InvalidInputError: the token is not given, or there is no such account.
        TrothError: Synadia does not answer now, or refuses.
    """
    if given.token is None:
        message = (
            f"the token for account {given.name} is not given: the variable that NATS_ACCOUNTS "
            "names as token has to come from a Secret that is there."
        )
        raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
    settings = SynadiaSettings(given.token, given.url or DEFAULT_URL, given.ca, budget=budget)
    with connect(settings, given.group) as provider:
        where = Where(given.account, given.system, given.team)
        yield provider, provider.find_account(where)


def _refuse_short(user: str, issued: Issued, lifetime: int) -> None:
    """Refuse credentials that end sooner than asked: they would be due for renewal in every run.

    Raises:
        PermanentError: they do.
    """
    length = issued.expires - issued.issued
    if length + _SLACK < lifetime:
        raise PermanentError(
            Reason.PROVIDER_ANSWER_INVALID,
            f"Synadia issued credentials of user {user!r} that are valid for {length} s, where "
            f"{lifetime} s were asked for; they are thrown away. Look there what lifetime the "
            "account allows, and ask for no longer one.",
        )
