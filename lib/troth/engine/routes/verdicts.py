"""Verdicts: what a request is told that may not have a route, and by whose leave it might."""

from troth.api import RequestKey
from troth.api.labels import DELEGATIONS
from troth.engine.routes.claims import Claim, Held
from troth.engine.routes.listening import Socket
from troth.engine.routes.parts import Parent
from troth.engine.values import ObjectId
from troth.errors import HeldError, OutputRefusedError, PermanentError, Reason

__all__ = [
    "held",
    "held_by_words",
    "listener_held",
    "not_attached",
    "set_not_allowed",
    "stands_twice",
    "would_take",
]

_AGAIN = "it becomes free when that request lets go of it, and is then tried again."


def held(route: ObjectId, claim: Claim, holder: RequestKey) -> HeldError:
    """Say that another request holds the same claim."""
    message = f"{route}: {claim}, is held by {holder}; {_AGAIN}"
    return HeldError(Reason.ROUTE_HELD, message, holder)


def held_by_words(route: ObjectId, word: Claim, other: Held) -> HeldError:
    """Say that another request would hold the same, were there a listener for both."""
    message = (
        f"{route}: {word}, meets what {other.key} holds: {other.claim}. No listener takes one of "
        f"the two now, but it would be both's when one does; {_AGAIN}"
    )
    return HeldError(Reason.ROUTE_HELD, message, other.key)


def listener_held(parent: ObjectId, socket: Socket, holder: RequestKey) -> HeldError:
    """Say that another request listens there."""
    message = f"{parent}: {socket}, is listened to by {holder}; {_AGAIN}"
    return HeldError(Reason.ROUTE_HELD, message, holder)


def stands_twice(first: ObjectId, second: ObjectId, claim: Claim) -> OutputRefusedError:
    """Say that one request claims the same by two routes."""
    message = f"{second}: {claim}, is claimed by {first} of the same request too; keep one."
    return OutputRefusedError(Reason.DUPLICATE_OBJECT, message)


def would_take(
    route: ObjectId, claim: Claim, loser: Held, parent: ObjectId, provider: RequestKey | None
) -> HeldError:
    """Say that a route would take requests of another namespace without consent.

    Args:
        route: the one that is new.
        claim: what it asks for.
        loser: who would lose by it.
        parent: whose owner can consent.
        provider: who makes that parent, None when nobody here does.
    """
    advice = (
        f"It is made by {provider} (in an aggregator: spec.delegations)."
        if provider is not None
        else "No request makes it here, so its owner has to have it made by one, with that on it."
    )
    message = (
        f"{route}: {claim}, would take requests from namespace {loser.claim.namespace}, where "
        f"{loser.key} holds {loser.claim}. {parent} can allow it by the annotation {DELEGATIONS}: "
        f"path {claim.match.anchor}, namespace {claim.namespace}. {advice}"
    )
    return HeldError(Reason.ROUTE_NOT_ALLOWED, message, loser.key)


def not_attached(
    route: ObjectId, parent: ObjectId, problem: str, provider: RequestKey | None
) -> PermanentError:
    """Say that the parent does not take the route."""
    message = f"{route}: {parent} does not take it: {problem}."
    return _not_allowed(message, provider)


def set_not_allowed(parent: Parent, gateway: Parent, provider: RequestKey | None) -> PermanentError:
    """Say that the Gateway does not take the ListenerSet."""
    message = (
        f"{parent.identity}: {gateway.identity} does not take it: its allowedListeners are for "
        f"{gateway.listener_sets}."
    )
    return _not_allowed(message, provider)


def _not_allowed(message: str, provider: RequestKey | None) -> PermanentError:
    """Make the error: another request is in the way, or it is the request's own doing."""
    if provider is None:
        return OutputRefusedError(Reason.ROUTE_NOT_ALLOWED, message)
    made = f"{message} It is made by {provider}."
    return HeldError(Reason.ROUTE_NOT_ALLOWED, made, provider)
