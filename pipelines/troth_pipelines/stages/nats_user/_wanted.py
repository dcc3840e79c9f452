"""What a request asks of a NATS user, in the terms of NATS, checked as far as anybody can here."""

from dataclasses import dataclass
from datetime import timedelta

from troth.api import Fields, JsonObject, digest_of
from troth.sdk import Request
from troth_pipelines.credentials import Policy, read_duration
from troth_pipelines.nats.limits import UNLIMITED, ConnectionType, Limits
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.users import Grant
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
        grant: what it may do; None where nothing was said, so that a scoped key can decide.
        digest: of all that is made into a generation.
    """

    name: str
    owner: str
    policy: Policy
    grant: Grant | None
    digest: str

    @property
    def lifetime(self) -> timedelta:
        """How long each generation is good."""
        return self.policy.lifetime or timedelta()


def read_wanted(
    request: Request[NatsUserSpec], promise: str, *, revokes: bool, servers: tuple[str, ...]
) -> WantedUser:
    """Read what a request asks for.

    Args:
        request: the request.
        promise: the Promise's name, which is part of the owner's mark.
        revokes: whether a generation can be ended before it ends by itself.
        servers: addresses that are made into the Secret.

    Raises:
        InvalidInputError: a subject is none, or the durations contradict each other.
    """
    spec = request.spec
    policy = _policy(spec, revokes=revokes)
    grant = _grant(spec)
    if grant is not None:
        grant.permissions.check(("spec", "permissions"))
    secret = spec.secret.model_dump(mode="json", exclude={"name", "namespace"})
    made_of: JsonObject = {
        "account": spec.account,
        "grant": None if grant is None else {**grant.permissions.claims(), **grant.limits.claims()},
        "secret": secret,
        "servers": list(servers) if spec.secret.servers_key or spec.secret.json_key else [],
    }
    return WantedUser(
        name=f"{request.namespace}.{request.name}",
        owner=f"{request.namespace}/{promise}/{request.name}",
        policy=policy,
        grant=grant,
        digest=digest_of(made_of)[:16],
    )


def _policy(spec: NatsUserSpec, *, revokes: bool) -> Policy:
    policy = Policy(
        lifetime=read_duration(spec.lifetime, "spec", "lifetime"),
        renew_before=read_duration(spec.renew_before, "spec", "renewBefore"),
        overlap=read_duration(spec.overlap, "spec", "overlap"),
    )
    if problem := policy.problem():
        raise Fields({}, ("spec",)).error("lifetime", f"{problem}.")
    # Who cannot end a user lets it end by itself; to say anything else would be untrue.
    return policy if revokes else Policy(policy.lifetime, policy.renew_before, policy.overlap, None)


def _grant(spec: NatsUserSpec) -> Grant | None:
    if spec.permissions is None and spec.limits is None and not spec.connection_types:
        return None
    limits, permissions = spec.limits, spec.permissions
    amounts = Limits(
        subscriptions=_amount(limits.subscriptions if limits else None),
        data=_amount(limits.data if limits else None),
        payload=_amount(limits.payload if limits else None),
        connection_types=tuple(ConnectionType(one) for one in spec.connection_types),
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
