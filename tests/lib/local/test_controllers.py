"""Where certificates and controllers of Destinations are had from, and what lets in there."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.certificates import Certificates as Tls
from support.fake_controller import FakeController, serve_controller
from support.sealing import NOW, certificate, certificate_pem, private_key

from troth.api import Destination, SecretRef
from troth.engine import World
from troth.errors import InvalidInputError, Reason, TrothError
from troth.local import SecretsFolder
from troth.local.controllers import Controllers
from troth.local.sealing import Certificates, bearer
from troth.sdk.sealing import CertificateCache, HttpAccess

ACCESS = SecretRef("platform", "west-api")
TOKEN = "a.b.c"  # noqa: S105  (a token of a test)


def west(source: str | None, access: SecretRef | None = None) -> Destination:
    return Destination("west", {}, "west", None, certificate=source, sealing_access=access)


def certificates(destination: Destination, secrets: Path | None = None) -> Certificates:
    world = World({}, {"west": destination})
    folder = None if secrets is None else SecretsFolder(secrets)
    return Certificates(world, CertificateCache(NOW), folder)


def laid(folder: Path, values: Mapping[str, str]) -> Path:
    """Write the Secret; return the folder of all."""
    secret = folder / "secrets/platform/west-api"
    secret.mkdir(parents=True)
    for key, text in values.items():
        (secret / key).write_text(text)
    return folder / "secrets"


def test_token_and_authority_of_a_secret_let_in(tmp_path: Path) -> None:
    tls = Tls.make(tmp_path / "tls")
    secrets = laid(tmp_path, {"token": f"{TOKEN}\n", "ca.crt": tls.bundle.read_text()})
    fake = FakeController(prefix="/proxy", token=TOKEN)
    with serve_controller(tmp_path, fake, tls.good) as host:
        destination = west(host.url("proxy/v1/cert.pem"), ACCESS)
        found = certificates(destination, secrets)

        assert found.current("west") == certificate().fingerprint
        assert Controllers(found).of(destination).base == host.url("proxy")


def test_a_token_of_a_secret_goes_nowhere_but_to_its_own_host(tmp_path: Path) -> None:
    tls = Tls.make(tmp_path / "tls")
    secrets = laid(tmp_path, {"token": TOKEN, "ca.crt": tls.bundle.read_text()})
    destination = west("https://west.example.com", ACCESS)
    given = Controllers(
        certificates(destination, secrets), {"west": "https://other.example.com"}, HttpAccess()
    )

    assert given.of(destination).access == HttpAccess()


@pytest.mark.parametrize(
    ("values", "reason", "text"),
    [
        (None, Reason.SECRET_NOT_FOUND, "give --secrets-dir"),
        ({"other": TOKEN}, Reason.INVALID_CREDENTIALS, "neither the key token nor ca.crt"),
    ],
)
def test_a_secret_that_lets_nobody_in_is_said(
    tmp_path: Path, values: Mapping[str, str] | None, reason: Reason, text: str
) -> None:
    secrets = None if values is None else laid(tmp_path, values)
    with pytest.raises(InvalidInputError) as caught:
        certificates(west("https://h", ACCESS), secrets).load(west("https://h", ACCESS))

    assert caught.value.reason is reason
    assert text in caught.value.message
    assert TOKEN not in caught.value.message


def test_a_secret_that_is_not_there_is_said_of_its_destination(tmp_path: Path) -> None:
    destination = west("https://h", ACCESS)
    with pytest.raises(
        TrothError, match=r"Destination west \(troth.dev/sealing-access\)"
    ) as caught:
        certificates(destination, tmp_path).load(destination)

    assert caught.value.reason is Reason.SECRET_NOT_FOUND


def test_a_destination_without_a_certificate_is_said() -> None:
    with pytest.raises(InvalidInputError, match="Destination west has no annotation"):
        certificates(west(None)).current("west")


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, "https://west.example.com"),
        ({"": "http://127.0.0.1:1/"}, "http://127.0.0.1:1"),
        ({"east": "http://127.0.0.1:1"}, "https://west.example.com"),
        ({"": "http://127.0.0.1:1", "west": "http://127.0.0.1:2"}, "http://127.0.0.1:2"),
    ],
)
def test_the_controller_that_is_given_goes_before_the_certificates_own(
    given: Mapping[str, str], base: str
) -> None:
    destination = west("https://west.example.com/v1/cert.pem")

    assert Controllers(certificates(destination), given).of(destination).base == base


@pytest.mark.parametrize("source", ["west.pem", certificate_pem(private_key()).decode(), None])
def test_where_no_controller_follows_that_is_said(source: str | None) -> None:
    with pytest.raises(InvalidInputError, match="give --controller west=URL"):
        Controllers(certificates(west(source))).of(west(source))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_line_end_is_no_part_of_a_token(end: str) -> None:
    assert bearer(f"{TOKEN}{end}".encode()) == TOKEN
