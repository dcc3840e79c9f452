"""The stage ``template``: a Promise without Python, whose templates stand in the Promise itself.

Here belongs how the container's variables carry the templates: `TEMPLATES` (output path →
template) and `STATUS` (a template of the status). The language is ``troth.sdk.templates``; its
description is docs/templates.md.
"""

import re

from pydantic import BaseModel, ConfigDict

from troth.errors import InvalidInputError, Reason
from troth.sdk import Context, Output, Request, Stage
from troth.sdk.templates import read_files, read_value, request_variables

__all__ = ["STAGE", "AnySpec", "configure"]

_TEMPLATES, _STATUS = "TEMPLATES", "STATUS"

# What Linux takes in one variable, its name, '=' and final NUL included (MAX_ARG_STRLEN); a
# container that has more does not start.
_BYTES_LIMIT = 128 * 1024

# What Kubernetes would replace in a variable before the stage sees it, and worker processes would
# not. Source: the field `value` of EnvVar in the API reference.
_REPLACED = re.compile(rf"\$\$|\$\((?:KRATIX_\w*|{_TEMPLATES}|{_STATUS})\)")


class AnySpec(BaseModel):
    """Any spec: the schema in the Promise says what may be asked for."""

    model_config = ConfigDict(extra="allow")


def configure(request: Request[AnySpec], context: Context) -> Output:
    """Render the templates that the container's variables hold.

    All are read before any is rendered, so that a broken one is never found halfway.

    Raises:
        InvalidInputError: there are no templates, something is wrong with one, or one does not
            fit the request.
    """
    variables = request_variables(request, context)
    names = frozenset(variables)
    templates = _text(context, _TEMPLATES)
    if not templates.strip():
        message = (
            f"the container has no variable {_TEMPLATES}, or an empty one; it has to hold a "
            "mapping of output path to template."
        )
        raise InvalidInputError(Reason.INVALID_TEMPLATE, message)
    status = _text(context, _STATUS)
    files = read_files(templates, _TEMPLATES, names)
    summary = read_value(status, _STATUS, names) if status.strip() else None
    return Output(
        files=files.render(variables),
        status=summary.render(variables) if summary is not None else {},
    )


def _text(context: Context, name: str) -> str:
    """Return a variable of the container, refusing what would be another on Kubernetes."""
    text = context.environ.get(name, "")
    size = len(f"{name}={text}\0".encode())
    if size > _BYTES_LIMIT:
        message = (
            f"{name} has {size} bytes, a container takes at most {_BYTES_LIMIT} in one variable; "
            "spread the templates over several containers of the pipeline."
        )
        raise InvalidInputError(Reason.INVALID_TEMPLATE, message)
    found = _REPLACED.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        message = (
            f"{name}:{line}: Kubernetes replaces {found[0]!r} in variables of containers; write "
            "{{ '$' }} for the first '$'."
        )
        raise InvalidInputError(Reason.INVALID_TEMPLATE, message)
    return text


STAGE = Stage(model=AnySpec, configure=configure)
