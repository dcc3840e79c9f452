"""Stages that stand in a bundle: when they are served, when not, and what is left behind."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from troth.api import Fields, JsonObject, Pipeline
from troth.errors import InvalidInputError, NotServedError, Reason
from troth.local.own_stages import serve_own_stages
from troth.runners.warm import WarmRunner

PROJECT = """\
[project]
name = "shop-stage"
version = "0.3.1"
[project.entry-points."troth.stages"]
shop = "shop_stage:STAGE"
"""
SHIPPED = {"troth-stage:*": "troth"}
SERVED = {**SHIPPED, "shop-stage:*": "shop-stage"}


def lay(folder: Path, project: str = PROJECT, module: str = "shop_stage") -> Path:
    """Write a bundle with a stage of its own."""
    stage = folder / "stage"
    (stage / module).mkdir(parents=True)
    (folder / "promise.yaml").write_text("")
    (stage / "pyproject.toml").write_text(project)
    (stage / module / "__init__.py").write_text("STAGE = None\n")
    return folder


def install(site: Path, *, version: str = "0.3.1") -> Path:
    """Write the metadata of an installed shop-stage."""
    info = site / f"shop_stage-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: shop-stage\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("[troth.stages]\nshop = shop_stage:STAGE\n")
    return site


def pipeline(image: str = "registry.test/shop-stage:0.3") -> Pipeline:
    raw: JsonObject = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": "configure"},
        "spec": {"containers": [{"name": "shop", "image": image, "args": ["shop"]}]},
    }
    return Pipeline.parse(Fields(raw))


def images(*named: Path, given: Mapping[str, str] = SHIPPED) -> Mapping[str, str]:
    with serve_own_stages(named, given) as served:
        return served.images


@pytest.mark.parametrize("file", [".", "promise.yaml"])
def test_a_bundle_that_is_named_serves_the_images_that_are_called_as_its_package(
    tmp_path: Path, file: str
) -> None:
    bundle = lay(tmp_path / "shop")

    with (
        serve_own_stages([bundle / file], SHIPPED) as served,
        WarmRunner(served.images) as runner,
    ):
        [step] = runner.steps(pipeline())

    assert served.images == SERVED
    assert served.notes == ()
    assert (step.stage, step.distribution) == ("shop", "shop-stage")


def test_the_tag_has_to_be_the_version_of_the_package(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "shop")

    with (
        serve_own_stages([bundle], SHIPPED) as served,
        WarmRunner(served.images) as runner,
        pytest.raises(NotServedError, match=r"shop-stage 0\.3\.1, tag 0\.3 or 0\.3\.1"),
    ):
        runner.steps(pipeline("shop-stage:0.4"))


def test_a_bundle_below_a_named_folder_is_not_served(tmp_path: Path) -> None:
    lay(tmp_path / "shop")

    assert images(tmp_path) == SHIPPED


@pytest.mark.parametrize("file", ["resource-request.yaml", "stage", "stage/pyproject.toml"])
def test_another_file_of_a_bundle_does_not_name_it(tmp_path: Path, file: str) -> None:
    bundle = lay(tmp_path / "shop")
    (bundle / "resource-request.yaml").write_text("")

    assert images(bundle / file) == SHIPPED


def test_a_folder_without_a_promise_is_no_bundle(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "shop")
    (bundle / "promise.yaml").unlink()

    assert images(bundle) == SHIPPED


@pytest.mark.parametrize("project", ["", "[project]\nname = 'shop-stage'\n"])
def test_a_project_without_stages_is_left_alone(tmp_path: Path, project: str) -> None:
    assert images(lay(tmp_path / "shop", project)) == SHIPPED


def test_nothing_stays_on_the_path(tmp_path: Path) -> None:
    before = list(sys.path)

    with serve_own_stages([lay(tmp_path / "shop")], SHIPPED):
        added = [Path(one) for one in sys.path if one not in before]

    assert tmp_path / "shop" / "stage" in added
    assert sys.path == before
    assert [one for one in added if one.exists()] == [tmp_path / "shop" / "stage"]


def test_what_is_installed_comes_before_what_a_bundle_brings(tmp_path: Path) -> None:
    before = list(sys.path)

    with serve_own_stages([lay(tmp_path / "shop")], SHIPPED):
        assert sys.path[: len(before)] == before


def test_an_edited_stage_has_another_fingerprint(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "shop")
    found: list[str] = []

    for text in ("STAGE = None\n", "STAGE = True\n", "STAGE = None\n"):
        (bundle / "stage/shop_stage/__init__.py").write_text(text)
        with (
            serve_own_stages([bundle], SHIPPED) as served,
            WarmRunner(served.images) as runner,
        ):
            found.append(runner.fingerprint(pipeline()))

    assert found[0] != found[1]
    assert found[0] == found[2]


def test_an_image_that_is_mapped_stays_so_and_that_is_said(tmp_path: Path) -> None:
    given = {**SHIPPED, "shop-stage:*": "troth"}

    with serve_own_stages([lay(tmp_path / "shop")], given) as served:
        assert served.images == given
        assert served.notes == (f"shop-stage:* is served by troth, not by {tmp_path}/shop/stage.",)


def test_a_bundle_cannot_take_the_images_that_we_ship(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "shop", PROJECT.replace("shop-stage", "Troth_Stage"))

    assert images(bundle) == SHIPPED


def test_an_installed_package_is_used_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install(tmp_path / "site", version="0.2.0")
    (site / "shop_stage.py").write_text("STAGE = 'installed'\n")
    monkeypatch.syspath_prepend(site)

    with serve_own_stages([lay(tmp_path / "shop")], SHIPPED) as served:
        assert served.images == SERVED
        [note] = served.notes
        assert note.startswith("shop-stage 0.2.0 is installed, and serves shop-stage:*; ")
        assert note.endswith(f"{tmp_path}/shop/stage is not used.")
        assert str(tmp_path / "shop" / "stage") not in sys.path


def test_of_a_package_that_is_installed_from_the_bundle_itself_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = lay(tmp_path / "shop")
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    monkeypatch.syspath_prepend(bundle / "stage")

    with serve_own_stages([bundle], SHIPPED) as served:
        assert served.images == SERVED
        assert served.notes == ()


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ("[project", "this is no TOML"),
        (PROJECT.replace('"shop-stage"', "7"), "project.name: a text is needed here"),
        (PROJECT.replace("shop-stage", "shop stage"), "'shop stage' is not like"),
        (PROJECT.replace("shop-stage", "../shop"), "'../shop' is not like"),
        (PROJECT.replace('version = "0.3.1"', ""), "project.version: a text is needed here"),
        (PROJECT.replace("0.3.1", r"0.3\nX: y"), "is not like"),
        (PROJECT.replace("shop =", '"a\\n[b]" ='), "is not like"),
        (PROJECT.replace("shop_stage:STAGE", "shop_stage"), "'shop_stage' is not like"),
        (PROJECT.replace("shop_stage:", "other_stage:"), "there is no module 'other_stage'"),
        (PROJECT.replace("shop_stage:", "yaml:"), "the module 'yaml' of its stages is found else"),
        (PROJECT.replace("shop_stage:", "sys:"), "the module 'sys' of its stages is found else"),
    ],
)
def test_a_package_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, project: str, words: str
) -> None:
    bundle = lay(tmp_path / "shop", project)
    before = list(sys.path)

    with pytest.raises(InvalidInputError) as caught:
        images(bundle)

    assert caught.value.reason is Reason.INVALID_OBJECT
    assert caught.value.message.startswith(f"{bundle}/stage/pyproject.toml: ")
    assert words in caught.value.message
    assert sys.path == before


def test_a_package_that_leads_out_of_the_bundle_is_refused(tmp_path: Path) -> None:
    lay(tmp_path / "other")
    bundle = lay(tmp_path / "shop", module="unused")
    (bundle / "stage/shop_stage").symlink_to(tmp_path / "other/stage/shop_stage")

    with pytest.raises(InvalidInputError, match="found elsewhere"):
        images(bundle)


def test_two_bundles_with_one_package_are_refused(tmp_path: Path) -> None:
    named = (lay(tmp_path / "one"), lay(tmp_path / "two"))

    with pytest.raises(InvalidInputError, match=r"one/stage/pyproject\.toml holds a package call"):
        images(*named)


def test_a_bundle_that_is_named_twice_is_one(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "shop")

    assert images(bundle, bundle / "promise.yaml", bundle / "..//shop") == SERVED
