"""What the Secret holds: the credentials, and on request what clients need besides."""

import json
from collections.abc import Sequence

from troth.api import Fields
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.stages.nats_user._model import Secret

__all__ = ["keys_of", "values_of"]


def keys_of(secret: Secret, servers: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the Secret.

    Raises:
        InvalidInputError: two things under one key, or servers that nobody knows.
    """
    fields = Fields({}, ("spec", "secret"))
    named = {"serversKey": secret.servers_key, "jsonKey": secret.json_key}
    keys = [secret.key]
    for field, key in named.items():
        if key is None:
            continue
        if key in keys:
            raise fields.error(field, f"the key {key!r} is taken already; name another.")
        if not servers:
            raise fields.error(
                field, "the platform does not say where the account's servers are; leave it out."
            )
        keys.append(key)
    return tuple(keys)


def values_of(secret: Secret, servers: Sequence[str], creds: str) -> dict[str, bytes]:
    """Return the values of the Secret by key.

    Args:
        secret: which keys are wanted.
        servers: where clients connect.
        creds: the creds file.
    """
    values = {secret.key: creds.encode()}
    if secret.servers_key is not None:
        values[secret.servers_key] = ",".join(servers).encode()
    if secret.json_key is not None:
        parsed = Credentials.parse(creds)
        spelled = {"servers": list(servers), "jwt": parsed.jwt, "seed": parsed.key.seed}
        values[secret.json_key] = json.dumps(spelled, sort_keys=True).encode()
    return values
