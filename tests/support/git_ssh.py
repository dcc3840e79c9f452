"""A Git host over SSH on loopback: a real sshd, with keys of its own for host and client.

Runs as the user of the tests, on a free port, and lets in that user alone, with one key.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["SshHost", "make_key", "serve_ssh"]

# sshd insists on being called by an absolute path, and /usr/sbin is not on everybody's PATH.
_PROGRAM = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
# Where Debian's sshd, when it runs as root, locks up what it does before login.
_PRIVSEP = Path("/run/sshd")
_START = 10.0  # seconds until it listens
_LIFE = 600  # seconds after which it ends, whatever becomes of the tests


@dataclass(frozen=True)
class SshHost:
    """A running sshd.

    `key` is the client's private key, `known_hosts` a file that names the host; `log` is what sshd
    says.
    """

    port: int
    user: str
    key: Path
    known_hosts: Path
    log: Path

    def url(self, repository: Path) -> str:
        """Return the address of a repository on this machine."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{repository}"


def make_key(path: Path, passphrase: str = "") -> Path:
    """Make a private key, and its public half beside it with ``.pub``; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return path


@contextmanager
def serve_ssh(
    folder: Path, *, port: int | None = None, command: str | None = None
) -> Iterator[SshHost]:
    """Run sshd until the end of the block; its keys and configuration go to `folder`.

    Args:
        folder: called twice with the same, the host and the client keep their keys.
        port: a free one by default; give that of an earlier one to come back in its place.
        command: run in place of what the client asks for, which is in SSH_ORIGINAL_COMMAND.
    """
    if _PROGRAM is None:
        pytest.skip("platform: there is no sshd; on Debian: apt-get install openssh-server")
    if os.geteuid() == 0:
        _PRIVSEP.mkdir(mode=0o755, parents=True, exist_ok=True)
    client = _key_in(folder, "client")
    host = _key_in(folder, "host")
    chosen = port or _free_port()
    configuration = folder / "sshd_config"
    configuration.write_text(_configuration(folder, chosen, command))
    public = host.with_suffix(".pub").read_text()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{chosen} {public}")
    shutil.copy(client.with_suffix(".pub"), folder / "authorized_keys")
    log = folder / "sshd.log"
    with log.open("ab") as output:
        sshd = subprocess.Popen(
            [
                *("timeout", "--foreground", str(_LIFE)),
                *(_PROGRAM, "-D", "-e", "-f", configuration),
            ],
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
    try:
        _wait_for(chosen, sshd, log)
        yield SshHost(chosen, _user(), client, known_hosts, log)
    finally:
        sshd.terminate()  # timeout hands it on
        sshd.wait(timeout=30)


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _key_in(folder: Path, name: str) -> Path:
    key = folder / name
    return key if key.exists() else make_key(key)


def _configuration(folder: Path, port: int, command: str | None) -> str:
    lines = [
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        "AuthenticationMethods publickey",
        f"AllowUsers {_user()}",
        "PermitRootLogin prohibit-password",
        "PidFile none",
        "StrictModes no",  # the folders of tests are open to all on some machines
        "UsePAM no",
        "MaxStartups 100",
        "LogLevel VERBOSE",
    ]
    if command is not None:
        lines.append(f"ForceCommand {command}")
    return "\n".join(lines) + "\n"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(port: int, sshd: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and sshd.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"sshd does not listen: {log.read_text()}")
