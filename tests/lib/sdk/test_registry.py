"""Stages are found by entry point, whoever brings them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from troth.errors import NotServedError, Reason
from troth.sdk import Stage, find_stage, stage_entry_points

Install = Callable[..., None]

CODE = """
from pydantic import BaseModel
from troth.sdk import Output, Stage

class {name}(BaseModel):
    pass

STAGE = Stage({name}, lambda request, context: Output())
NOT_A_STAGE = "a text"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution with entry points, as pip would: a module and its metadata."""
    monkeypatch.syspath_prepend(tmp_path)

    def lay(distribution: str, module: str, **stages: str) -> None:
        folder = tmp_path / f"{distribution}-1.0.dist-info"
        folder.mkdir()
        folder.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        lines = [f"{name} = {module}:{attribute}" for name, attribute in stages.items()]
        folder.joinpath("entry_points.txt").write_text("\n".join(["[troth.stages]", *lines]) + "\n")
        tmp_path.joinpath(f"{module}.py").write_text(CODE.format(name=module.title()))

    return lay


def test_a_stage_of_anyones_distribution_is_found(install: Install) -> None:
    install("zebra-stages", "zebra_stages", paint="STAGE")

    stage = find_stage("paint")

    assert isinstance(stage, Stage)
    assert stage.model.__name__ == "Zebra_Stages"


def test_stages_are_listed_by_name_of_one_distribution_or_of_all(install: Install) -> None:
    install("yak-stages", "yak_stages", shear="STAGE", graze="STAGE")
    install("zebra-stages", "zebra_stages", paint="STAGE")

    everywhere = [point.name for point in stage_entry_points()]

    assert [point.name for point in stage_entry_points("yak-stages")] == ["graze", "shear"]
    assert everywhere == sorted(everywhere)
    assert {"graze", "shear", "paint"} <= set(everywhere)


def test_one_name_in_two_distributions_means_the_one_that_was_asked_for(install: Install) -> None:
    install("yak-stages", "yak_two", work="STAGE")
    install("zebra-stages", "zebra_two", work="STAGE")

    assert find_stage("work", "zebra-stages").model.__name__ == "Zebra_Two"


def test_a_stage_that_is_not_there_is_told_of_with_those_that_are(install: Install) -> None:
    install("yak-stages", "yak_three", shear="STAGE", graze="STAGE")

    with pytest.raises(NotServedError) as caught:
        find_stage("milk", "yak-stages")

    assert caught.value.reason == Reason.STAGE_NOT_FOUND
    assert (
        caught.value.message == "there is no stage 'milk' in yak-stages; there are: graze, shear."
    )


def test_a_distribution_without_stages_has_none() -> None:
    with pytest.raises(NotServedError, match="no stage 'x' in nobody; there are: none"):
        find_stage("x", "nobody")


def test_what_is_no_stage_is_refused(install: Install) -> None:
    install("yak-stages", "yak_four", shear="NOT_A_STAGE")

    with pytest.raises(NotServedError, match=r"yak_four:NOT_A_STAGE of stage 'shear' is no troth"):
        find_stage("shear", "yak-stages")
