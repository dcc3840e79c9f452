"""The world around a NATS user that lives through a month: Synadia, NATS, the cluster's keys.

Real: the nats-server, the clients, HTTP, Git, the JWTs, sealing and unsealing, signals. Simulated:
the clock that stages, Synadia and commits go by, the Control Plane itself, and the controller that
opens what is sealed.

The simulated month lies years ahead of the machine's clock, by which nats-server goes. So to the
server no credential of the month has ended by itself, and whom it refuses has been revoked. That
they end by themselves as well is tested elsewhere, with lifetimes of seconds.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_client import refused
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem
from support.sealing import CannotOpenError, certificate_pem, private_key, private_pem, unseal
from support.synadia.plane import Plane, User
from support.synadia.pushing import kept_in_step
from support.synadia.visits import TOKEN

from troth.api import JsonObject
from troth_pipelines.nats.creds import Credentials

__all__ = ["LABEL", "SEALING_KEY", "CountingPlane", "Outside", "Turned", "serve_outside"]

LABEL = "default/orders-nats"
"""The Secret of the month, as what is sealed for it is bound to it."""

SEALING_KEY = "c2VhbGluZy1rZXktb2YtdGhlLW1vbnRoLTAxMjM0NTY3"
"""By which sealed values are known again; as secret as a password."""

_START = datetime(2040, 1, 1, tzinfo=UTC)


@dataclass
class Turned:
    """A clock that is turned by hours."""

    now: datetime = _START

    def turn_to(self, hour: int) -> None:
        self.now = _START + timedelta(hours=hour)


@dataclass
class CountingPlane(Plane):
    """A Control Plane that remembers every user it ever made."""

    ever: list[User] = field(default_factory=list[User])

    def add_user(self, account: str, body: JsonObject) -> User:
        user = super().add_user(account, body)
        self.ever.append(user)
        return user


@dataclass
class Outside:
    """All that is not the platform. `keys` are those of the controller, the newest last."""

    folder: Path
    clock: Turned
    plane: CountingPlane
    fake: FakeSynadia
    server: NatsServer
    keys: list[str] = field(default_factory=lambda: ["first"])

    @property
    def certificate(self) -> bytes:
        """The controller's newest certificate."""
        return certificate_pem(private_key(self.keys[-1]))

    def renew_key(self) -> None:
        """Let the controller make another key, as it does each month; it keeps the old ones."""
        self.keys.append(f"after {self.keys[-1]}")

    @property
    def accounts(self) -> str:
        """The variable NATS_ACCOUNTS."""
        orders = {
            "provider": "synadia",
            "account": "shop",
            "system": "A System",
            "team": "A Team",
            "token": "SYNADIA_TOKEN",
            "url": self.fake.url,
            "servers": [self.server.url],
        }
        return json.dumps({"cloud": orders})

    def opened(self, sealed: Mapping[str, str]) -> dict[str, bytes]:
        """Open a SealedSecret as the controller does, with any of its keys."""
        return {name: self._open(text) for name, text in sealed.items()}

    def _open(self, text: str) -> bytes:
        for name in self.keys:
            try:
                return unseal(text, LABEL, private_key(name))
            except CannotOpenError:
                continue
        raise CannotOpenError

    def refuses(self, creds: str) -> bool:
        """Tell whether the server does not let these credentials in."""
        return refused(self.server.url, creds)

    def secrets(self) -> dict[str, str]:
        """Return all that was ever minted or given and has to stay secret, by what it is."""
        found = {"the token": TOKEN, "the sealing key": SEALING_KEY}
        for number, issuance in enumerate(self.plane.issuances, 1):
            creds = Credentials.parse(issuance.text)
            found[f"seed {number} ({issuance.name})"] = creds.key.seed
            found[f"credentials {number} ({issuance.name})"] = issuance.text
        for number, user in enumerate(self.plane.ever, 1):
            found[f"key of user {number} ({user.name})"] = user.key.seed
        for group in self.plane.groups.values():
            for number, key in enumerate(group.keys, 1):
                found[f"key {number} of group {group.name}"] = key.pair.seed
        found["the operator's key"] = self.plane.operator.seed
        for name in self.keys:
            found[f"sealing key {name}"] = private_pem(private_key(name)).decode()
        return found


@contextmanager
def serve_outside(folder: Path) -> Generator[Outside]:
    """Serve all of it until the end of the block."""
    system, clock = TestSystem(), Turned()
    plane = CountingPlane(system.operator, now=lambda: int(clock.now.timestamp()))
    plane.add_account("shop")
    with (
        serve_nats(folder / "nats", system) as server,
        kept_in_step(plane, server),
        serve_synadia(plane, TOKEN) as fake,
    ):
        yield Outside(folder, clock, plane, fake, server)
