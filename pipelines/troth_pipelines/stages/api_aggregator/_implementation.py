"""Which software stands behind a GatewayClass: what no object in the request can tell.

The Promise says it in two variables of the stage's container: GATEWAY_CLASSES, a mapping in YAML,
by class, and GATEWAY_IMPLEMENTATION for classes that it does not name and for Gateways that exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from troth.api import load_object
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["Implementation", "Serving", "serving_of"]

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


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves a Gateway, going by its class.

    Attributes:
        implementation: the software.
        class_name: the GatewayClass; None for a Gateway that exists, whose class is not known.
        known: the classes of which the Promise says what serves them, sorted.
    """

    implementation: Implementation
    class_name: str | None
    known: tuple[str, ...]

    def missing(self) -> tuple[str, str]:
        """Say what the Promise leaves open, and what the platform team can do about it."""
        if self.class_name is None:
            what = "what serves Gateways that exist already"
            return what, f"set {_DEFAULT} in the Promise"
        known = f"known are {', '.join(self.known)}" if self.known else "it names no class"
        what = f"what serves the GatewayClass {self.class_name!r}; {known}"
        return what, f"add the class to {_CLASSES} in the Promise"


def serving_of(class_name: str | None, environ: Mapping[str, str]) -> Serving:
    """Tell what serves a GatewayClass, or, of None, the Gateways that exist.

    Raises:
        InvalidInputError: a variable of the Promise is not what it should be.
    """
    default = _named(environ.get(_DEFAULT, ""), _DEFAULT)
    classes = _classes(environ.get(_CLASSES, ""))
    known = sorted(name for name, one in classes.items() if one is not Implementation.OTHER)
    implementation = default if class_name is None else classes.get(class_name, default)
    return Serving(implementation, class_name, tuple(known))


def _classes(text: str) -> dict[str, Implementation]:
    if not text.strip():
        return {}
    try:
        raw = load_object(text, _CLASSES)
    except InvalidInputError as error:
        raise _refusal(_CLASSES, error.message) from error
    classes: dict[str, Implementation] = {}
    for name, value in raw.items():
        if not isinstance(value, str):
            raise _refusal(_CLASSES, f"{shorten(name, _QUOTE_LIMIT)!r} has no text as its value.")
        classes[name] = _named(value, _CLASSES)
    return classes


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
