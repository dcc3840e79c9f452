"""Accounts of a fake Control Plane on a real nats-server, as the real one keeps them in step."""

import json
from collections.abc import Generator
from contextlib import contextmanager

from support.nats_client import NatsClient, connect_nats
from support.nats_server import NatsServer
from support.synadia.plane import Plane

__all__ = ["kept_in_step"]

_UPDATE = "$SYS.REQ.CLAIMS.UPDATE"


@contextmanager
def kept_in_step(plane: Plane, server: NatsServer) -> Generator[None]:
    """Push every account that the plane signs to a server of the same operator.

    The server has it when the plane's call returns; the real one takes its time.
    """
    with connect_nats(server.url, server.system.system_creds()) as client:
        for jwt in plane.jwts.values():
            _push(client, jwt)
        plane.server_urls = server.url
        plane.synced = lambda _key, jwt: _push(client, jwt)
        try:
            yield
        finally:
            plane.synced = lambda _key, _jwt: None


def _push(client: NatsClient, jwt: str) -> None:
    said = json.loads(client.request(_UPDATE, jwt.encode()))
    assert said.get("data", {}).get("code") == 200, said
