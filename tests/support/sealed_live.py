"""SealedSecrets made by our own code, for a controller that runs."""

import base64
from datetime import UTC, datetime

from troth.api import Fields, JsonObject
from troth.sdk.sealing import (
    Certificate,
    InProcessSealer,
    PatchMode,
    Scope,
    SecretShape,
    Target,
    sealed_secret,
)

__all__ = ["in_process"]


def in_process(
    plain: JsonObject,
    certificate: bytes,
    scope: str = "strict",
    mode: PatchMode = PatchMode.REPLACE,
) -> JsonObject:
    """Return the SealedSecret of a Secret, as stages make it."""
    fields = Fields(plain)
    metadata = fields.section("metadata")
    target = Target(metadata.text("namespace"), metadata.text("name"), Scope(scope))
    sealer = InProcessSealer(Certificate.parse(certificate, "the controller", datetime.now(UTC)))
    sealed = {
        key: sealer.seal(base64.b64decode(value), target)
        for key, value in fields.string_map("data").items()
    }
    shape = SecretShape(type=fields.text("type", "Opaque"))
    return sealed_secret(target, "c1", sealed, shape, mode)
