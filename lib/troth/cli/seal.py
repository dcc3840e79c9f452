"""``troth seal``: a value, or a whole Secret, from standard input to a SealedSecret."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

import click

from troth.api import dump_documents
from troth.cli.controller_options import access_of
from troth.cli.reports import console
from troth.engine import World
from troth.errors import InvalidInputError, Reason
from troth.local import SecretsFolder, load
from troth.local.plain_secret import PlainSecret
from troth.local.sealing import Certificates
from troth.sdk.sealing import (
    Certificate,
    CertificateCache,
    InProcessSealer,
    KubesealSealer,
    PatchMode,
    Scope,
    SecretShape,
)

__all__ = ["seal"]

_LARGEST = 1024 * 1024  # bytes of a Secret, as Kubernetes has it
_SEALERS = {"in-process": InProcessSealer, "kubeseal": KubesealSealer}
_MODES = [str(mode) for mode in PatchMode if mode is not PatchMode.PATCH_NOTHING]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for beside the value; each is described where it is declared."""

    name: str | None
    namespace: str | None
    key: str | None
    kind: str | None
    scope: str | None
    patch_mode: str | None
    labels: Mapping[str, str]

    def read(self) -> PlainSecret:
        """Read what is to be sealed from standard input.

        Raises:
            UsageError: nobody could type that, or no value was meant.
            InvalidInputError: there is no Secret, or too much.
        """
        if self.key is None:
            if sys.stdin.isatty():
                text = "give a Secret on standard input, or --key to be asked for one value."
                raise click.UsageError(text)
            return PlainSecret.parse(_standard_input())
        return PlainSecret("", "", {self.key: _asked() if sys.stdin.isatty() else _piped()})

    def over(self, secret: PlainSecret) -> PlainSecret:
        """Return the Secret with what the command line says of it."""
        shape = SecretShape(
            self.kind or secret.shape.type,
            {**secret.shape.labels, **self.labels},
            secret.shape.annotations,
        )
        return replace(
            secret,
            name=self.name or secret.name,
            namespace=self.namespace or secret.namespace,
            shape=shape,
            scope=Scope(self.scope) if self.scope is not None else secret.scope,
            mode=PatchMode(self.patch_mode) if self.patch_mode is not None else secret.mode,
        )


