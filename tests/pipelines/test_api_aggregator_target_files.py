"""The bundle as files: golden output that an API server takes, the same bytes anywhere."""

from pathlib import Path

import pytest
from support import crd_schemas
from support.bundles import requests
from support.stage_process import StageProcess, load
from support.workspace import ROOT

from troth.api import Fields, JsonObject, load_documents

BUNDLE = ROOT / "promises/api-aggregator-target"
STAGE = StageProcess(BUNDLE)
GOLDEN = sorted((BUNDLE / "expected").glob("*/*.yaml"))


def documents(path: Path) -> list[JsonObject]:
    return [document.data for document in load_documents(path.read_text(), path.name)]


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
    first, second = STAGE.on_two_machines(request_file, tmp_path)

    assert first == second
    assert all(first.values())


def test_a_refused_request_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    root = tmp_path / "kratix"
    STAGE.lay_out(root, BUNDLE / "resource-request.yaml")
    source = root / "input/object.yaml"
    source.write_text(source.read_text().replace("/v1/claims", "/v1/../claims"))
    finished = STAGE.run(root, tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("InvalidObject: spec.routes[0].path.value: ")
    assert load(root / "output") == {}
