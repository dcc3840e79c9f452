"""The variables that the templates of a Promise have: its request, and who serves it."""

from typing import TypeVar

from pydantic import BaseModel

from troth.api import Fields, Json
from troth.sdk.stage import Context, Request

__all__ = ["request_variables"]


M = TypeVar("M", bound=BaseModel)


def request_variables(request: Request[M], context: Context) -> dict[str, Json]:
    """Return what templates may know; nothing of it comes from the clock or the machine."""
    fields = Fields(request.raw)
    return {
        "apiVersion": fields.text("apiVersion", ""),
        "kind": fields.text("kind", ""),
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "labels": dict(request.labels),
            "annotations": dict(request.annotations),
        },
        "promise": context.promise,
        "spec": dict(fields.mapping("spec")),
        "status": dict(request.status),
    }
