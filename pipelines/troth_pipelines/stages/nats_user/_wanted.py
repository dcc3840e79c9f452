"""What a request asks of a NATS user, in the terms of NATS, checked as far as anybody can here."""

from dataclasses import dataclass, replace
from datetime import timedelta

from troth.api import Fields, JsonObject, digest_of
from troth.errors import InvalidInputError
from troth.sdk import Request
from troth_pipelines.credentials import Policy, read_duration
from troth_pipelines.nats.limits import UNLIMITED, ConnectionType, Limits
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.users import Grant
from troth_pipelines.stages.nats_user._accounts import OperatorAccount, SynadiaAccount
from troth_pipelines.stages.nats_user._model import NatsUserSpec, Rules

__all__ = ["WantedUser", "read_wanted"]


@dataclass(frozen=True, slots=True)
class WantedUser:
    """The user.

    Attributes:
        name: without the generation. A namespace has no dot in it, so that no two requests of an
            account have the same.
        owner: the mark of what is made outside.
        policy: how long its generations are good.
        grant: what it may do; None where the template of a scoped key decides.
        digest: of all that is made into a generation.
    """

    name: str
    owner: str
    policy: Policy
    grant: Grant | None
    digest: str

    @classmethod
    def ended(cls, request: Request[NatsUserSpec], promise: str) -> "WantedUser":
        """Return a user that is only to be ended, whatever else its request says by now."""
        name, owner = f"{request.namespace}.{request.name}", _owner(request, promise)
        nothing = timedelta()
        return cls(name, owner, Policy(None, nothing, nothing), None, "")

    @property
    def lifetime(self) -> timedelta:
        """How long each generation is good."""
        return self.policy.lifetime or timedelta()


def read_wanted(
    request: Request[NatsUserSpec],
    promise: str,
    account: OperatorAccount | SynadiaAccount,
    interval: timedelta,
) -> WantedUser:
    """Read what a request asks for.

    Args:
        request: the request.
        promise: the Promise's name, which is part of the owner's mark.
        account: that it is to belong to.
        interval: how late it may be made, and how long its delivery may take.

    Raises:
        InvalidInputError: a subject is none, the durations contradict each other, or the account
            does not allow it.
    """
    spec = request.spec
    policy = _policy(spec, account, interval)
    grant = _grant(spec)
    if grant is not None:
        grant.permissions.check(("spec", "permissions"))
    if not account.scoped:
        grant = grant or Grant()
    elif grant is not None:
        raise _refused_by_scope(spec)
    # How it is delivered makes no other credentials.
    delivery = {"name", "namespace", "mode", "seen"}
    secret = spec.secret.model_dump(mode="json", exclude=delivery)
    made_of: JsonObject = {
        "account": spec.account,
        "grant": None if grant is None else {**grant.permissions.claims(), **grant.limits.claims()},
        "secret": secret,
        "servers": list(account.servers) if spec.secret.servers_key or spec.secret.json_key else [],
    }
    return WantedUser(
        name=f"{request.namespace}.{request.name}",
        owner=_owner(request, promise),
        policy=policy,
        grant=grant,
        digest=digest_of(made_of)[:16],
    )


def _owner(request: Request[NatsUserSpec], promise: str) -> str:
    return f"{request.namespace}/{promise}/{request.name}"


def _refused_by_scope(spec: NatsUserSpec) -> InvalidInputError:
    asked = {"permissions": spec.permissions, "limits": spec.limits}
    field = next((name for name, value in asked.items() if value is not None), "connectionTypes")
    message = (
        f"in the account {spec.account!r} the platform's signing key decides what users may do; "
        "take it out, or name another account."
    )
    return Fields({}, ("spec",)).error(field, message)


def _policy(
    spec: NatsUserSpec, account: OperatorAccount | SynadiaAccount, interval: timedelta
) -> Policy:
    policy = Policy(
        lifetime=read_duration(spec.lifetime, "spec", "lifetime"),
        renew_before=read_duration(spec.renew_before, "spec", "renewBefore"),
        overlap=read_duration(spec.overlap, "spec", "overlap"),
        allowance=interval,
    )
    if problem := policy.problem():
        raise Fields({}, ("spec",)).error("lifetime", f"{problem}.")
    if account.longest is not None and (policy.lifetime or timedelta.max) > account.longest:
        message = f"the account {account.name!r} allows {account.longest} at most; make it shorter."
        raise Fields({}, ("spec",)).error("lifetime", message)
    # Who cannot end a user lets it end by itself; to say anything else would be untrue.
    return policy if account.revokes else replace(policy, allowance=None)


def _grant(spec: NatsUserSpec) -> Grant | None:
    if spec.permissions is None and spec.limits is None and not spec.connection_types:
        return None
    limits, permissions = spec.limits, spec.permissions
    amounts = Limits(
        subscriptions=_amount(limits.subscriptions if limits else None),
        data=_amount(limits.data if limits else None),
        payload=_amount(limits.payload if limits else None),
        connection_types=tuple(sorted({ConnectionType(one) for one in spec.connection_types})),
    )
    if permissions is None:
        return Grant(limits=amounts)
    answers = permissions.responses
    ttl = ("spec", "permissions", "responses", "ttl")
    return Grant(
        Permissions(
            publish=_rules(permissions.publish),
            subscribe=_rules(permissions.subscribe),
            responses=None
            if answers is None
            else ResponseLimit(answers.max, read_duration(answers.ttl, *ttl)),
        ),
        amounts,
    )


def _amount(value: int | None) -> int:
    return UNLIMITED if value is None else value


def _rules(rules: Rules) -> SubjectRules:
    # Sorted and once each: their order means nothing to a server, and must not renew anything.
    return SubjectRules(tuple(sorted(set(rules.allow))), tuple(sorted(set(rules.deny))))
