"""Subjects of permissions: which of them a NATS server reads as they are meant.

A subject is tokens joined by dots. ``*`` stands for one token and ``>`` for all that follow, each
only as a whole token; in permissions to subscribe, the name of a queue may follow after one blank.
Source: nats-io/nats-server, server/sublist.go, and nats-io/jwt, v2/types.go. Narrower than they are
where a server would take a slip of the pen for a plain character, and so allow or deny nothing.
"""

from collections.abc import Sequence

from troth.api import field_path
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["SUBJECT_LIMIT", "check_subjects", "subject_problem"]

# Characters. A server takes lines of 4096 bytes, on which a reply subject, a queue and lengths have
# to find place too; what people write is far below.
SUBJECT_LIMIT = 1024

_QUOTE_LIMIT = 100  # characters of a subject that a message quotes


def subject_problem(subject: str, *, queue: bool = False) -> str | None:
    """Say what is wrong with the subject of a permission; None when nothing is.

    Args:
        subject: as the permission has it.
        queue: whether the name of a queue may follow after a blank.
    """
    quoted = repr(shorten(subject, _QUOTE_LIMIT))
    if problem := _text_problem(subject, quoted):
        return problem
    subject, blank, group = subject.partition(" ")
    if not blank:
        return _tokens_problem(subject, quoted)
    if not queue:
        return f"{quoted} holds a blank, which no subject may hold"
    if " " in group or not group or not subject:
        return f"{quoted} has to be a subject, one blank, and the name of a queue"
    return _tokens_problem(subject, quoted) or _tokens_problem(group, f"the queue of {quoted}")


def check_subjects(
    subjects: Sequence[str], at: tuple[str | int, ...], *, queue: bool = False
) -> None:
    """Check the list of subjects that stands at this field.

    Raises:
        InvalidInputError: one is wrong, or stands there twice; it names field and subject.
    """
    seen: set[str] = set()
    for index, subject in enumerate(subjects):
        problem = subject_problem(subject, queue=queue)
        if problem is None and subject in seen:
            problem = f"{shorten(subject, _QUOTE_LIMIT)!r} stands here twice"
        if problem is not None:
            place = (*at, index)
            message = f"{field_path(place)}: {problem}."
            raise InvalidInputError(Reason.INVALID_OBJECT, message, place)
        seen.add(subject)


def _text_problem(subject: str, quoted: str) -> str | None:
    if not subject:
        return "an empty text is no subject; '>' stands for all of them"
    if len(subject) > SUBJECT_LIMIT:
        return f"{quoted} has {len(subject)} characters; at most {SUBJECT_LIMIT} are allowed"
    # The plain blank is the only one that counts as printable.
    if not subject.isprintable():
        return f"{quoted} holds a control character or a blank that cannot be seen; take it out"
    return None


def _tokens_problem(subject: str, quoted: str) -> str | None:
    if "{{" in subject:
        # Only the template of a scoped signing key is filled in by the server.
        return f"{quoted} holds '{{{{', which servers fill in for scoped signing keys only"
    parts = subject.split(".")
    if "" in parts:
        return f"{quoted} has an empty token: a dot at its begin or end, or two in a row"
    if ">" in parts[:-1]:
        return f"{quoted} has '>' before its end; it stands for all that follows, so it comes last"
    for part in parts:
        for wildcard in "*>":
            if wildcard in part and part != wildcard:
                return f"{quoted} holds {wildcard!r} within {part!r}; it has to be a whole token"
    return None
