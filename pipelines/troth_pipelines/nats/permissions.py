"""What a NATS user may publish and subscribe to, as values and as a user's claims have it.

Without any permission a user may do everything in its account; so says NATS, and so it is here.
Source: nats-io/jwt, v2/types.go.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from troth.api import JsonObject
from troth_pipelines.nats.subjects import check_subjects

__all__ = ["Permissions", "ResponseLimit", "SubjectRules"]

_MICROSECOND = timedelta(microseconds=1)
_NANOSECONDS = 1000  # in a microsecond


@dataclass(frozen=True, slots=True)
class SubjectRules:
    """Subjects that are allowed (all, when none is named), and those denied all the same."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def claims(self) -> JsonObject:
        """Return them as claims; there is no field for an empty list."""
        fields = (("allow", self.allow), ("deny", self.deny))
        return {name: list(subjects) for name, subjects in fields if subjects}


@dataclass(frozen=True, slots=True)
class ResponseLimit:
    """Leave to answer requests that were received, whatever their reply subject.

    A user that has it may publish to nothing else, unless subjects to publish to are allowed too.

    Attributes:
        messages: answers to one request; below 0 as many as it likes, and 0 is taken for 1.
        within: how long after the request; below 0 without end, and 0 is taken for two minutes.
    """

    messages: int
    within: timedelta

    def claims(self) -> JsonObject:
        """Return it as claims: durations are nanoseconds."""
        return {"max": self.messages, "ttl": self.within // _MICROSECOND * _NANOSECONDS}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a user may do."""

    publish: SubjectRules = field(default_factory=SubjectRules)
    subscribe: SubjectRules = field(default_factory=SubjectRules)
    responses: ResponseLimit | None = None

    def check(self, at: tuple[str | int, ...]) -> None:
        """Check the subjects, which stand below this field as publish.allow and so on.

        Raises:
            InvalidInputError: one of them is wrong; it names field and subject.
        """
        sides = (("publish", self.publish, False), ("subscribe", self.subscribe, True))
        for name, rules, queue in sides:
            check_subjects(rules.allow, (*at, name, "allow"), queue=queue)
            check_subjects(rules.deny, (*at, name, "deny"), queue=queue)

    def claims(self) -> JsonObject:
        """Return them as claims, in the order of the Go library."""
        claims: JsonObject = {"pub": self.publish.claims(), "sub": self.subscribe.claims()}
        if self.responses is None:
            return claims
        return {**claims, "resp": self.responses.claims()}