def _wished(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `_Wish` holds, and hand it over as ``wish``."""

    @wraps(function)
    def collected(**given: object) -> int:
        mine = {one.name: given.pop(one.name) for one in fields(_Wish)}
        return function(wish=_Wish(**mine), **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)

    return collected


def _labels(_: click.Context, __: click.Parameter, given: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in given:
        key, equals, text = one.partition("=")
        if not key or not equals:
            raise click.BadParameter("a label is NAME=VALUE.")
        found[key] = text
    return found


@click.command()
@click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]..."
)
@click.option("--name", metavar="NAME", help="Name of the Secret.")
@click.option("--namespace", "-n", metavar="NS", help="Namespace of the Secret.")
@click.option(
    "--key",
    "-k",
    metavar="KEY",
    help="Standard input is the value of this key, to the byte; at a terminal it is asked for, and "
    "not shown. Without it a Secret, in YAML or JSON, is read.",
)
@click.option(
    "--type", "kind", metavar="TYPE", help="Type of the Secret.  [default: Opaque, or its own]"
)
@click.option(
    "--scope",
    type=click.Choice([str(scope) for scope in Scope]),
    help="How far the sealed value may be carried.  [default: strict, or by its annotations]",
)
@click.option(
    "--patch-mode",
    type=click.Choice(_MODES),
    help="What becomes of a Secret that is there.  [default: replace, or by its annotations]",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    callback=_labels,
    metavar="NAME=VALUE",
    help="A label of the Secret; may be repeated.",
)
@click.option("--allow-empty", is_flag=True, help="Seal an empty value too.")
@click.option(
    "--certificate",
    metavar="FILE|URL|PEM",
    help="What to seal with: as troth.dev/sealing-certificate, a file, an https URL, or a "
    "controller behind a forwarded port.",
)
@click.option(
    "--certificate-token-file",
    "token_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Token for the API server that --certificate leads through.",
)
@click.option(
    "--certificate-ca-file",
    "ca_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificates that vouch for the host of --certificate, in PEM.",
)
@click.option(
    "--destination",
    "-d",
    metavar="NAME",
    help="Seal for this Destination, and say so in the SealedSecret; with the certificate that it "
    "names in PATH..., unless --certificate is given.",
)
@click.option(
    "--secrets-dir",
    envvar="TROTH_SECRETS_DIR",
    show_envvar=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the Secret is that troth.dev/sealing-access of the Destination names.",
)
@click.option(
    "--sealer",
    envvar="TROTH_SEALER",
    show_envvar=True,
    type=click.Choice(list(_SEALERS)),
    default="in-process",
    show_default=True,
    help="What seals; kubeseal has to be on PATH.",
)
@click.option(
    "--output-format",
    "-o",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Form of the SealedSecret on standard output.",
)
@_wished
def seal(  # noqa: PLR0913  (each is an option, handed over by name)
    *,
    paths: tuple[Path, ...],
    wish: _Wish,
    allow_empty: bool,
    certificate: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    destination: str | None,
    secrets_dir: Path | None,
    sealer: str,
    form: str,
) -> int:
    """Seal a value, or a whole Secret, from standard input into a SealedSecret.

    Only the cluster of the certificate can open it. There is no option that takes a value, since
    every user of the machine sees arguments.

    \b
    Examples:
      printf %s "$PASSWORD" | troth seal --name db -n shop --key password --certificate west.pem
      troth seal platform --destination west --name db -n shop --key password
      kubectl create secret generic db -n shop --from-file=password --dry-run=client -o yaml |
        troth seal platform --destination west > db.yaml
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    if certificate is not None:
        cache = CertificateCache(datetime.now(UTC))
        used = cache.load(certificate, access_of(token_file, ca_file))
    else:
        used = _certificate_of(destination, paths, secrets_dir)
    secret = wish.over(wish.read())
    made = secret.seal(_SEALERS[sealer](used), destination, allow_empty=allow_empty)
    if form == "json":
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        click.echo(dump_documents([made]).decode(), nl=False)
    return 0


def _certificate_of(
    destination: str | None, paths: Sequence[Path], secrets_dir: Path | None
) -> Certificate:
    """Return the certificate of a Destination. Raises UsageError, or as `Certificates.load`."""
    if destination is None or not paths:
        raise click.UsageError("give --certificate, or --destination with PATH... to look in.")
    inputs = load(paths)
    found = inputs.destinations.get(destination)
    if found is None:
        message = f"Destination {destination} is not among those given."
        reasons = [item.message for item in inputs.problems]
        raise InvalidInputError(Reason.DESTINATION_GONE, " ".join([message, *reasons]))
    secrets = None if secrets_dir is None else SecretsFolder(secrets_dir)
    cache = CertificateCache(datetime.now(UTC))
    return Certificates(World({}, inputs.destinations), cache, secrets).load(found)


def _asked() -> bytes:
    """Ask somebody who sits there, without showing what is typed."""
    return str(
        click.prompt("Value", default="", show_default=False, hide_input=True, err=True)
    ).encode()


def _piped() -> bytes:
    value = _standard_input()
    if value.endswith(b"\n"):
        console(stderr=True).print(
            "Note: the value ends with a line end, which is sealed with it; printf %s leaves it "
            "out."
        )
    return value


def _standard_input() -> bytes:
    content = sys.stdin.buffer.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        message = f"standard input has more than {_LARGEST} bytes, more than a Secret may have."
        raise InvalidInputError(Reason.TOO_LARGE, message)
    return content
