"""Where a sealing certificate is had from: text, a file, a URL, or the controller itself."""

import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import urlsplit

from troth.api.names import dns_label_problem
from troth.errors import InvalidInputError, Reason, TrothError
from troth.sdk.sealing._access import HttpAccess, without_query
from troth.sdk.sealing._certificate import Certificate
from troth.sdk.sealing._controller import CERTIFICATE_PATH

__all__ = ["CertificateCache", "CertificateSource", "ControllerService", "load_certificate"]

_SIZE = 1024 * 1024  # bytes of a file
_PORT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?|")


@dataclass(frozen=True, slots=True)
class ControllerService:
    """The controller's Service, asked through the API server's proxy, as kubeseal does.

    Who asks needs ``get`` of ``services`` (unless the port is given) and of ``services/proxy``.

    Attributes:
        server: the API server's address.
        namespace: of the Service.
        name: of the Service; the Helm chart names it after the release.
        port: its name or number; None has the API server tell that of its first port.
    """

    server: str
    namespace: str = "kube-system"
    name: str = "sealed-secrets-controller"
    port: str | None = None

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.namespace}/{self.name} through {without_query(self.server)}"


CertificateSource: TypeAlias = str | Path | ControllerService
"""A certificate in PEM, a file, a URL, or a controller behind an API server.

A URL without a path is that of a controller, and is asked for ``/v1/cert.pem``.
"""


def load_certificate(
    source: CertificateSource, now: datetime, access: HttpAccess | None = None
) -> Certificate:
    """Load the certificate that a cluster's secrets are sealed with.

    A text is PEM if it has a block in it, a URL if it begins like one, and else a file's path.
    Plain http is spoken with this machine alone (a forwarded port): anybody on the way could put
    a certificate of his own in its place, and read what is sealed with it.

    Args:
        source: where it is had from.
        now: the moment, with its zone, that it has to be good at.
        access: whom to trust, and the token for an API server.

    Raises:
        InvalidInputError: it is none, is expired or too weak, or cannot be had from there.
        TransientError: the host does not answer, or not now.
    """
    access = access or HttpAccess()
    if isinstance(source, ControllerService):
        return Certificate.parse(_from_service(source, access), str(source), now)
    if isinstance(source, str) and "-----BEGIN" in source:
        return Certificate.parse(source.encode(), "given as text", now)
    if isinstance(source, str) and re.match(r"https?://", source, re.IGNORECASE):
        url = _with_path(source)
        return Certificate.parse(_fetch(url, access), without_query(url), now)
    return Certificate.parse(_from_file(Path(source)), str(source), now)


@dataclass(slots=True)
class CertificateCache:
    """Certificates of one run, each loaded once, failures among them.

    Args:
        now: the moment of the run.
    """

    now: datetime
    _loaded: dict[tuple[CertificateSource, HttpAccess], Certificate | TrothError] = field(
        default_factory=dict[tuple[CertificateSource, HttpAccess], Certificate | TrothError],
        init=False,
        repr=False,
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def load(self, source: CertificateSource, access: HttpAccess | None = None) -> Certificate:
        """Return the certificate of a source, as `load_certificate` does.

        Raises:
            InvalidInputError, TransientError: as that does, the same each time.
        """
        access = access or HttpAccess()
        with self._lock:
            key = (source, access)
            if key not in self._loaded:
                try:
                    self._loaded[key] = load_certificate(source, self.now, access)
                except TrothError as error:
                    self._loaded[key] = error
            found = self._loaded[key]
        if isinstance(found, TrothError):
            raise found.with_traceback(None)
        return found


def _fetch(url: str, access: HttpAccess) -> bytes:
    from troth.sdk.sealing._fetch import fetch  # noqa: PLC0415  (stages load no certificates)

    return fetch(url, access)


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_SIZE)
    except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
        why = (isinstance(error, OSError) and error.strerror) or "that is no path"
        message = (
            f"the sealing certificate {str(path)!r} cannot be read: {why}. Give PEM, a file, an "
            "https URL, or a controller's address."
        )
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message) from None


def _with_path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # `_fetch` says what is wrong with it
    return url if parts.path not in {"", "/"} else parts._replace(path=CERTIFICATE_PATH).geturl()


def _from_service(service: ControllerService, access: HttpAccess) -> bytes:
    for what, name in (("namespace", service.namespace), ("name", service.name)):
        if problem := dns_label_problem(name):
            message = f"the {what} of the controller's Service: {problem}."
            raise InvalidInputError(Reason.INVALID_NAME, message)
    base = f"{service.server.rstrip('/')}/api/v1/namespaces/{service.namespace}/services"
    port = service.port
    if port is None:
        port = _first_port(service, _fetch(f"{base}/{service.name}", access))
    if not _PORT.fullmatch(port):
        message = f"the port of the controller's Service {service} is {port[:80]!r}; that is none."
        raise InvalidInputError(Reason.INVALID_NAME, message)
    return _fetch(f"{base}/http:{service.name}:{port}/proxy{CERTIFICATE_PATH}", access)


def _first_port(service: ControllerService, answer: bytes) -> str:
    """Return the name of a Service's first port, empty where it has none, as kubeseal takes it."""
    try:
        loaded = cast("dict[str, dict[str, list[dict[str, object]]]]", json.loads(answer))
        name = loaded["spec"]["ports"][0].get("name", "")
    except (ValueError, LookupError, TypeError, AttributeError):
        name = None
    if not isinstance(name, str):
        message = (
            f"the API server's answer about the Service {service} names no port. Is it the "
            "Service of a sealed-secrets controller?"
        )
        raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
    return name
