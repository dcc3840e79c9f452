"""The stage as a program: the same bytes, wherever and whenever it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles import input_object, requests, schema_of
from support.workspace import ROOT

from troth.api import Promise, ResourceRequest, dump_documents, load_object

BUNDLE = ROOT / "promises/namespace"


def load(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }


def lay_out(root: Path, request: Path, moment: str) -> None:
    for name in ("input", "output", "metadata"):
        (root / name).mkdir(parents=True)
    promise = Promise.parse(load_object((BUNDLE / "promise.yaml").read_text(), "promise.yaml"))
    parsed = ResourceRequest.parse(load_object(request.read_text(), str(request)))
    source = dump_documents([input_object(parsed, schema_of(promise))])
    (root / "input/object.yaml").write_bytes(source)
    if moment:
        (root / "input/troth.json").write_text(moment)


def run(root: Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "troth_pipelines", "namespace"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "KRATIX_ROOT": str(root), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("request_file", requests(BUNDLE), ids=lambda path: path.stem)
def test_nothing_of_the_machine_reaches_the_output(request_file: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "other" / "place"
    lay_out(first, request_file, '{"now": "2001-01-01T00:00:00Z", "seed": "00"}')
    lay_out(second, request_file, '{"now": "2038-01-19T03:14:08Z", "seed": "ffff"}')
    one = run(first, first, PYTHONHASHSEED="1", TZ="Asia/Kathmandu", LANG="C")
    other = run(second, tmp_path, PYTHONHASHSEED="2", TZ="America/Lima", LANG="tr_TR.UTF-8")
    assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
    assert load(first / "output") == load(second / "output") != {}
    assert load(first / "metadata") == load(second / "metadata") != {}


def test_a_refused_request_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    root = tmp_path / "kratix"
    lay_out(root, BUNDLE / "resource-request-minimal.yaml", "")
    source = root / "input/object.yaml"
    source.write_text(source.read_text().replace("team: search", "team: system:x"))
    finished = run(root, tmp_path)
    assert finished.returncode == 1
    assert "spec.team" in finished.stderr
    assert load(root / "output") == {}
