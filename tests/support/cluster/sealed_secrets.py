"""The real sealed-secrets controller, outside a Pod, beside a cluster.

It knows the configuration of a Pod alone: two variables, and files below /var/run/secrets. It gets
those in a mount namespace of its own, so that the machine has none of it, and several can run.
"""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from support.cluster.control_plane import Cluster
from support.cluster.daemon import Daemon, eventually, free_ports
from support.tools import manifests, require

from troth.api import Fields, Json, JsonObject, is_object

__all__ = ["NAMESPACE", "SealedSecrets", "run_sealed_secrets"]

NAMESPACE = "sealed-secrets"  # where the controller keeps its keys

_NAME = "sealed-secrets-controller"
_KEYS = "sealedsecrets.bitnami.com/sealed-secrets-key"
_CRD = "sealedsecrets.bitnami.com"

# Run in the namespace, in the folder with the account's files: /run becomes an empty one, as
# /var/run leads there. The kernel kills the program with the tests; that setting does not live
# through a new user namespace, so it is made inside.
_IN_A_POD = """
set -eu
run=$(readlink -f /var/run)
mount -t tmpfs -o mode=0755 tmpfs "$run"
mkdir -p "$run/secrets/kubernetes.io/serviceaccount"
cp token ca.crt namespace "$run/secrets/kubernetes.io/serviceaccount/"
exec setpriv --pdeathsig KILL -- "$@"
"""


@dataclass
class SealedSecrets:
    """The controller of a cluster, at `url`. `folder` has its log and its account's files."""

    cluster: Cluster
    folder: Path
    url: str
    _command: list[str]

    def start(self, *flags: str) -> None:
        """Start it, with further flags, and wait until it serves a certificate."""
        host = urlsplit(self.cluster.server)
        environ = {
            "KUBERNETES_SERVICE_HOST": str(host.hostname),
            "KUBERNETES_SERVICE_PORT": str(host.port or 443),
            "POD_NAMESPACE": NAMESPACE,
        }
        log = self.folder / f"{_NAME}.log"
        daemon = Daemon.start([*self._command, *flags], log, environ)
        self.cluster.daemons[_NAME] = daemon
        daemon.until(self._certificate_now)

    def stop(self) -> None:
        """Stop it; its keys stay in the cluster."""
        self.cluster.stop(_NAME)

    def certificate(self) -> bytes:
        """Return the certificate that it serves, in PEM."""
        return self._running.until(self._certificate_now)

    def renew_key(self) -> None:
        """Restart it in such a way that it makes a new key; the old ones stay."""
        before = x509.load_pem_x509_certificate(self.certificate())
        self.stop()
        # Times in certificates are whole seconds, and the newest key is the one that is served.
        later = before.not_valid_before_utc + timedelta(seconds=1)
        now = eventually(lambda: now if (now := datetime.now(UTC)) > later else None)
        self.start(f"--key-cutoff-time={format_datetime(now)}")

    def forget_keys(self, *names: str) -> None:
        """Remove keys from the cluster and restart it, so that it has none but the others."""
        self.stop()
        for name in names:
            self.cluster.kubectl.delete("secret", name, NAMESPACE)
        self.start()

    def keys(self) -> list[str]:
        """Return the names of the Secrets that hold its keys."""
        return self.cluster.kubectl.names("secret", NAMESPACE, _KEYS)

    def rotate(self, sealed: JsonObject) -> JsonObject:
        """Return what it makes of a SealedSecret under its newest key."""
        answer = httpx.post(f"{self.url}/v1/rotate", json=sealed, trust_env=False, timeout=30)
        answer.raise_for_status()
        found: Json = answer.json()
        assert is_object(found)
        return found

    def outcome(self, name: str, namespace: str) -> str:
        """Wait until it has dealt with a SealedSecret as it is now; return why not, or ``""``."""

        def settled() -> str | None:
            found = Fields(self.cluster.kubectl.get("sealedsecret", name, namespace) or {})
            status = found.section("status")
            conditions = status.items("conditions")
            generation = found.section("metadata").value("generation")
            if not conditions or status.value("observedGeneration") != generation:
                return None
            [synced] = conditions
            return "" if synced.text("status") == "True" else synced.text("message")

        return self._running.until(settled)

    @property
    def _running(self) -> Daemon:
        """Return the program: whoever waits for it is told when it has ended."""
        return self.cluster.daemons[_NAME]

    def _certificate_now(self) -> bytes | None:
        try:
            answer = httpx.get(f"{self.url}/v1/cert.pem", trust_env=False)
        except httpx.TransportError:
            return None
        return answer.content if answer.status_code == httpx.codes.OK else None


@contextmanager
def run_sealed_secrets(cluster: Cluster) -> Generator[SealedSecrets]:
    """Install the CRD, and run the controller until the end of the block."""
    program = require(_NAME)
    folder = cluster.folder / _NAME
    folder.mkdir(exist_ok=True)
    _install(cluster, folder)
    serving, metrics = free_ports(2)
    command = [
        *_unshare(),
        *("sh", "-c", _IN_A_POD, "in-a-pod"),
        str(program),
        f"--listen-addr=127.0.0.1:{serving}",
        f"--listen-metrics-addr=127.0.0.1:{metrics}",
    ]
    controller = SealedSecrets(cluster, folder, f"http://127.0.0.1:{serving}", command)
    try:
        controller.start()
        yield controller
    finally:
        controller.stop()


def _install(cluster: Cluster, folder: Path) -> None:
    """Put into the cluster what the controller needs there, and write its account's files."""
    kubectl = cluster.kubectl
    meta: JsonObject = {"name": _NAME, "namespace": NAMESPACE}
    subject: JsonObject = {"kind": "ServiceAccount", **meta}
    kubectl.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _NAME},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [subject],
        },
    )
    kubectl.run("apply", "-f", str(manifests(_NAME)))
    kubectl.run("wait", "--for=condition=Established", f"crd/{_CRD}", "--timeout=60s")
    token = kubectl.run("create", "token", _NAME, f"--namespace={NAMESPACE}", "--duration=24h")
    for name, content in (
        ("token", token.strip().encode()),
        ("ca.crt", cluster.authority),
        ("namespace", NAMESPACE.encode()),
    ):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def _unshare() -> list[str]:
    """Return the command that runs another one in a mount namespace of its own."""
    command = ["unshare", "--mount"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    done = subprocess.run(
        [*command, "sh", "-c", 'mount -t tmpfs tmpfs "$(readlink -f /var/run)"'],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode != 0:
        pytest.skip(f"platform: no mount namespace can be had here: {done.stderr.strip()}")
    return command
