"""The certificates that cert-manager is asked for: one for each host that names an issuer."""

from troth.api import Json, JsonObject
from troth_pipelines.stages.api_aggregator._identity import Home
from troth_pipelines.stages.api_aggregator._listeners import certificate_name
from troth_pipelines.stages.api_aggregator._model import ApiAggregatorSpec, Host

__all__ = ["certificate_manifests"]

_CERT_MANAGER = "cert-manager.io"


def certificate_manifests(home: Home, spec: ApiAggregatorSpec) -> list[JsonObject]:
    """Make the Certificates, by host; none for hosts that bring a Secret."""
    hosts = sorted(spec.hosts, key=lambda host: host.name)
    return [
        _certificate(home, host, host.tls.issuer, host.tls.issuer_kind or "Issuer")
        for host in hosts
        if host.tls is not None and host.tls.issuer is not None
    ]


def _certificate(home: Home, host: Host, issuer: str, kind: str) -> JsonObject:
    name = certificate_name(home, host)
    reference: Json = {"group": _CERT_MANAGER, "kind": kind, "name": issuer}
    return {
        "apiVersion": f"{_CERT_MANAGER}/v1",
        "kind": "Certificate",
        "metadata": home.metadata(name),
        "spec": {
            "secretName": name,
            "dnsNames": [host.name],
            "issuerRef": reference,
            # What newer versions do by themselves: a new key with every certificate.
            "privateKey": {"rotationPolicy": "Always"},
        },
    }
