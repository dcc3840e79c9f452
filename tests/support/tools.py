"""Programs in Go that tests need: pinned in tests/tools, built once into a cache.

``python -m support.tools`` builds them all and says how that goes; ``make e2e`` does so first.
"""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from support.go_programs import Group, ToolError, built, is_built, say

__all__ = ["ToolError", "manifests", "require", "tool"]

_GROUPS = (
    Group(
        "sealed-secrets",
        "github.com/bitnami-labs/sealed-secrets",
        {"kubeseal": "cmd/kubeseal", "sealed-secrets-controller": "cmd/controller"},
        ("main.VERSION={}",),
        manifests="helm/sealed-secrets/crds",
    ),
    Group(
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
    return _given(group, name) or built(group) / name


def require(name: str) -> Path:
    """Return a program for a test, which is skipped where it would have to be built first.

    Under CI it is built.
    """
    group = _group_of(name)
    return _given(group, name) or _built_for_test(group) / name


def manifests(name: str) -> Path:
    """Return the folder of objects (CRDs) that go with a program, for a test, as `require` does.

    Raises:
        KeyError: none go with it.
    """
    group = _group_of(name)
    if group.manifests is None:
        raise KeyError(name)
    return _built_for_test(group) / "manifests"


def _built_for_test(group: Group) -> Path:
    if not os.environ.get("CI") and not is_built(group):
        pytest.skip(f"{group.name} is not built here; make e2e builds it, once, in some minutes")
    return built(group)


def _group_of(name: str) -> Group:
    for group in _GROUPS:
        if name in group.programs:
            return group
    raise KeyError(name)


def _given(group: Group, name: str) -> Path | None:
    """Return a program that the machine has and that may stand for ours."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).is_file():
        return Path(assets) / name
    found = shutil.which(name)
    return Path(found) if found and _is_of_version(found, group, name) else None


@cache
def _is_of_version(program: str, group: Group, name: str) -> bool:
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


def main() -> int:
    """Build every group; return 1 after saying what is in the way."""
    try:
        for group in _GROUPS:
            built(group)
    except ToolError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
