"""The stage image does what worker processes do: the same bytes, from the file contract alone.

Runs where TROTH_STAGE_IMAGE names an image that ``make image`` built, as the CI does.
"""

import json
import os
import re
import tomllib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from image.contents import LOCK, ROOT
from image.tools import Tool, find_runner
from support.bundles import bundles, input_object, requests, schema_of
from support.sealing import certificate_pem, private_key, unseal

from troth.api import (
    Fields,
    Json,
    Pipeline,
    Promise,
    ResourceRequest,
    dump_documents,
    expand_variables,
    load_object,
)
from troth.engine import Moment, Renderer
from troth.runners import StageJob, StageResult
from troth.runners.warm import WarmRunner

MOMENT = Moment(datetime(2024, 2, 29, 12, tzinfo=UTC), b"troth")
REQUESTS = [request for bundle in bundles() for request in requests(bundle)]
FIRST_REQUESTS = [requests(bundle)[0] for bundle in bundles()]
# Bundles whose stages act outside: a rehearsal of them is another thing than a run on Kratix.
ACTING = {
    path.parents[2].name
    for path in ROOT.glob("promises/*/expected/*/workflow-control.yaml")
    if "effects:" in path.read_text(encoding="utf-8")
}


@dataclass(frozen=True)
class Image:
    """The image under test, and what runs it."""

    name: str
    tool: Tool

    def facts(self, code: str) -> Json:
        """Return the JSON that Python code prints in a container."""
        done = self.tool.run(self.name, ["-c", code], entrypoint="python")
        assert done.returncode == 0, done.stderr
        found: Json = json.loads(done.stdout)
        return found

    def config(self, field: str) -> Json:
        found: Json = json.loads(self.tool.inspect(self.name, f"{{{{json .Config.{field}}}}}"))
        return found

    def run(self, job: StageJob, root: Path, *, context: bool = True) -> StageResult:
        """Run a job's containers one after the other, as Kratix does, on folders like its own."""
        for folder in ("input", "output", "metadata"):
            (root / folder).mkdir()
            (root / folder).chmod(0o777)  # as the folders that a kubelet makes
        given = {"object.yaml": dump_documents([job.object])}
        if context:
            given["troth.json"] = json.dumps(job.context).encode()
        for name, content in given.items():
            (root / "input" / name).write_bytes(content)
            (root / "input" / name).chmod(0o644)
        for container in job.pipeline.containers:
            environ = expand_variables(container.env, job.environ)  # as the kubelet does
            done = self.tool.run(self.name, container.args, root=root, environ=environ)
            assert done.returncode == 0, done.stderr
        return StageResult(files_below(root / "output"), files_below(root / "metadata"))


@dataclass(frozen=True)
class Observed:
    """A runner that keeps what it was asked for and what came of it."""

    runner: WarmRunner
    runs: list[tuple[StageJob, StageResult]]

    @property
    def parallelism(self) -> int:
        return self.runner.parallelism

    def fingerprint(self, pipeline: Pipeline) -> str:
        return self.runner.fingerprint(pipeline)

    def run(self, job: StageJob) -> StageResult:
        result = self.runner.run(job)
        self.runs.append((job, result))
        return result

    def close(self) -> None:
        self.runner.close()


@pytest.fixture(scope="module")
def image() -> Image:
    name = os.environ.get("TROTH_STAGE_IMAGE", "")
    if not name:
        pytest.skip("platform: TROTH_STAGE_IMAGE names no stage image; make image builds one")
    return Image(name, find_runner(name))


@pytest.fixture(scope="module")
def warm() -> Generator[WarmRunner]:
    with WarmRunner(workers=1) as runner:
        yield runner


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def runs_of(source: Path, warm: WarmRunner) -> list[tuple[StageJob, StageResult]]:
    """Run a request as the engine does; return each pipeline's job and its result."""
    bundle = source.parent / "promise.yaml"
    promise = Promise.parse(load_object(bundle.read_text(encoding="utf-8"), bundle.name))
    raw = load_object(source.read_text(encoding="utf-8"), source.name)
    schema = schema_of(promise)
    asked = input_object(ResourceRequest.parse(raw), schema)
    observed = Observed(warm, [])
    Renderer(observed, lambda: MOMENT).configure(promise, asked, {})
    return observed.runs


