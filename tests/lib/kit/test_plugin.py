"""The pytest plugin, as its users run it: in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from support.workshop import Workshop, findings

from troth.kit.bench import Bench
from troth.kit.examination import Options

# Once the plugin is installed by its entry point, naming it again would load it twice.
_LOAD = [] if entry_points(group="pytest11", name="troth") else ["-p", "troth.kit.plugin"]


@pytest.fixture
def installed(workshop: Workshop) -> Workshop:
    """A workshop whose stages are installed in it."""
    workshop.install()
    return workshop


def run(workshop: Workshop, *arguments: str, code: int = 1, given: Sequence[str] = _LOAD) -> str:
    """Run pytest in the workshop, check how it ended, and return what it printed."""
    options = ["--troth-image", "craft-stage:*=craft", "--troth-examples", "5"]
    command = [sys.executable, "-m", "pytest", *given, "-p", "no:cacheprovider", "-rs", "-v"]
    done = subprocess.run(
        [*command, *(options if "--troth" in arguments else ()), *arguments],
        cwd=workshop.path,
        env={**os.environ, "PYTHONPATH": str(workshop.site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def golden(workshop: Workshop, bench: Bench, stage: str) -> None:
    findings(workshop.bundle(stage), bench, Options(update=True))


def test_without_the_option_nothing_is_collected(installed: Workshop) -> None:
    installed.bundle("plain")

    out = run(installed, "bundle", code=pytest.ExitCode.NO_TESTS_COLLECTED)

    assert "collected 0 items" in out


def test_every_check_is_a_test_with_an_id(installed: Workshop, bench: Bench) -> None:
    golden(installed, bench, "plain")

    out = run(installed, "--troth", "bundle", code=0)

    assert "bundle/promise.yaml::model PASSED" in out
    assert "bundle/promise.yaml::one::stable PASSED" in out
    assert "bundle/promise.yaml::valid-requests PASSED" in out
    assert "12 passed" in out


def test_one_check_can_be_run_by_its_id(installed: Workshop, bench: Bench) -> None:
    golden(installed, bench, "plain")

    out = run(installed, "--troth", "bundle/promise.yaml::one::expected", code=0)

    assert "1 passed" in out


def test_a_failure_shows_the_words_and_no_traceback(installed: Workshop, bench: Bench) -> None:
    golden(installed, bench, "plain")
    written = installed.path / "bundle/expected/one/objects.yaml"
    written.write_text(written.read_text().replace("hello", "edited"))

    out = run(installed, "--troth", "bundle/promise.yaml::one")

    assert "one: expected" in out
    assert "-  text: edited" in out
    assert "Traceback" not in out
    assert "plugin.py" not in out.partition("FAILURES")[2]


def test_what_is_not_checked_is_skipped_with_its_reason(installed: Workshop) -> None:
    installed.bundle("fails")

    out = run(installed, "--troth", "bundle")

    assert "not checked: see the check renders." in out


def test_a_promise_that_cannot_be_read_is_one_failing_test(installed: Workshop) -> None:
    folder = installed.bundle("plain")
    (folder / "promise.yaml").write_text("kind: [\n")

    out = run(installed, "--troth", "bundle")

    assert "promise.yaml:2" in out
    assert "1 failed" in out


def test_a_random_request_that_fails_is_shown(installed: Workshop) -> None:
    installed.bundle("fails")

    out = run(installed, "--troth", "bundle/promise.yaml::valid-requests")

    assert "a request that the schema allows fails.\nspec:" in out
    assert "raised LookupError" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--troth-image", "nothing"], "'nothing' is no PATTERN=PACKAGE"),
        (["--troth-examples", "0"], "at least 1"),
        (["--troth-schemas", "bundle"], "holds no CustomResourceDefinition"),
    ],
)
def test_wrong_options_are_wrong_usage(
    installed: Workshop, arguments: list[str], words: str
) -> None:
    installed.bundle("plain")

    out = run(installed, "--troth", "bundle", *arguments, code=pytest.ExitCode.USAGE_ERROR)

    assert words in out


def test_without_hypothesis_the_other_checks_are_made(installed: Workshop, bench: Bench) -> None:
    golden(installed, bench, "plain")
    hidden = installed.site / "sitecustomize.py"
    hidden.write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda n, p=None: None if n == 'hypothesis' else found(n, p)\n"
    )

    out = run(installed, "--troth", "bundle", code=0, given=[*_LOAD, "-p", "no:hypothesispytest"])

    assert "not checked: hypothesis is not installed" in out
    assert "10 passed, 2 skipped" in out


def loaded_by(module: str) -> set[str]:
    """Return the modules that are there in a new process once one has been imported."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=Path("/"), capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_the_plugin_loads_nothing_of_ours_until_bundles_are_asked_for() -> None:
    loaded = {name for name in loaded_by("troth.kit.plugin") if name.startswith("troth")}

    assert loaded == {"troth", "troth.kit", "troth.kit.plugin"}


def test_collecting_bundles_needs_no_hypothesis() -> None:
    assert "hypothesis" not in loaded_by("troth.kit.plugin._bundles")


def test_the_command_needs_neither_pytest_nor_hypothesis() -> None:
    assert not {"hypothesis", "pytest"} & loaded_by("troth.cli.test")
