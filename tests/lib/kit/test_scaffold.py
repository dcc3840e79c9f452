"""A new bundle: whatever it is called, it is valid, and its golden output is what it gives."""

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from troth import __version__
from troth.api import (
    Fields,
    JsonObject,
    Promise,
    RequestSchema,
    ResourceRequest,
    dump_documents,
    load_object,
)
from troth.errors import InvalidInputError, Reason
from troth.kit.scaffold import DEFAULT_GROUP, Names, new_bundle
from troth.sdk import Stage, find_stage, run_stage, structural_schema

# Words that YAML, or an older reader of it, would not take for text.
ODD = ["on", "off", "yes", "no", "y", "n", "null", "true", "false", "e1", "inf", "nan", "a--b"]
LABEL = r"[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?"
NAMES = st.builds(
    Names.of,
    st.sampled_from(ODD) | st.from_regex(r"[a-z]([-a-z0-9]{0,29}[a-z0-9])?", fullmatch=True),
    st.sampled_from([None, "Y", "Null", "True"])
    | st.from_regex(r"[A-Z][A-Za-z0-9]{0,58}", fullmatch=True),
    st.sampled_from([DEFAULT_GROUP, "1.5", "1e3.2", "0.0"])
    | st.from_regex(rf"{LABEL}(\.{LABEL}){{1,3}}", fullmatch=True),
)

Files = Mapping[str, bytes]


def read(files: Files, path: str) -> JsonObject:
    return load_object(files[path].decode(), path)


def promise_of(files: Files) -> Promise:
    return Promise.parse(read(files, "promise.yaml"))


def requests(files: Files) -> list[ResourceRequest]:
    paths = [path for path in files if path.startswith("resource-request")]
    return [ResourceRequest.parse(read(files, path)) for path in paths]


def schema_of(files: Files) -> JsonObject:
    api = promise_of(files).api
    assert api is not None
    assert list(api.schemas) == ["v1alpha1"]
    return api.schemas["v1alpha1"]


def own_stage(files: Files, names: Names) -> Stage[BaseModel]:
    found: dict[str, object] = {"__name__": names.package}
    exec(files[f"stage/{names.package}/__init__.py"], found)  # noqa: S102  (it is ours)
    return cast("Stage[BaseModel]", found["STAGE"])


def golden(files: Files, stage: Stage[BaseModel]) -> dict[str, bytes]:
    """Run every request through a stage; return what stands in ``expected/`` then."""
    [container] = promise_of(files).workflows.resource_configure[0].containers
    schema = RequestSchema(schema_of(files))
    made: dict[str, bytes] = {}
    for request in requests(files):
        asked: JsonObject = {
            "apiVersion": request.api_version,
            "kind": request.kind,
            "metadata": {"name": request.name, "namespace": request.namespace},
            "spec": schema.fill(request.spec),
        }
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("input", "output", "metadata"):
                (root / name).mkdir()
            (root / "input/object.yaml").write_bytes(dump_documents([asked]))
            run_stage(stage, root, container.literals)
            for path in (*root.glob("output/*"), *root.glob("metadata/*")):
                made[f"expected/{request.name}/{path.name}"] = path.read_bytes()
    return made


def expected(files: Files) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.startswith("expected/")}


@pytest.mark.parametrize("template", [False, True])
@settings(max_examples=50)
@given(names=NAMES)
def test_every_name_makes_a_valid_bundle(names: Names, template: bool) -> None:
    files = new_bundle(names, template=template)

    promise, asked = promise_of(files), requests(files)
    schema = RequestSchema(schema_of(files))
    assert promise.name == names.name
    assert promise.fence.declared
    assert promise.api is not None
    assert (promise.api.group, promise.api.kind) == (names.group, names.kind)
    assert promise.api.plural == names.plural
    assert {(one.group, one.kind) for one in asked} == {(names.group, names.kind)}
    assert [schema.violations(schema.fill(one.spec)) for one in asked] == [[], []]


@pytest.mark.parametrize("template", [False, True])
@settings(max_examples=30)
@given(names=NAMES)
def test_the_golden_output_is_what_the_stage_gives(names: Names, template: bool) -> None:
    files = new_bundle(names, template=template)
    stage = find_stage("template", "troth") if template else own_stage(files, names)

    assert expected(files) == golden(files, stage)


@settings(max_examples=50)
@given(names=NAMES)
def test_the_package_is_one_that_the_promise_finds(names: Names) -> None:
    files = new_bundle(names, template=False)

    project = cast("JsonObject", tomllib.loads(files["stage/pyproject.toml"].decode()))
    metadata = Fields(project).section("project")
    [container] = promise_of(files).workflows.resource_configure[0].containers
    assert container.image == f"{metadata.text('name')}:0.1"
    assert metadata.text("version") == "0.1.0"
    assert container.args == (names.name,)
    points = metadata.section("entry-points").string_map("troth.stages")
    assert points == {names.name: f"{names.package}:STAGE"}
    assert names.package.isidentifier()


@settings(max_examples=30)
@given(names=NAMES)
def test_the_schema_is_the_models(names: Names) -> None:
    files = new_bundle(names, template=False)

    stored = Fields(schema_of(files)).section("properties").mapping("spec")

    assert stored == structural_schema(own_stage(files, names).model)


