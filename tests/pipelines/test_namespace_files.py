"""The stage as a program: the same bytes, wherever and whenever it runs."""

from pathlib import Path

import pytest
from support.bundles import requests
from support.stage_process import StageProcess, load
from support.workspace import ROOT

BUNDLE = ROOT / "promises/namespace"
STAGE = StageProcess(BUNDLE)


@pytest.mark.parametrize("request_file", requests(BUNDLE), ids=lambda path: path.stem)
def test_nothing_of_the_machine_reaches_the_output(request_file: Path, tmp_path: Path) -> None:
    first, second = STAGE.on_two_machines(request_file, tmp_path)

    assert first == second
    assert all(first.values())


def test_a_refused_request_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    root = tmp_path / "kratix"
    STAGE.lay_out(root, BUNDLE / "resource-request-minimal.yaml")
    source = root / "input/object.yaml"
    source.write_text(source.read_text().replace("team: search", "team: system:x"))
    finished = STAGE.run(root, tmp_path)
    assert finished.returncode == 1
    assert "spec.team" in finished.stderr
    assert load(root / "output") == {}
