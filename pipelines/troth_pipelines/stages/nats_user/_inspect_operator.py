"""Users of a NATS system in operator mode: what the account's JWT says of them."""

from collections.abc import Mapping, Sequence

from troth.errors import InvalidInputError, Reason
from troth.sdk import Finding
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.looking import CALLS, look_up
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.stages.nats_user._accounts import OperatorAccount
from troth_pipelines.stages.nats_user._published import Published

__all__ = ["look_at_operator"]

_STEPS = 4  # connecting counts twice, then two answers: none may take longer than its part


def look_at_operator(
    account: OperatorAccount, users: Sequence[Published], budget: float
) -> tuple[Mapping[str, Finding], int]:
    """Return what was found of each user, and how many calls it took.

    Where the platform gives nobody who may look at the account, or names variables for that and
    sets none, nothing is found.

    Raises:
        TrothError: the account cannot be looked at now.
    """
    if not account.revokes or (account.operator_key is None and account.system_creds is None):
        return {}, 0
    if account.system_creds is None:
        message = (
            "the variable that NATS_ACCOUNTS names as systemCreds has to come from a Secret that "
            "is there."
        )
        raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
    patience = max(1, min(5, int(budget / _STEPS)))
    credentials = Credentials.parse(account.system_creds)
    servers = Servers(account.servers, credentials, account.ca, patience)
    found = look_up(servers, account.account)
    if found is None:
        message = (
            f"NATS knows the account {account.name} ({account.account}) no more, so nobody lets "
            "its users in; push the account anew, or name another."
        )
        gone = Finding.drifted(message, ended=True, mendable=False)
        return {user.request: gone for user in users}, CALLS
    ours = _signer(account)
    return {user.request: _judge(user, account, found, ours) for user in users}, CALLS


def _signer(account: OperatorAccount) -> str:
    """Return the public key that signs users now, "" where it is not given."""
    if account.signing_key is None:
        return ""
    return KeyPair.from_seed(account.signing_key, KeyKind.ACCOUNT).public_key


def _judge(user: Published, account: OperatorAccount, found: Account, ours: str) -> Finding:
    if found.ends(user.public_key, int(user.issued.timestamp())):
        message = f"the user {user.user} was revoked in account {account.name} by somebody else."
        return Finding.drifted(message, ended=True, mendable=ours in found.signers)
    issuer = user.issuer or ours  # what was made before issuers were noted
    if issuer and issuer not in found.signers:
        message = (
            f"the signing key {issuer} of the user {user.user} is none of account {account.name} "
            "any more, so nobody lets it in"
        )
        if ours in found.signers:
            return Finding.drifted(f"{message}.", ended=True)
        advice = "put the account's present signing key into the platform's Secret."
        return Finding.drifted(f"{message}; {advice}", ended=True, mendable=False)
    return Finding.intact()
