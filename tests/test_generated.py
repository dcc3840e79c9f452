"""Schemas in Promises and CRDs in deploy/ are what the code makes, and others get noticed."""

import shutil
from pathlib import Path

import generated
import pytest
from support.workspace import ROOT


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "promises/namespace", tmp_path / "promises/namespace")
    return tmp_path


def test_a_copy_differs_in_nothing(copied: Path) -> None:
    assert generated.differences(copied) == []


def test_an_edited_schema_is_reported_and_written_back(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    before = path.read_bytes()
    path.write_text(path.read_text().replace("minLength", "edited"))
    assert generated.differences(copied) == ["promises/namespace/promise.yaml"]
    generated.differences(copied, write=True)
    assert path.read_bytes() == before


def test_comments_around_the_schema_are_kept(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    path.write_text(f"# ours\n{path.read_text()}# also ours\n")
    assert generated.differences(copied) == []


def test_a_promise_without_markers_is_refused(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    path.write_text(path.read_text().replace("model: end", "model: over"))
    with pytest.raises(ValueError, match="missing"):
        generated.differences(copied)


def test_a_bundle_of_templates_keeps_the_schema_its_author_wrote(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    text = path.read_text().replace("args: [namespace]", "args: [template]")
    path.write_text(text.replace("# generated from", "# written by hand, not generated from"))
    assert generated.differences(copied) == []


def test_the_crds_in_deploy_are_those_of_the_code() -> None:
    assert generated.stale_crds() == []


def test_crds_that_differ_lack_or_are_too_many_are_reported_and_mended(tmp_path: Path) -> None:
    folder = tmp_path / "deploy/crds"
    shutil.copytree(ROOT / "deploy/crds", folder)
    (folder / "promises.yaml").write_text("another")
    (folder / "destinations.yaml").unlink()
    (folder / "works.yaml").write_text("of old")

    names = ["deploy/crds/destinations.yaml", "deploy/crds/promises.yaml", "deploy/crds/works.yaml"]
    assert generated.stale_crds(tmp_path) == names
    generated.stale_crds(tmp_path, write=True)
    assert generated.stale_crds(tmp_path) == []


def test_check_passes_as_a_program() -> None:
    assert generated.main(["--check"]) == 0
