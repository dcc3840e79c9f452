"""Users at Synadia: are they there, with the same key, and does their account take it?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from troth.sdk import Finding
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.synadia import AccountRef, Present, SynadiaProvider
from troth_pipelines.stages.nats_user._accounts import SynadiaAccount
from troth_pipelines.stages.nats_user._published import Published
from troth_pipelines.stages.nats_user._synadia import open_account

__all__ = ["look_at_synadia"]

# Lists may lag behind what was made. A user that is missing is looked for a second time, in the
# list of all, where it is as young as that.
_YOUNG = timedelta(minutes=10)
_PAUSE = 2.0  # seconds before that


def look_at_synadia(
    account: SynadiaAccount, users: Sequence[Published], now: datetime, budget: float
) -> tuple[Mapping[str, Finding], int]:
    """Return what was found of each user, and how many calls it took.

    Raises:
        TrothError: the account cannot be looked at now.
    """
    with open_account(account, budget) as (provider, reference):
        present = _present(provider, reference, users, now)
        standing = provider.standing(reference)
        calls = provider.calls
    return {user.request: _judge(user, account, present, standing) for user in users}, calls


def _present(
    provider: SynadiaProvider, account: AccountRef, users: Sequence[Published], now: datetime
) -> Mapping[str, Present]:
    present = {one.user.id: one for one in provider.drift(account)}
    missing = [user for user in users if user.id not in present]
    if any(now - user.issued < _YOUNG for user in missing) and provider.pause(_PAUSE):
        present |= {one.user.id: one for one in provider.drift(account)}
    return present


def _judge(
    user: Published, account: SynadiaAccount, present: Mapping[str, Present], standing: Account
) -> Finding:
    there = present.get(user.id)
    dead = bool(user.issuer) and user.issuer not in standing.signers
    if there is None:
        message = f"the user {user.user} was deleted at Synadia (account {account.name})."
        return Finding.drifted(message, ended=dead)
    if there.user.public_key != user.public_key:
        message = f"the user {user.user} was given another key at Synadia ({account.name})."
        return Finding.drifted(message)
    if dead:
        message = (
            f"the signing key {user.issuer} of the user {user.user} is none of account "
            f"{account.name} any more, so nobody lets it in."
        )
        return Finding.drifted(message)
    if standing.ends(user.public_key, int(user.issued.timestamp())):
        message = f"the user {user.user} was revoked in account {account.name} by somebody else."
        return Finding.drifted(message)
    return Finding.intact()
