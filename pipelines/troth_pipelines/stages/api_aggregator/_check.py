"""What of a request contradicts itself, said of the field that has to change."""

from troth.api import Fields
from troth_pipelines.gateway.hostnames import hostname_problem
from troth_pipelines.stages.api_aggregator._model import ApiAggregatorSpec, GatewayChoice, HostTls

__all__ = ["check_spec"]


def check_spec(spec: ApiAggregatorSpec) -> None:
    """Refuse what the schema could not.

    Raises:
        InvalidInputError: two fields exclude each other, a host is named twice or cannot be one,
            or something is asked of listeners that are used as they are.
    """
    _check_gateway(spec.gateway)
    _check_hosts(spec)
    if spec.redirect_to_https and not any(host.tls for host in spec.hosts):
        raise Fields({}, ("spec",)).error(
            "redirectToHttps", "no host has tls, so there is nowhere to redirect to."
        )
    if spec.gateway.existing is not None and spec.gateway.existing.attach == "Listeners":
        _check_listeners_as_they_are(spec)


def _check_gateway(gateway: GatewayChoice) -> None:
    if (gateway.class_name is None) == (gateway.existing is None):
        raise Fields({}, ("spec", "gateway")).error(
            "className", "give className or existing, one of the two."
        )


def _check_hosts(spec: ApiAggregatorSpec) -> None:
    seen: dict[str, int] = {}
    for index, host in enumerate(spec.hosts):
        fields = Fields({}, ("spec", "hosts", index))
        if problem := hostname_problem(host.name):
            raise fields.error("name", f"{problem}.")
        if host.name in seen:
            message = f"{host.name!r} is host {seen[host.name]} of this list too; keep one of them."
            raise fields.error("name", message)
        seen[host.name] = index
        if host.tls is not None:
            _check_tls(host.tls, Fields({}, ("spec", "hosts", index, "tls")))


def _check_tls(tls: HostTls, fields: Fields) -> None:
    if (tls.issuer is None) == (tls.secret_name is None):
        raise fields.error("issuer", "give issuer or secretName, one of the two.")
    if tls.issuer is None and tls.issuer_kind is not None:
        raise fields.error("issuerKind", "a certificate in a Secret needs no issuer; leave it out.")


def _check_listeners_as_they_are(spec: ApiAggregatorSpec) -> None:
    """Refuse what only a Gateway or a ListenerSet of one's own could carry."""
    why = "the listeners of an existing Gateway are used as they are (attach: Listeners), so"
    instead = "use attach: ListenerSet."
    for index, host in enumerate(spec.hosts):
        if host.tls is not None:
            message = f"{why} their certificates are too; leave tls out, or {instead}"
            raise Fields({}, ("spec", "hosts", index)).error("tls", message)
    asked = {
        "maxBodySize": spec.max_body_size is not None,
        "timeout": spec.timeout is not None,
        "allowedNamespaces": spec.allowed_namespaces is not None,
        "delegations": bool(spec.delegations),
    }
    for field, is_asked in asked.items():
        if is_asked:
            message = f"{why} nothing is written that could say this; leave it out, or {instead}"
            raise Fields({}, ("spec",)).error(field, message)
