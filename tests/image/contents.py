"""What the stage image holds: the packages of requirements-stage.lock, and the rooms stages see.

All is laid in a folder on this machine, for the Python of the base image, from binary wheels whose
hashes are locked. Of this distribution only the rooms that a stage may import are taken (the import
contracts in pyproject.toml say which), with the metadata by which stages are found.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from troth.sdk import STAGE_GROUP

__all__ = ["LOCK", "PROBE", "ROOT", "ContentsError", "Interpreter", "lay_packages", "lay_rooms"]

ROOT = Path(__file__).parent.parent.parent
LOCK = ROOT / "requirements-stage.lock"

PROBE = "import platform as p; print(*p.python_version_tuple()[:2], p.machine(), p.libc_ver())"
"""What a Python prints of itself, for `Interpreter.parse`."""

_ROOMS = re.compile(r"troth/(__init__\.py|py\.typed|errors\.py|api/.+|sdk/.+)|troth_pipelines/.+")
_OLDEST_GLIBC = 17  # of 2.17, which the oldest wheels still in use are built for


class ContentsError(Exception):
    """The contents cannot be laid; the message says why."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that packages are for.

    Attributes:
        version: such as ``3.12``.
        machine: such as ``x86_64``.
        glibc: the minor version of its C library, such as 36 for 2.36.
    """

    version: str
    machine: str
    glibc: int

    @classmethod
    def parse(cls, probed: str) -> "Interpreter":
        """Read what the probe printed in a container.

        Raises:
            ContentsError: it is too old, or no Python on glibc.
        """
        found = re.fullmatch(r"3 (\d+) (\w+) \('glibc', '2\.(\d+)'\)", probed.strip())
        if found is None or int(found[1]) < 11:
            message = f"the base image needs Python 3.11 or newer on glibc, found: {probed.strip()}"
            raise ContentsError(message)
        return cls(f"3.{found[1]}", found[2], int(found[3]))

    @property
    def platforms(self) -> list[str]:
        """The platform tags of wheels that it can load, best first."""
        modern = [f"manylinux_2_{n}_{self.machine}" for n in range(self.glibc, _OLDEST_GLIBC, -1)]
        return [*modern, f"manylinux_2_17_{self.machine}", f"manylinux2014_{self.machine}"]


def lay_packages(folder: Path, interpreter: Interpreter) -> None:
    """Install what is locked into a folder.

    Raises:
        ContentsError: pip could not.
    """
    options = ["--quiet", "--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"]
    options += [f"--python-version={interpreter.version}", "--implementation=cp"]
    options += [f"--platform={name}" for name in interpreter.platforms]
    _run("pip", "install", *options, f"--target={folder}", f"--requirement={LOCK}")
    shutil.rmtree(folder / "bin", ignore_errors=True)  # commands, none of which a stage calls


def lay_rooms(folder: Path, scratch: Path) -> None:
    """Unpack the rooms that stages see, out of the wheel as it is shipped.

    Raises:
        ContentsError: the wheel could not be built.
    """
    _run("hatchling", "build", "-t", "wheel", "-d", str(scratch))
    [built] = scratch.glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        names = [n for n in wheel.namelist() if ".dist-info/" in n or _ROOMS.fullmatch(n)]
        wheel.extractall(folder, names)
    [info] = folder.glob("troth-*.dist-info")
    stages = Distribution.at(info).entry_points.select(group=STAGE_GROUP)
    points = "".join(f"{point.name} = {point.value}\n" for point in stages)
    (info / "entry_points.txt").write_text(f"[{STAGE_GROUP}]\n{points}", encoding="utf-8")
    # It would list hashes of files that are not here. Without it nothing can uninstall the
    # distribution, and nothing is there to try.
    (info / "RECORD").unlink()


def _run(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"{module} {arguments[0]} failed:\n{(done.stdout + done.stderr).strip()}"
        raise ContentsError(message)
