"""Looking after many requests at once: is each user still there, and are its credentials good?"""

from collections.abc import Mapping, Sequence
from time import monotonic

from troth.errors import TrothError
from troth.sdk import Context, Finding, Inspection, Request
from troth_pipelines.stages.nats_user._accounts import OperatorAccount, find_account
from troth_pipelines.stages.nats_user._inspect_operator import look_at_operator
from troth_pipelines.stages.nats_user._inspect_synadia import look_at_synadia
from troth_pipelines.stages.nats_user._model import NatsUserSpec
from troth_pipelines.stages.nats_user._published import Published, published

__all__ = ["inspect"]

# Seconds for all accounts together; a run has 60. Those that are away must not cost the others
# their turn, so each has its part of what is left.
_SECONDS = 50.0
_LONGEST = 20.0


def inspect(requests: Sequence[Request[NatsUserSpec]], context: Context) -> Inspection:
    """Look at the users of all requests; each account is asked once for all of its own.

    An account that cannot be asked costs its own requests alone.
    """
    findings: dict[str, Finding] = {}
    by_account: dict[str, list[Published]] = {}
    for request in requests:
        try:
            found = published(request, context.now)
        except TrothError as error:
            findings[request.id] = Finding.unknown(error.message)
            continue
        if found is not None:
            by_account.setdefault(found.account, []).append(found)
    calls: dict[str, int] = {}
    ends = monotonic() + _SECONDS
    for turn, name in enumerate(sorted(by_account)):
        users = by_account[name]
        budget = min(_LONGEST, max(1.0, (ends - monotonic()) / (len(by_account) - turn)))
        try:
            said, calls[name] = _look_at(name, users, context, budget)
        except TrothError as error:
            why = f"account {name} could not be asked: {error.message}"
            said = {user.request: Finding.unknown(why) for user in users}
        findings |= said
    return Inspection(findings, calls)


def _look_at(
    name: str, users: Sequence[Published], context: Context, budget: float
) -> tuple[Mapping[str, Finding], int]:
    account = find_account(name, context.environ)
    if isinstance(account, OperatorAccount):
        return look_at_operator(account, users, budget)
    return look_at_synadia(account, users, context.now, budget)
