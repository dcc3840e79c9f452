"""Who makes and ends the generations of a user, whichever account they belong to.

A request may name another account than the one its older generations were made in: each is ended
where it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from troth.errors import InvalidInputError, Reason, TransientError, TrothError
from troth.sdk import Context
from troth_pipelines.credentials import Generation, Made
from troth_pipelines.stages.nats_user._accounts import (
    OperatorAccount,
    SynadiaAccount,
    find_account,
)
from troth_pipelines.stages.nats_user._model import Secret
from troth_pipelines.stages.nats_user._operator import OperatorMaker
from troth_pipelines.stages.nats_user._synadia import SynadiaMaker
from troth_pipelines.stages.nats_user._wanted import WantedUser

__all__ = ["UserMaker"]

_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class UserMaker:
    """Makes the generations of one user; see `troth_pipelines.credentials.Maker`."""

    account: OperatorAccount | SynadiaAccount
    wanted: WantedUser
    secret: Secret
    context: Context

    def title(self, number: int) -> str:
        """Return how a generation is called."""
        return f"the NATS user {self.wanted.name}-g{number} of account {self.account.name}"

    def make(self, number: int) -> Made:
        """Make a generation in the account that is asked for. Raises as its provider does."""
        made = self._of(self.account).make(number)
        return replace(made, details={**made.details, _ACCOUNT: self.account.name})

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        """End a generation in the account that it was made in.

        Raises:
            TransientError: it cannot be ended now, for whatever reason. The run goes on: what it
                has made and sealed before would be lost otherwise, and made again by the next.
        """
        try:
            self._of(self._account_of(generation, details)).retire(generation, details)
        except TransientError:
            raise
        except TrothError as error:
            failed = TransientError(error.reason, error.message)
        else:
            return
        raise failed

    def retire_all(self, generations: Mapping[Generation, Mapping[str, str]]) -> None:
        """End all that there is: these, and what no state knows of since its run broke off.

        Those of an account whose users nobody can revoke end by themselves.

        Raises:
            InvalidInputError: an account is not known any more.
            TransientError: not now.
        """
        accounts = {self.account.name: self.account}
        for generation, details in generations.items():
            account = self._account_of(generation, details)
            accounts[account.name] = account
            if account.revokes:
                self._of(account).retire(generation, details)
        for account in accounts.values():
            if isinstance(account, SynadiaAccount):
                self._synadia(account).retire_all()

    def _account_of(
        self, generation: Generation, details: Mapping[str, str]
    ) -> OperatorAccount | SynadiaAccount:
        name = details.get(_ACCOUNT, self.account.name)
        if name == self.account.name:
            return self.account
        try:
            return find_account(name, self.context.environ)
        except InvalidInputError as error:
            message = (
                f"generation {generation.number} was made in the account {name!r}, and has to be "
                f"ended there: {error.message} Put it back until that is done."
            )
        raise InvalidInputError(Reason.PROMISE_INVALID, message)

    def _of(self, account: OperatorAccount | SynadiaAccount) -> OperatorMaker | SynadiaMaker:
        if isinstance(account, OperatorAccount):
            return OperatorMaker(account, self.wanted, self.secret, self.context)
        return self._synadia(account)

    def _synadia(self, account: SynadiaAccount) -> SynadiaMaker:
        return SynadiaMaker(account, self.wanted, self.secret, self.context)
