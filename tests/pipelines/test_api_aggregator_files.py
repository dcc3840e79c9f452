"""The stage as a program: the same bytes, wherever and whenever it runs; and its Promise's word."""

from pathlib import Path

import pytest
from support.bundles import requests
from support.stage_process import StageProcess, load
from support.workspace import ROOT

BUNDLE = ROOT / "promises/api-aggregator"
STAGE = StageProcess(BUNDLE)


@pytest.mark.parametrize("request_file", requests(BUNDLE), ids=lambda path: path.stem)
def test_nothing_of_the_machine_reaches_the_output(request_file: Path, tmp_path: Path) -> None:
    first, second = STAGE.on_two_machines(request_file, tmp_path)

    assert first == second
    assert first["metadata"]


def test_a_refused_request_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    root = tmp_path / "kratix"
    STAGE.lay_out(root, BUNDLE / "resource-request.yaml")
    finished = STAGE.run(root, tmp_path, GATEWAY_CLASSES="nginx: traefik")
    assert finished.returncode == 1
    assert "spec.maxBodySize" in finished.stderr
    assert "traefik" in finished.stderr
    assert load(root / "output") == {}
