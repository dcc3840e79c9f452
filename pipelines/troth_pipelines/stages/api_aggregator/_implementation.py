"""Which software stands behind a GatewayClass: what no object in the request can tell.

The Promise says it in two variables of the stage's container: GATEWAY_IMPLEMENTATION for all
classes, and GATEWAY_CLASSES, a mapping in YAML, for those that differ.
"""

from collections.abc import Mapping
from enum import StrEnum

from troth.api import load_object
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["Implementation", "implementation_of"]

_DEFAULT = "GATEWAY_IMPLEMENTATION"
_CLASSES = "GATEWAY_CLASSES"
_QUOTE_LIMIT = 60  # characters


class Implementation(StrEnum):
    """Software that serves Gateways; OTHER is all that is not told apart here."""

    NGINX_GATEWAY_FABRIC = "nginx-gateway-fabric"
    ENVOY_GATEWAY = "envoy-gateway"
    TRAEFIK = "traefik"
    ISTIO = "istio"
    OTHER = "other"


def implementation_of(class_name: str | None, environ: Mapping[str, str]) -> Implementation:
    """Tell the implementation of a GatewayClass, or, of None, of the Gateways that exist.

    Raises:
        InvalidInputError: a variable of the Promise is not what it should be.
    """
    default = _named(environ.get(_DEFAULT, ""), _DEFAULT)
    text = environ.get(_CLASSES, "")
    if not text.strip():
        return default
    try:
        raw = load_object(text, _CLASSES)
    except InvalidInputError as error:
        raise _refusal(_CLASSES, error.message) from error
    classes: dict[str, Implementation] = {}
    for name, value in raw.items():
        if not isinstance(value, str):
            raise _refusal(_CLASSES, f"{shorten(name, _QUOTE_LIMIT)!r} has no text as its value.")
        classes[name] = _named(value, _CLASSES)
    return default if class_name is None else classes.get(class_name, default)


def _named(value: str, variable: str) -> Implementation:
    if not value:
        return Implementation.OTHER
    try:
        return Implementation(value)
    except ValueError as error:
        known = ", ".join(Implementation)
        message = f"{shorten(value, _QUOTE_LIMIT)!r} is no implementation; known are {known}."
        raise _refusal(variable, message) from error


def _refusal(variable: str, message: str) -> InvalidInputError:
    text = f"the Promise's variable {variable} is wrong, not the request: {message}"
    return InvalidInputError(Reason.PROMISE_INVALID, text)
