"""The conditions of the bench: other ones in every runner, and the same each time."""

from pathlib import Path

from support.warm import pipeline
from support.workshop import IMAGES

from troth.api import load_object
from troth.kit.bench import Bench, open_bench
from troth.runners import StageJob
from troth.runners.warm import Limits, WarmRunner


def seen_by(runner: WarmRunner, stage: str = "seed_of_hashes") -> str:
    """Return a hash and the time zone, or what else a stage sees."""
    container = {"name": "craft", "image": "craft-stage:1.0", "args": [stage]}
    job = StageJob(
        promise="craft",
        pipeline=pipeline(container),
        environ={"KRATIX_WORKFLOW_ACTION": "configure"},
        object={
            "apiVersion": "test/v1",
            "kind": "Craft",
            "metadata": {"name": "one", "namespace": "team"},
            "spec": {},
        },
        context={"now": "2026-01-02T03:04:05Z", "seed": "00" * 32},
    )
    text = runner.run(job).files["objects.yaml"].decode()
    data = load_object(text, "objects.yaml")["data"]
    assert isinstance(data, dict)
    return str(data["text"])


def test_a_stage_sees_other_conditions_in_every_runner(bench: Bench) -> None:
    seen = [seen_by(runner).split() for runner in (bench.usual, *bench.others)]

    hashes, zones, variables = zip(*seen, strict=True)
    assert len(set(hashes)) == 3
    assert zones == ("UTC", "EAST", "WEST")
    assert variables == ("UTC", "EAST-13:45", "WEST+11:30")


def test_the_conditions_are_the_same_each_time(bench: Bench) -> None:
    with open_bench(IMAGES, Limits(seconds=20)) as another:
        assert seen_by(another.others[1]) == seen_by(bench.others[1])


def test_a_stage_has_another_temporary_folder_in_every_runner_and_the_usual_one_in_the_first(
    bench: Bench,
) -> None:
    usual, *others = (seen_by(one, "scratches") for one in (bench.usual, *bench.others))

    assert len({usual, *others}) == 3
    assert usual == "/tmp"  # noqa: S108  (where temporary files are, unless somebody says otherwise)
    assert all(Path(one).is_dir() for one in others)


def test_the_temporary_folders_are_gone_in_the_end() -> None:
    with open_bench(IMAGES, Limits(seconds=20)) as another:
        folders = [seen_by(one, "scratches") for one in another.others]

    assert [folder for folder in folders if Path(folder).exists()] == []
