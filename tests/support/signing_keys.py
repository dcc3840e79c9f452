"""SSH keys made by ssh-keygen, and what git says of signatures made with them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.repositories import Remote, git_fails

__all__ = ["Key", "make_key", "signed_by"]


@dataclass(frozen=True)
class Key:
    """A private key in a file, with its public half beside it."""

    file: Path

    @property
    def public(self) -> str:
        """The kind and the bytes of its public half."""
        return " ".join(Path(f"{self.file}.pub").read_text().split()[:2])


def make_key(file: Path, kind: str = "ed25519", *options: str, passphrase: str = "") -> Key:
    """Make a key; `kind` may hold a size after a hyphen, as in ``ecdsa-384``."""
    name, _, bits = kind.partition("-")
    size = ["-b", bits] if bits else []
    arguments = ["-q", "-t", name, *size, "-N", passphrase, *options, "-f", str(file)]
    subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True)
    return Key(file)


def signed_by(remote: Remote, branch: str, *keys: Key) -> list[bool]:
    """Return for each commit of a branch, the oldest first, whether git verifies it by `keys`."""
    allowed = remote.folder / "allowed-signers"
    allowed.write_text("".join(f'* namespaces="git" {key.public}\n' for key in keys))
    config = ("-c", f"gpg.ssh.allowedSignersFile={allowed}", "--git-dir", remote.folder)
    commits = remote.git("rev-list", "--reverse", branch).split()
    return [not git_fails(*config, "verify-commit", commit) for commit in commits]
