"""Certificate authorities and server certificates for servers on loopback, good and bad ones.

Made anew for each use, valid for a day; the clock of this machine says when.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Certificates", "ServerCertificate"]

_DAY = timedelta(days=1)
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class ServerCertificate:
    """What a server shows: a certificate in PEM, and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority; `bundle` is its certificate, for those who trust it."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.bundle = folder / f"{name}-ca.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"{name} authority")
        now = datetime.now(UTC)
        certificate = (
            _builder(self._name, self._key.public_key(), now - _DAY, now + _DAY)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_KEY_SIGNS, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        self.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, hosts: tuple[str, ...] = _LOOPBACK, *, expired: bool = False
    ) -> ServerCertificate:
        """Make a certificate for these host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        end = datetime.now(UTC) + (-timedelta(hours=1) if expired else _DAY)
        certificate = (
            _builder(_named(hosts[0]), key.public_key(), end - 2 * _DAY, end)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(list(map(_alternative, hosts))), False)  # noqa: FBT003  (positional in the library's own examples)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        made = ServerCertificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made


@dataclass(frozen=True)
class Certificates:
    """All that tests of TLS on loopback need.

    `bundle` trusts `good`, `expired` and `other_host`, but not `other_authority`.
    """

    bundle: Path
    good: ServerCertificate
    expired: ServerCertificate
    other_host: ServerCertificate
    other_authority: ServerCertificate

    @classmethod
    def make(cls, folder: Path) -> "Certificates":
        """Make them in a folder."""
        ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        return cls(
            ours.bundle,
            ours.issue("good"),
            ours.issue("expired", expired=True),
            ours.issue("other-host", ("elsewhere.example.com",)),
            theirs.issue("other-authority"),
        )


_KEY_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
