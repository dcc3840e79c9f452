"""Names that objects around the Gateway API have in common, spelled once."""

__all__ = ["AGGREGATOR", "GATEWAY_GROUP"]

GATEWAY_GROUP = "gateway.networking.k8s.io"
"""The API group of Gateways, routes and grants; each kind has its own version."""

AGGREGATOR = "marketplace.troth.dev/aggregator"
"""The label that names the aggregator which an object belongs to, whichever request made it."""