@pytest.mark.parametrize("template", [False, True])
@settings(max_examples=30)
@given(names=NAMES)
def test_the_readme_shows_the_example(names: Names, template: bool) -> None:
    files = new_bundle(names, template=template)

    assert files["resource-request.yaml"].decode() in files["README.md"].decode()


def test_both_kinds_offer_the_same_and_give_the_same() -> None:
    names = Names.of("website")
    python, template = (new_bundle(names, template=which) for which in (False, True))

    assert schema_of(python) == schema_of(template)
    assert expected(python) == expected(template)
    assert sorted(template) == [path for path in sorted(python) if not path.startswith("stage/")]


def test_the_template_stage_is_that_of_the_version_that_made_it() -> None:
    files = new_bundle(Names.of("website"), template=True)

    [container] = promise_of(files).workflows.resource_configure[0].containers

    assert container.image.removeprefix("troth-stage:") == __version__.rpartition(".")[0]


@pytest.mark.parametrize(
    ("name", "kind", "plural"),
    [
        ("website", "Website", "websites"),
        ("team-2nd", "Team2nd", "team2nds"),
        ("message-bus", "MessageBus", "messagebuses"),
        ("policy", "Policy", "policies"),
        ("api-key", "ApiKey", "apikeys"),
        ("batch", "Batch", "batches"),
    ],
)
def test_kind_and_plural_follow_from_the_name(name: str, kind: str, plural: str) -> None:
    names = Names.of(name)

    assert (names.kind, names.plural, names.group) == (kind, plural, DEFAULT_GROUP)


def test_a_package_is_called_as_package_indexes_compare_names() -> None:
    names = Names.of("a--b")

    assert (names.distribution, names.package) == ("a-b-stage", "a_b_stage")


def test_the_longest_name_makes_the_longest_name_that_kratix_allows() -> None:
    names = Names.of("n" * 31)

    [pipeline] = promise_of(new_bundle(names, template=False)).workflows.resource_configure

    assert len(f"{names.name}-resource-configure-{pipeline.name}") == 60


@pytest.mark.parametrize(
    ("name", "kind", "group", "words"),
    [
        ("", None, DEFAULT_GROUP, "NAME: '' is not made of"),
        ("Website", None, DEFAULT_GROUP, "NAME: 'Website' is not made of a-z"),
        ("web_site", None, DEFAULT_GROUP, "NAME: 'web_site' is not made of"),
        ("../x", None, DEFAULT_GROUP, "NAME: '../x' is not made of"),
        ("website-", None, DEFAULT_GROUP, "letter or digit at both ends"),
        ("website\n", None, DEFAULT_GROUP, "is not made of"),
        ("3d", None, DEFAULT_GROUP, "NAME: '3d' has to begin with a letter"),
        ("n" * 32, None, DEFAULT_GROUP, "32 characters, at most 31 are allowed"),
        ("x", "", DEFAULT_GROUP, "--kind: '' is not made of"),
        ("x", "website", DEFAULT_GROUP, "--kind: 'website' is not made of"),
        ("x", "Web-Site", DEFAULT_GROUP, "--kind: 'Web-Site' is not made of"),
        ("x", "Café", DEFAULT_GROUP, "--kind: 'Café' is not made of"),
        ("x", "W" * 60, DEFAULT_GROUP, "has 60 characters, at most 59"),
        ("x", None, "example", "--group: 'example' has to be a domain name with a dot"),
        ("x", None, "Example.com", "--group: 'Example.com' is not made of"),
        ("x", None, "a.k8s.io", "--group: 'a.k8s.io' is kept for others"),
        ("x", None, "kubernetes.io", "--group: 'kubernetes.io' is kept for others"),
        ("x", None, "platform.kratix.io", "is kept for others"),
        ("x", None, f"{'a.' * 124}com", "255 characters, at most 253 are allowed"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_and_named(
    name: str, kind: str | None, group: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Names.of(name, kind, group)

    assert caught.value.reason is Reason.INVALID_NAME
    assert words in caught.value.message


def test_the_package_builds_as_a_wheel_without_a_network(tmp_path: Path) -> None:
    for path, content in new_bundle(Names.of("a--b"), template=False).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=tmp_path / "stage",
        check=True,
        capture_output=True,
    )

    [built] = (tmp_path / "stage/dist").glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        names = wheel.namelist()
        [points] = [name for name in names if name.endswith("entry_points.txt")]
        assert "a--b = a_b_stage:STAGE" in wheel.read(points).decode()
        assert [name for name in names if ".dist-info/" not in name] == ["a_b_stage/__init__.py"]


def test_the_name_of_the_stages_that_come_with_troth_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="the image troth-stage is") as refused:
        new_bundle(Names.of("troth"), template=False)

    assert refused.value.reason is Reason.INVALID_NAME


@pytest.mark.parametrize("spelled", ["shed-stage", "Shed_Stage"])
def test_a_name_whose_stage_is_an_installed_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    info = tmp_path / "shed_stage-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {spelled}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(InvalidInputError, match=r"shed-stage.*is installed") as refused:
        new_bundle(Names.of("shed"), template=False)

    assert refused.value.reason is Reason.INVALID_NAME


def test_a_bundle_without_a_stage_of_its_own_may_have_any_name() -> None:
    assert "promise.yaml" in new_bundle(Names.of("troth"), template=True)
