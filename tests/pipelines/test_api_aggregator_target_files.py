"""The bundle as files: golden output that an API server takes, the same bytes anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import crd_schemas
from support.bundles import input_object, requests, schema_of
from support.workspace import ROOT

from troth.api import (
    Fields,
    JsonObject,
    Promise,
    ResourceRequest,
    dump_documents,
    load_documents,
    load_object,
)

BUNDLE = ROOT / "promises/api-aggregator-target"
GOLDEN = sorted((BUNDLE / "expected").glob("*/*.yaml"))


def documents(path: Path) -> list[JsonObject]:
    return [document.data for document in load_documents(path.read_text(), path.name)]


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
    (root / "input/troth.json").write_text(moment)


def run(root: Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "troth_pipelines", "api-aggregator-target"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "KRATIX_ROOT": str(root), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "path",
    [path for path in GOLDEN if path.name != "status.yaml"],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_an_api_server_takes_the_golden_output_and_adds_nothing(path: Path) -> None:
    for manifest in documents(path):
        assert crd_schemas.problems(manifest) == []
        assert crd_schemas.defaulted(manifest) == manifest


@pytest.mark.parametrize(
    "path",
    [path for path in GOLDEN if path.name == "status.yaml"],
    ids=lambda path: path.parent.name,
)
def test_the_status_names_the_http_routes_that_are_there(path: Path) -> None:
    written = {
        Fields(manifest).section("metadata").text("name")
        for file in path.parent.glob("httproute*.yaml")
        for manifest in documents(file)
    }
    (status,) = documents(path)
    assert set(Fields(status).texts("routes")) == written


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
    lay_out(root, BUNDLE / "resource-request.yaml", '{"now": "2001-01-01T00:00:00Z", "seed": "00"}')
    source = root / "input/object.yaml"
    source.write_text(source.read_text().replace("/v1/claims", "/v1/../claims"))
    finished = run(root, tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("InvalidObject: spec.routes[0].path.value: ")
    assert load(root / "output") == {}