def named(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("source", REQUESTS, ids=named)
def test_a_container_writes_the_same_bytes_as_a_worker(
    image: Image, warm: WarmRunner, source: Path, tmp_path: Path
) -> None:
    runs = runs_of(source, warm)

    written: list[StageResult] = []
    for number, (job, _) in enumerate(runs):
        (tmp_path / str(number)).mkdir()
        written.append(image.run(job, tmp_path / str(number)))

    assert written == [result for _, result in runs]


@pytest.mark.parametrize(
    "source", [one for one in FIRST_REQUESTS if one.parent.name not in ACTING], ids=named
)
def test_a_container_needs_nothing_that_kratix_does_not_give(
    image: Image, warm: WarmRunner, source: Path, tmp_path: Path
) -> None:
    job, result = runs_of(source, warm)[0]

    assert image.run(job, tmp_path, context=False) == result


def test_a_container_seals_what_it_makes_with_the_variables_that_kratix_gives_it(
    image: Image, warm: WarmRunner, tmp_path: Path
) -> None:
    source = ROOT / "promises/generated-secret/resource-request.yaml"
    job = runs_of(source, warm)[0][0]
    given = {
        "TROTH_SEALING_CERTIFICATE": certificate_pem(private_key()).decode(),
        "TROTH_SEALING_DESTINATION": "west",
    }

    result = image.run(replace(job, environ={**job.environ, **given}), tmp_path, context=False)

    sealed = load_object(result.files["sealed-secret.yaml"].decode(), "sealed-secret.yaml")
    metadata = Fields(sealed).section("metadata")
    values = Fields(sealed).section("spec").string_map("encryptedData")
    label = f"{metadata.text('namespace')}/{metadata.text('name')}"
    assert metadata.string_map("annotations") == {"troth.dev/sealed-for": "west"}
    assert [len(unseal(value, label)) for value in values.values()] == [40]


def test_an_unknown_stage_ends_with_1_and_says_which_there_are(image: Image) -> None:
    done = image.tool.run(image.name, ["no-such-stage"])

    assert done.returncode == 1
    assert re.match(r"StageNotFound: there is no stage 'no-such-stage'; there are: \w", done.stderr)


def test_without_a_stage_it_ends_with_2_and_tells_how_it_is_used(image: Image) -> None:
    done = image.tool.run(image.name, [])

    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m troth_pipelines STAGE\n")


def test_it_offers_the_stages_of_the_distribution_and_no_other_door(image: Image) -> None:
    code = (
        "import json; from importlib.metadata import distribution;"
        "print(json.dumps([[p.group, p.name] for p in distribution('troth').entry_points]))"
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    stages = sorted(project["entry-points"]["troth.stages"])

    assert image.facts(code) == [["troth.stages", name] for name in stages]


def test_its_user_is_a_number_and_not_root(image: Image) -> None:
    user = image.config("User")

    assert isinstance(user, str)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_its_entry_point_is_that_of_the_contract(image: Image) -> None:
    assert image.config("Entrypoint") == ["python", "-m", "troth_pipelines"]


def test_it_has_the_packages_that_are_locked_for_it_and_the_stages(image: Image) -> None:
    code = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
    )
    locked = re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)

    found = image.facts(code)

    assert isinstance(found, Mapping)
    assert {n: v for n, v in found.items() if n != "troth"} == dict(locked)


def test_every_package_in_it_can_be_loaded(image: Image) -> None:
    code = (
        "import json, re2, jinja2, yaml; from yaml import CSafeLoader, CSafeDumper;"
        "print(json.dumps([re2.fullmatch('a+', 'aa') is not None, jinja2.__version__ > '']))"
    )

    assert image.facts(code) == [True, True]


def test_it_lacks_the_modules_that_no_stage_needs(image: Image) -> None:
    unwanted = [
        *("troth.engine", "troth.runners", "troth.local", "troth.cli", "troth_statestore"),
        *("git", "click", "rich", "kubernetes", "pip", "setuptools"),
    ]
    code = (
        "import json; from importlib.util import find_spec;"
        f"print(json.dumps([name for name in {unwanted} if find_spec(name)]))"
    )

    assert image.facts(code) == []


def test_it_has_no_program_to_build_or_fetch_with(image: Image) -> None:
    unwanted = ["cc", "gcc", "g++", "clang", "make", "git"]
    code = f"import json, shutil; print(json.dumps([p for p in {unwanted} if shutil.which(p)]))"

    assert image.facts(code) == []


def test_a_container_as_it_is_run_here_can_write_below_its_mounts_only(image: Image) -> None:
    folders = ["", "/opt/troth", "/run", "/tmp", "/var/tmp"]  # noqa: S108  (not to be used)
    code = f"""
import errno, json
def problem(path):
    try:
        open(path, "w")
    except OSError as error:
        return errno.errorcode[error.errno]
print(json.dumps([problem(f"{{folder}}/x") for folder in {folders}]))
"""

    assert image.facts(code) == ["EROFS"] * len(folders)


def test_what_a_stage_loads_comes_as_bytecode(image: Image) -> None:
    """Or each start would compile it anew, since nothing can be written."""
    code = (
        "import json, os, sys, troth_pipelines.__main__, troth.sdk as sdk;"
        "from importlib.util import cache_from_source as cached;"
        "[sdk.find_stage(point.name) for point in sdk.stage_entry_points()];"
        "specs = [getattr(module, '__spec__', None) for module in sys.modules.values()];"
        "files = {getattr(spec, 'origin', None) or '' for spec in specs};"
        "sources = [name for name in files if name.endswith('.py')];"
        "print(json.dumps([name for name in sources if not os.path.exists(cached(name))]))"
    )

    assert image.facts(code) == []
