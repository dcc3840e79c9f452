"""One nats-server for the tests of this folder that change no account."""

from collections.abc import Iterator

import pytest
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server whose accounts stay as they are."""
    with serve_nats(tmp_path_factory.mktemp("nats"), TestSystem()) as server:
        yield server
