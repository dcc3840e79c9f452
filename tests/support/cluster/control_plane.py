"""A control plane of one's own: etcd and kube-apiserver on loopback, ready in seconds.

There is no node: Pods stay pending, Services lead nowhere.
"""

import base64
import json
import os
import shutil
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.certificates import Authority, ServerCertificate
from support.cluster.daemon import Daemon, free_ports
from support.cluster.kubectl import Kubectl
from support.tools import require

__all__ = ["Cluster", "ControlPlane", "given_cluster", "run_cluster", "run_controller_manager"]

_ADMIN = "the-administrator-of-a-test"  # a token for this cluster, which is on loopback alone
_ISSUER = "https://kubernetes.default.svc"

# Those that clean up after what tests delete, and give each namespace its service account.
_CONTROLLERS = ("garbage-collector-controller", "namespace-controller", "serviceaccount-controller")


@dataclass
class Cluster:
    """A Kubernetes API server.

    `kubectl` acts as a cluster administrator, beside whose configuration all files lie; `server`
    is an address, and `authority` in PEM what its certificate is checked against. `daemons` are
    the programs of ours that run, by name.
    """

    kubectl: Kubectl
    server: str
    authority: bytes
    daemons: dict[str, Daemon] = field(default_factory=dict[str, Daemon])

    @property
    def folder(self) -> Path:
        """Return where its files are."""
        return self.kubectl.kubeconfig.parent

    def start(self, name: str, command: list[str]) -> Daemon:
        """Start a program of this cluster's, in place of the one of that name, which has ended."""
        self.daemons[name] = Daemon.start(command, self.folder / f"{name}.log")
        return self.daemons[name]

    def stop(self, name: str) -> None:
        """Stop a program, if it runs."""
        if (daemon := self.daemons.pop(name, None)) is not None:
            daemon.stop()


class ControlPlane(Cluster):
    """The cluster that is made here. It has RBAC, and as users an administrator and accounts."""

    def __init__(self, folder: Path) -> None:
        self._etcd, self._api = free_ports(2)
        authority = Authority(folder, "cluster")
        self._certificate = authority.issue("kube-apiserver")
        super().__init__(
            Kubectl(require("kubectl"), folder / "kubeconfig"),
            f"https://127.0.0.1:{self._api}",
            authority.bundle.read_bytes(),
        )
        self.signing_key = _signing_key(folder / "accounts.key")
        _write_private(folder / "tokens.csv", f"{_ADMIN},admin,admin,system:masters\n")
        _write_private(self.kubectl.kubeconfig, self._kubeconfig())

    def start_all(self) -> None:
        """Start etcd and the API server, and wait until it is ready."""
        self.start("etcd", _etcd_command(self.folder / "etcd", self._etcd))
        self.start_api_server()

    def stop_all(self) -> None:
        """Stop what runs, the latest first."""
        for name in reversed(list(self.daemons)):
            self.stop(name)

    def start_api_server(self) -> None:
        """Start the API server, where it was before, and wait until it is ready."""
        daemon = self.start("kube-apiserver", self._api_command(self._certificate))
        trust = ssl.create_default_context(cadata=self.authority.decode())
        with httpx.Client(verify=trust, trust_env=False) as client:
            daemon.until(lambda: _answers(client, f"{self.server}/readyz"))

    def _api_command(self, certificate: ServerCertificate) -> list[str]:
        return [
            str(require("kube-apiserver")),
            f"--etcd-servers=http://127.0.0.1:{self._etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",  # no endpoint may be on loopback
            f"--secure-port={self._api}",
            f"--tls-cert-file={certificate.certificate}",
            f"--tls-private-key-file={certificate.key}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={self.signing_key}",
            f"--service-account-signing-key-file={self.signing_key}",
            "--service-cluster-ip-range=10.96.0.0/24",
        ]

    def _kubeconfig(self) -> str:
        authority = base64.b64encode(self.authority).decode()
        cluster = {"server": self.server, "certificate-authority-data": authority}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "troth", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": _ADMIN}}],
                "contexts": [{"name": "troth", "context": {"cluster": "troth", "user": "admin"}}],
                "current-context": "troth",
            }
        )


@contextmanager
def run_cluster(folder: Path) -> Generator[ControlPlane]:
    """Run a cluster of its own in an empty folder until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = ControlPlane(folder)
    try:
        cluster.start_all()
        yield cluster
    finally:
        cluster.stop_all()


def given_cluster(kubeconfig: Path, folder: Path) -> Cluster:
    """Return the cluster that a kubeconfig leads to; what is found out goes to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Kubectl(require("kubectl"), kubeconfig.absolute())
    flat = source.run("config", "view", "--minify", "--flatten", "--output=json")
    _write_private(folder / "kubeconfig", flat)
    cluster = json.loads(flat)["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"])
    return Cluster(
        Kubectl(source.program, folder / "kubeconfig"), str(cluster["server"]), authority
    )


@contextmanager
def run_controller_manager(cluster: Cluster) -> Generator[None]:
    """Collect garbage until the end of the block; a cluster that was given does so by itself.

    A kind that is new is known to it within half a minute: install CRDs first.
    """
    name = "kube-controller-manager"
    if isinstance(cluster, ControlPlane):
        cluster.start(
            name,
            [
                str(require(name)),
                f"--kubeconfig={cluster.kubectl.kubeconfig}",
                f"--service-account-private-key-file={cluster.signing_key}",
                f"--controllers={','.join(_CONTROLLERS)}",
                "--leader-elect=false",
                "--secure-port=0",
            ],
        )
    try:
        yield
    finally:
        cluster.stop(name)


def _etcd_command(folder: Path, port: int) -> list[str]:
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    program = shutil.which("etcd", path=f"{assets}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("there is no etcd; on Debian: apt-get install etcd-server, service not needed")
    address = f"http://127.0.0.1:{port}"
    return [
        program,
        f"--data-dir={folder}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        "--listen-peer-urls=http://127.0.0.1:0",  # it has no peers
    ]


def _answers(client: httpx.Client, url: str) -> bool | None:
    try:
        return client.get(url).status_code == httpx.codes.OK or None
    except httpx.TransportError:
        return None


def _signing_key(path: Path) -> Path:
    """Make the key that tokens of service accounts are signed with."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    _write_private(path, pem.decode())
    return path


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
