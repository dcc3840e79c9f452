"""Visits of the provider at a fake Control Plane, with a clock that only pauses move."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.fake_synadia import FakeSynadia
from support.minted import note_secret, sayings

from troth_pipelines.nats.synadia import SynadiaProvider, SynadiaSettings, connect
from troth_pipelines.nats.synadia.control_plane import ControlPlane
from troth_pipelines.nats.synadia.transport import Transport

__all__ = ["TOKEN", "Patience", "settings_for", "visit", "visit_api"]

TOKEN = "uat_0123456789abcdefABCDEF"  # noqa: S105  (opens nothing but a fake)


@dataclass
class Patience:
    """A clock and the pauses that were asked for; nobody really waits."""

    pauses: list[float] = field(default_factory=list[float])
    time: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def clock(self) -> float:
        return self.time


def settings_for(fake: FakeSynadia, **changed: object) -> SynadiaSettings:
    note_secret("the token of a Control Plane", TOKEN)
    given: dict[str, object] = {"token": TOKEN, "base_url": fake.url, **changed}
    return SynadiaSettings(**given)  # type: ignore[arg-type]


@contextmanager
def visit(
    fake: FakeSynadia, patience: Patience | None = None, *, group: str | None = None
) -> Generator[SynadiaProvider]:
    """Give a provider, as one run of a stage has it."""
    patience = patience or Patience()
    connection = connect(settings_for(fake), group, patience.sleep, patience.clock)
    with sayings("the provider synadia"), connection as provider:
        yield provider


@contextmanager
def visit_api(
    fake: FakeSynadia, patience: Patience | None = None, **changed: object
) -> Generator[ControlPlane]:
    """Give the bare calls."""
    patience = patience or Patience()
    opened = Transport(settings_for(fake, **changed), patience.sleep, patience.clock)
    with sayings("the calls of a Control Plane"), opened as transport:
        yield ControlPlane(transport)
