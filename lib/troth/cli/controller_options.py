"""Options that say where sealed-secrets controllers are, and how one is let in to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path

import click

from troth.errors import InvalidInputError, Reason
from troth.local.controllers import Controllers
from troth.local.sealing import Certificates, bearer
from troth.sdk.sealing import HttpAccess

__all__ = ["ControllerOptions", "access_of", "controller_options"]


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """The options by which controllers are found; each is described where it is declared."""

    controller: Mapping[str, str]
    controller_token_file: Path | None
    controller_ca_file: Path | None
    controller_timeout: float

    def among(self, certificates: Certificates) -> Controllers:
        """Return the controllers of these Destinations.

        Raises:
            InvalidInputError: the file with the token cannot be read, or a Destination is unknown.
        """
        unknown = sorted(self.controller.keys() - {"", *certificates.world.destinations})
        if unknown:
            message = (
                f"--controller names the Destination {unknown[0]}, which is not among those given."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        access = access_of(
            self.controller_token_file, self.controller_ca_file, self.controller_timeout
        )
        return Controllers(certificates, self.controller, access)


def controller_options(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `ControllerOptions` holds, and hand it over as ``controllers``."""

    @wraps(function)
    def collected(**given: object) -> int:
        mine = {one.name: given.pop(one.name) for one in fields(ControllerOptions)}
        return function(controllers=ControllerOptions(**mine), **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)

    decorated: Callable[..., int] = collected
    for take in reversed(_OPTIONS):
        decorated = take(decorated)
    return decorated


def access_of(token_file: Path | None, ca_file: Path | None, limit: float = 10.0) -> HttpAccess:
    """Return how a host is asked, by the files that options name.

    Raises:
        InvalidInputError: the file with the token cannot be read.
    """
    if token_file is None:
        return HttpAccess(ca_file, limit=limit)
    try:
        token = bearer(token_file.read_bytes())
    except OSError as error:
        message = f"the token file {token_file} cannot be read: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_CREDENTIALS, message) from None
    return HttpAccess(ca_file, token, limit)


def _by_destination(
    _: click.Context, __: click.Parameter, given: Sequence[str]
) -> Mapping[str, str]:
    """Return address by Destination; one without a name before it is for all others."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, address = one.partition("=")
        name, address = (name, address) if equals and "/" not in name else ("", one)
        if name in found:
            which = f"Destination {name}" if name else "all Destinations"
            raise click.BadParameter(f"there are two for {which}.")
        found[name] = address
    return found


_OPTIONS = (
    click.option(
        "--controller",
        multiple=True,
        callback=_by_destination,
        metavar="[DESTINATION=]URL",
        help="Where the sealed-secrets controller is: a forwarded port, or the API server's proxy "
        "of its Service, https://HOST/api/v1/namespaces/NS/services/http:NAME:PORT/proxy. May be "
        "repeated.  [default: where the Destination's certificate is had from]",
    ),
    click.option(
        "--controller-token-file",
        envvar="TROTH_CONTROLLER_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Token for the API server of --controller.",
    ),
    click.option(
        "--controller-ca-file",
        envvar="TROTH_CONTROLLER_CA_FILE",
        show_envvar=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Certificates that vouch for the host of --controller, in PEM.",
    ),
    click.option(
        "--controller-timeout",
        type=click.FloatRange(min=0.1, max=3600.0),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a controller may take for one object.",
    ),
)
