"""The stage as a program: the same bytes, wherever and whenever it runs; and its Promise's word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles import containers, input_object, requests, schema_of
from support.workspace import ROOT

from troth.api import Promise, ResourceRequest, dump_documents, load_object

BUNDLE = ROOT / "promises/api-aggregator"
PROMISE = Promise.parse(load_object((BUNDLE / "promise.yaml").read_text(), "promise.yaml"))


def load(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }


def run(root: Path, request: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    for name in ("input", "output", "metadata"):
        (root / name).mkdir(parents=True)
    parsed = ResourceRequest.parse(load_object(request.read_text(), str(request)))
    source = dump_documents([input_object(parsed, schema_of(PROMISE))])
    (root / "input/object.yaml").write_bytes(source)
    (container,) = containers(PROMISE)
    return subprocess.run(
        [sys.executable, "-m", "troth_pipelines", *container.args],
        env={
            "PATH": os.environ["PATH"],
            "KRATIX_ROOT": str(root),
            **container.literals,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("request_file", requests(BUNDLE), ids=lambda path: path.stem)
def test_nothing_of_the_machine_reaches_the_output(request_file: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "other" / "place"
    one = run(first, request_file, PYTHONHASHSEED="1", TZ="Asia/Kathmandu", LANG="C")
    other = run(second, request_file, PYTHONHASHSEED="2", TZ="America/Lima", USER="somebody")
    assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
    assert load(first / "output") == load(second / "output")
    assert load(first / "metadata") == load(second / "metadata") != {}


def test_a_refused_request_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    finished = run(
        tmp_path / "kratix",
        BUNDLE / "resource-request.yaml",
        GATEWAY_CLASSES="nginx: traefik",
    )
    assert finished.returncode == 1
    assert "spec.maxBodySize" in finished.stderr
    assert "traefik" in finished.stderr
    assert load(tmp_path / "kratix/output") == {}
