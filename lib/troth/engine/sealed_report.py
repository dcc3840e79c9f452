"""Report on sealed values: whether each is under the newest certificate, and what is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from troth.engine.awaited_keys import WAITS
from troth.engine.reseal import Current, is_current
from troth.engine.sealed_values import Found
from troth.engine.suspension import spell_moment
from troth.engine.values import World
from troth.errors import Reason, TrothError

__all__ = ["EXPIRED", "NOT_IN_FILES", "NO_FINGERPRINT", "Listed", "report_sealed"]

EXPIRED = "Expired"
"""A problem: what is published has come to its own end."""

NO_FINGERPRINT = "NoFingerprint"
"""A problem: it was sealed without a sealing key, so a change of the value is not noticed."""

NOT_IN_FILES = "NotInFiles"
"""A problem: no file of its request holds it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A sealed value in a report.

    Attributes:
        found: the value.
        is_current: whether it is under the certificate that its Destination has now; None where
            that cannot be told.
        problems: each a word, one of docs/errors.md or of the three above, and why.
    """

    found: Found
    is_current: bool | None
    problems: tuple[tuple[str, str], ...] = ()


def report_sealed(
    found: Iterable[Found], world: World, current: Current, now: datetime
) -> list[Listed]:
    """Return what there is to say of sealed values, in the same order.

    Args:
        found: the values.
        world: Destinations; where none is given, nobody can tell which certificates are old.
        current: tells the fingerprint of a Destination's certificate.
        now: UTC.
    """
    return [
        replace(one, problems=(*one.problems, *_of_credential(one.found, now)))
        for one in (_listed(each, world, current) for each in found)
    ]


def _of_credential(one: Found, now: datetime) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if one.expires is not None and one.expires <= now:
        text = f"it ended at {spell_moment(one.expires)}, and what is published is this one."
        problems.append((EXPIRED, text))
    if one.undone:
        problems.append((Reason.EFFECTS_UNDONE.value, one.undone))
    if one.waits:
        problems.append((Reason.KEY_REPLACED.value, WAITS))
    return problems


def _listed(one: Found, world: World, current: Current) -> Listed:
    value, problems, newest = one.value, list[tuple[str, str]](), None
    if one.problem is not None:
        problems.append((one.problem.reason.value, one.problem.message))
    if value is None:
        return Listed(one, None, tuple(problems))
    if world.destinations:
        try:
            newest = is_current(value, world, current)
        except TrothError as error:
            problems.append((error.reason.value, error.message))
    if value.fingerprint is None:
        text = "it was sealed without a sealing key: that its value changed would not be noticed."
        problems.append((NO_FINGERPRINT, text))
    if one.secret is None:
        problems.append((NOT_IN_FILES, "it stands in none of the files of its request."))
    return Listed(one, newest, tuple(problems))
