"""The variables of one container: literal ones, and those out of Secrets and ConfigMaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import KeyRef, SecretKind, SecretRef, Secrets, expand_variables
from troth.errors import InvalidInputError, Reason
from troth.runners.protocol import StageJob
from troth.runners.warm._images import Step

__all__ = ["Variables", "variables_of"]


@dataclass(frozen=True, slots=True)
class Variables:
    """What a container is given.

    Attributes:
        environ: all of its environment.
        secrets: value → name of a variable that has it, of those that come from Secrets.
    """

    environ: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)


def variables_of(
    step: Step, job: StageJob, base: Mapping[str, str], secrets: Secrets | None
) -> Variables:
    """Return the variables of one container of a job.

    Args:
        step: the container.
        job: what is run; its own variables come on top of `base`.
        base: what every container has.
        secrets: where Secrets and ConfigMaps are, None when nobody said.

    Raises:
        InvalidInputError: one cannot be had, and is not optional.
    """
    kept: dict[str, str] = {}

    def look_up(reference: KeyRef) -> str | None:
        try:
            value = _read(reference, job.namespace, secrets)
        except InvalidInputError as error:
            missing = error.reason is Reason.SECRET_NOT_FOUND
            if missing and (reference.optional or job.rehearsed):
                return None
            raise error.about(f"container {step.container!r}") from None
        if reference.kind is SecretKind.SECRET:
            names = (one.name for one in step.env if one.value == reference)
            kept[value] = next(names)
        return value

    environ = expand_variables(step.env, {**base, **job.environ}, look_up)
    # A secret may have become part of other variables, by $(NAME) in their values.
    literal = {environ[one.name]: one.name for one in step.env if isinstance(one.value, str)}
    made = {text: literal[text] for text in literal if any(one and one in text for one in kept)}
    return Variables(environ, {**made, **kept})


def _read(reference: KeyRef, namespace: str, secrets: Secrets | None) -> str:
    where = SecretRef(namespace, reference.name, reference.kind)
    if secrets is None:
        message = (
            f"a variable comes from the {reference.kind} {where}; say with --secrets-dir DIR where "
            "Secrets are."
        )
        raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
    values = secrets.read(where)
    if reference.key not in values:
        known = ", ".join(sorted(values)) or "none"
        message = f"{reference.kind} {where} has no key {reference.key!r}; it has: {known}."
        raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
    try:
        value = values[reference.key].decode()
    except UnicodeDecodeError:
        value = "\0"
    if "\0" in value:
        message = f"the value of {reference.key} in {reference.kind} {where} is no text."
        raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
    return value
