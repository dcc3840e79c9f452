"""Every generated file is what its source makes, and a file that is not gets noticed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import generated
import pytest
from generated import ROOT

from troth.api import Fields, JsonObject, Promise, is_object, load_object


@pytest.mark.parametrize("bundle", generated.bundles(), ids=lambda path: path.name)
def test_schema_and_golden_output_are_what_the_stages_make(bundle: Path) -> None:
    wanted = dict(generated.expected_files(bundle))
    found = {path for path in (bundle / "expected").rglob("*") if path.is_file()}
    assert found | {bundle / "promise.yaml"} == set(wanted)
    assert {path: path.read_bytes() for path in wanted} == wanted


@pytest.mark.parametrize("bundle", generated.bundles(), ids=lambda path: path.name)
def test_a_bundle_has_what_its_users_need(bundle: Path) -> None:
    promise = Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))
    assert promise.name == bundle.name
    assert promise.fence.declared
    assert (bundle / "README.md").is_file()
    assert (bundle / "resource-request.yaml").is_file()
    assert len(generated.requests(bundle)) >= 5


def fields_of(schema: JsonObject, prefix: str = "") -> Iterator[str]:
    for name, child in Fields(schema).mapping("properties").items():
        assert is_object(child)
        yield prefix + name
        yield from fields_of(child, f"{prefix}{name}.")
        yield from fields_of(Fields(child).mapping("items"), f"{prefix}{name}[].")


@pytest.mark.parametrize("bundle", generated.bundles(), ids=lambda path: path.name)
def test_the_readme_explains_every_field(bundle: Path) -> None:
    promise = Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))
    assert promise.api is not None
    explained = (bundle / "README.md").read_text()
    for schema in promise.api.schemas.values():
        spec = Fields(schema).section("properties").mapping("spec")
        # "network" alone is only the way to its fields
        missing = [
            n for n in fields_of(spec) if f"`{n}`" not in explained and f"`{n}." not in explained
        ]
        assert missing == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "promises/namespace", tmp_path / "promises/namespace")
    return tmp_path


def test_a_copy_differs_in_nothing(copied: Path) -> None:
    assert generated.differences(copied) == []


@pytest.mark.parametrize(
    ("name", "edit"), [("promise.yaml", "minLength"), ("expected/minimal/quota.yaml", "4Gi")]
)
def test_an_edited_file_is_reported_and_written_back(copied: Path, name: str, edit: str) -> None:
    path = copied / "promises/namespace" / name
    before = path.read_bytes()
    path.write_text(path.read_text().replace(edit, "edited"))
    assert generated.differences(copied) == [f"promises/namespace/{name}"]
    generated.differences(copied, write=True)
    assert path.read_bytes() == before


def test_a_file_nothing_makes_is_reported_and_removed(copied: Path) -> None:
    path = copied / "promises/namespace/expected/gone/quota.yaml"
    path.parent.mkdir()
    path.write_text("{}\n")
    (found,) = generated.differences(copied, write=True)
    assert "expected/gone/quota.yaml" in found
    assert not path.exists()


def test_comments_around_the_schema_are_kept(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    path.write_text(f"# ours\n{path.read_text()}# also ours\n")
    assert generated.differences(copied) == []


def test_a_promise_without_markers_is_refused(copied: Path) -> None:
    path = copied / "promises/namespace/promise.yaml"
    path.write_text(path.read_text().replace("model: end", "model: over"))
    with pytest.raises(ValueError, match="missing"):
        generated.differences(copied)


def test_a_containers_variables_reach_its_stage(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "promises/api-aggregator", tmp_path / "promises/api-aggregator")
    path = tmp_path / "promises/api-aggregator/promise.yaml"
    path.write_text(path.read_text().replace("nginx-gateway-fabric}", "envoy-gateway}"))
    assert generated.differences(tmp_path) == [
        "promises/api-aggregator/expected/public-api/policies.yaml"
    ]


def test_a_bundle_of_templates_keeps_the_schema_its_author_wrote(copied: Path) -> None:
    bundle = copied / "promises/namespace"
    path = bundle / "promise.yaml"
    text = path.read_text().replace("args: [namespace]", "args: [template]")
    path.write_text(text.replace("# generated from", "# written by hand, not generated from"))
    for request in generated.requests(bundle):
        request.unlink()
    assert list(generated.expected_files(bundle)) == [(path, path.read_bytes())]


def test_a_request_that_breaks_the_schema_is_refused(copied: Path) -> None:
    path = copied / "promises/namespace/resource-request.yaml"
    path.write_text(path.read_text().replace("size: small", "size: tiny"))
    with pytest.raises(ValueError, match=r"spec\.size"):
        generated.differences(copied)


def test_two_requests_of_one_name_are_refused(copied: Path) -> None:
    bundle = copied / "promises/namespace"
    shutil.copy(bundle / "resource-request.yaml", bundle / "resource-request-again.yaml")
    with pytest.raises(ValueError, match="payments-dev"):
        generated.differences(copied)


def test_check_passes_as_a_program() -> None:
    assert generated.main(["--check"]) == 0
