"""Certificates: what may be sealed with, and what is said of the others."""

import base64
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.sealing import BEGIN, END, NOW, certificate_pem, private_key, private_pem

from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import Certificate, key_fingerprint

GOOD = certificate_pem(private_key())


def refusal(pem: bytes, now: datetime = NOW) -> str:
    with pytest.raises(InvalidInputError) as caught:
        Certificate.parse(pem, "certs/prod.pem", now)
    assert caught.value.reason is Reason.CERTIFICATE_UNUSABLE
    message = caught.value.message
    assert message.startswith("the sealing certificate certs/prod.pem cannot be used: ")
    assert message.endswith("as `kubeseal --fetch-cert` prints it.")
    return message


def test_a_good_certificate_tells_its_key_and_its_end() -> None:
    certificate = Certificate.parse(GOOD, "it", NOW)

    assert certificate.pem == GOOD
    assert certificate.not_after == END
    assert certificate.public_key.public_numbers() == private_key().public_key().public_numbers()


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("platform: no ssh-keygen")
    public = tmp_path / "key.pub"
    public.write_bytes(
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    printed = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=True
    ).stdout

    assert Certificate.parse(GOOD, "it", NOW).fingerprint == printed.split()[1]


def test_a_renewed_certificate_of_the_same_key_has_the_same_fingerprint() -> None:
    renewed = certificate_pem(private_key(), end=END + timedelta(days=30))

    assert Certificate.parse(renewed, "it", NOW).fingerprint == key_fingerprint(
        private_key().public_key()
    )


def test_of_a_bundle_the_first_counts_and_only_it_is_kept() -> None:
    certificate = Certificate.parse(
        b"Some text.\n" + GOOD + certificate_pem(private_key("other")), "it", NOW
    )

    assert certificate.pem == GOOD
    assert certificate.fingerprint == key_fingerprint(private_key().public_key())


def test_line_ends_of_windows_are_no_obstacle() -> None:
    certificate = Certificate.parse(GOOD.replace(b"\n", b"\r\n"), "it", NOW)

    assert certificate.fingerprint == key_fingerprint(private_key().public_key())


def test_an_expired_certificate_is_refused_by_the_moment_that_is_given() -> None:
    assert "it has expired on 2100-01-01T00:00:00Z." in refusal(GOOD, END + timedelta(seconds=1))


def test_a_certificate_is_good_up_to_its_last_moment() -> None:
    assert Certificate.parse(GOOD, "it", END).not_after == END


def test_a_certificate_that_was_good_is_refused_once_it_expires() -> None:
    certificate = Certificate.parse(GOOD, "it", NOW)

    with pytest.raises(InvalidInputError, match="expired"):
        certificate.refuse_expired(END + timedelta(days=1))


def test_a_beginning_to_come_is_no_obstacle_since_clocks_differ() -> None:
    certificate = Certificate.parse(GOOD, "it", BEGIN - timedelta(days=1))

    assert certificate.pem == GOOD


def test_a_key_that_is_too_weak_is_refused_with_its_size() -> None:
    message = refusal(certificate_pem(private_key("weak", 1024)))

    assert "its RSA key has 1024 bits, at least 2048 are needed." in message


def test_a_key_that_is_not_rsa_is_refused_with_its_kind() -> None:
    message = refusal(certificate_pem(ec.generate_private_key(ec.SECP256R1())))

    assert "its key is of the kind EC, and Sealed Secrets knows RSA alone." in message


@pytest.mark.parametrize(
    ("pem", "found"),
    [
        (b"", "0 bytes that are no PEM"),
        (b"<html>Sign in</html>", "20 bytes that are no PEM"),
        (b"\x30\x82\x01\x00", "4 bytes that are no PEM"),
        (b"-----BEGIN PUBLIC KEY-----\n", "blocks PUBLIC KEY"),
        (b"-----BEGIN CERTIFICATE-----\nMIIC", "blocks CERTIFICATE"),
    ],
)
def test_what_holds_no_certificate_is_refused_with_what_was_found(pem: bytes, found: str) -> None:
    assert f"no certificate was found in it, but {found}." in refusal(pem)


def changed(pem: bytes) -> bytes:
    head, *lines, tail = pem.strip().splitlines()
    der = bytearray(base64.b64decode(b"".join(lines)))
    der[1] ^= 1
    return head + b"\n" + base64.encodebytes(der) + tail


@pytest.mark.parametrize(
    "pem",
    [
        changed(GOOD),
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ],
)
def test_a_certificate_that_was_damaged_is_refused(pem: bytes) -> None:
    assert "its first certificate cannot be read" in refusal(pem)


def test_a_private_key_where_a_certificate_belongs_is_refused_and_not_told() -> None:
    pem = private_pem(private_key()) + GOOD

    message = refusal(pem)

    assert "it holds a private key (a block 'PRIVATE KEY')" in message
    assert pem.splitlines()[1].decode() not in message


def test_the_fingerprint_stands_in_its_text_and_the_certificate_does_not() -> None:
    certificate = Certificate.parse(GOOD, "it", NOW)

    assert certificate.fingerprint in repr(certificate)
    assert "BEGIN" not in repr(certificate)
