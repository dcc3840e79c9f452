"""``troth init``: what it makes passes ``troth test``, and ``troth sync`` commits it unedited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.workspace import Workspace

KINDS = ((), ("--template",))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, without what Python compiled."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture
def website(workspace: Workspace) -> Path:
    """A new bundle with a stage in Python."""
    assert workspace.troth("init", "promise", "website").code == 0
    return workspace.path / "website"


def leave_a_mark(bundle: Path) -> Path:
    """Have the stage write a file whenever it is imported; return the file."""
    mark = bundle.parent / "mark"
    module = bundle / "stage/website_stage/__init__.py"
    module.write_text(f"open({str(mark)!r}, 'w').close()\n{module.read_text()}")
    return mark


@pytest.mark.parametrize("words", [("init",), ("init", "promise")])
def test_help_shows_an_example(workspace: Workspace, words: tuple[str, ...]) -> None:
    run = workspace.troth(*words, "--help")

    assert run.code == 0
    assert "troth init promise website" in run.out.split("Example", 1)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_bundle_passes_its_test_at_once(workspace: Workspace, kind: tuple[str, ...]) -> None:
    made = workspace.troth("init", "promise", "website", *kind)
    before = contents(workspace.path / "website")

    run = workspace.troth("test", "website")

    assert (made.code, made.err) == (0, "")
    assert (run.code, run.err) == (0, "")
    assert "failed" not in run.out
    assert contents(workspace.path / "website") == before


def test_every_check_of_a_stage_in_python_is_made(workspace: Workspace, website: Path) -> None:
    run = workspace.troth("test", website.name)

    assert run.out.splitlines()[-1] == "17 passed."


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_bundle_is_committed_unedited_and_then_unchanged(
    workspace: Workspace, kind: tuple[str, ...]
) -> None:
    workspace.troth("init", "promise", "website", *kind)

    first = workspace.troth("sync", "website", "-s", workspace.store)
    second = workspace.troth("sync", "website", "-s", workspace.store)

    assert first.code == 0
    assert first.out.splitlines()[-1] == "2 written."
    assert second.out.splitlines()[-1] == "2 unchanged."
    assert workspace.commits() == [
        "Create default/website-minimal (website)",
        "Create default/website-example (website)",
    ]


def test_what_is_committed_is_what_was_expected(workspace: Workspace, website: Path) -> None:
    workspace.troth("sync", "website", "-s", workspace.store)

    path = "default/resources/default/website/website-example/configure/5058f/configmap.yaml"
    golden = website / "expected/website-example/configmap.yaml"
    assert workspace.git("show", f"main:{path}") == golden.read_text().strip()


def test_both_kinds_live_in_one_store(workspace: Workspace, website: Path) -> None:
    workspace.troth("init", "promise", "shop", "--template")

    run = workspace.troth("sync", website.name, "shop", "-s", workspace.store)

    assert run.code == 0
    assert run.out.splitlines()[-1] == "4 written."


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "website/resource-request.yaml"),
        ("render", "website/resource-request.yaml", "--promise", "website"),
        ("plan", "website/promise.yaml", "website/resource-request.yaml", "-s", "fleet.git"),
    ],
)
def test_other_commands_run_the_stage_too(
    workspace: Workspace, website: Path, arguments: tuple[str, ...]
) -> None:
    del website

    run = workspace.troth(*arguments)

    assert run.code == 0
    assert "memory: 1Gi" in run.out


def test_a_command_in_the_folder_runs_the_stage(workspace: Workspace, website: Path) -> None:
    inside = Workspace.__new__(Workspace)
    inside.path, inside.environ = website, workspace.environ

    assert inside.troth("test", ".").out.splitlines()[-1] == "17 passed."
    assert inside.troth("render", "resource-request.yaml").code == 0


def test_an_edited_stage_counts_at_the_next_sync(workspace: Workspace, website: Path) -> None:
    workspace.troth("sync", "website", "-s", workspace.store)
    module = website / "stage/website_stage/__init__.py"
    module.write_text(module.read_text().replace("256Mi", "1024Mi"))

    run = workspace.troth("sync", "website", "-s", workspace.store)

    assert run.out.splitlines()[-1] == "1 written, 1 unchanged."


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_code_of_a_bundle_that_is_only_found_never_runs(workspace: Workspace, command: str) -> None:
    workspace.troth("init", "promise", "website", "--dir", "promises")
    mark = leave_a_mark(workspace.path / "promises/website")

    run = workspace.troth(command, "promises", "-s", workspace.store)

    assert run.code == 1
    assert "name the bundle whose folder stage/ holds it" in run.out
    assert not mark.exists()


def test_code_of_a_bundle_that_is_named_runs(workspace: Workspace, website: Path) -> None:
    mark = leave_a_mark(website)

    workspace.troth("sync", "website", "-s", workspace.store)

    assert mark.exists()


def test_a_request_with_another_promise_does_not_run_the_stage_beside_it(
    workspace: Workspace, website: Path
) -> None:
    mark = leave_a_mark(website)
    workspace.write("other/promise.yaml", (website / "promise.yaml").read_text())

    run = workspace.troth("render", "website/resource-request.yaml", "-p", "other")

    assert run.code == 1
    assert "the image 'website-stage:0.1' is not served" in run.out
    assert not mark.exists()


def test_a_package_that_is_not_used_is_told(workspace: Workspace, website: Path) -> None:
    arguments = ("--image", "website-stage:*=troth")

    run = workspace.troth("sync", website.name, "-s", workspace.store, *arguments)

    assert run.code == 1
    assert "Note: website-stage:* is served by troth, not by website/stage." in run.err


def test_a_package_that_cannot_be_read_is_wrong_usage(workspace: Workspace, website: Path) -> None:
    (website / "stage/pyproject.toml").write_text("[project\n")

    run = workspace.troth("sync", "website", "-s", workspace.store)

    assert run.code == 2
    assert "website/stage/pyproject.toml: this is no TOML" in run.err
    assert not (workspace.path / workspace.store).exists()


def test_pytest_makes_the_checks_and_runs_the_stages_own_tests(
    workspace: Workspace, website: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--troth", website.name, "-v", "-p", "no:cacheprovider"],
        cwd=workspace.path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "website/promise.yaml::website-minimal::expected PASSED" in done.stdout
    assert "website/promise.yaml::valid-requests PASSED" in done.stdout
    assert "test_website_stage.py::test_a_request_gives_one_config_map PASSED" in done.stdout


def test_pytest_runs_no_code_for_a_bundle_that_is_only_found(
    workspace: Workspace, website: Path
) -> None:
    mark = leave_a_mark(website)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--troth", "--ignore=website/stage", "."],
        cwd=workspace.path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "name the bundle whose folder stage/ holds it" in done.stdout
    assert not mark.exists()


def test_what_was_made_and_what_to_do_next_is_told(workspace: Workspace) -> None:
    run = workspace.troth("init", "promise", "web", "--dir", "my promises", "--kind", "Site")

    lines = run.out.splitlines()
    assert lines[0] == (
        "my promises/web is a Promise that works: it offers Site in marketplace.example.com."
    )
    assert lines[-4:] == [
        "Next:",
        "  troth test 'my promises/web'",
        "  troth render 'my promises/web/resource-request.yaml'",
        "  troth sync 'my promises/web' --state-store build/fleet.git",
    ]
    named = {line.split()[0] for line in lines[2:-5]}
    assert {"promise.yaml", "expected/", "stage/web_stage/__init__.py"} <= named
    assert all((workspace.path / "my promises/web" / name).exists() for name in named)


def test_group_and_kind_are_those_that_were_given(workspace: Workspace) -> None:
    options = ("--kind", "PostgresDatabase", "--group", "shop.example.com")

    workspace.troth("init", "promise", "database", *options)

    promise = (workspace.path / "database/promise.yaml").read_text()
    assert "name: postgresdatabases.shop.example.com" in promise
    assert "kind: PostgresDatabase" in promise


def test_a_folder_that_holds_anything_is_left_alone(workspace: Workspace) -> None:
    workspace.write("website/notes.txt", "mine\n")

    run = workspace.troth("init", "promise", "website")

    assert run.code == 2
    assert "website is there, and is not empty" in run.err
    assert contents(workspace.path / "website") == {"notes.txt": b"mine\n"}


def test_a_bundle_is_not_made_twice(workspace: Workspace, website: Path) -> None:
    before = contents(website)

    run = workspace.troth("init", "promise", "website", "--template")

    assert run.code == 2
    assert contents(website) == before


def test_an_empty_folder_is_filled(workspace: Workspace) -> None:
    (workspace.path / "website").mkdir()

    assert workspace.troth("init", "promise", "website").code == 0


def test_a_file_in_the_way_is_named(workspace: Workspace) -> None:
    workspace.write("website", "mine\n")

    run = workspace.troth("init", "promise", "website")

    assert run.code == 2
    assert "website: this cannot be written: File exists." in run.err
    assert (workspace.path / "website").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Web_Site",), "NAME: 'Web_Site' is not made of"),
        (("n" * 32,), "at most 31 are allowed"),
        (("x", "--kind", "site"), "--kind: 'site' is not made of"),
        (("x", "--group", "example"), "--group: 'example' has to be a domain name"),
        ((), "Missing argument 'NAME'"),
    ],
)
def test_bad_names_are_wrong_usage_and_make_nothing(
    workspace: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    before = contents(workspace.path)

    run = workspace.troth("init", "promise", *arguments)

    assert run.code == 2
    assert words in run.err
    assert contents(workspace.path) == before
    assert not (workspace.path / "x").exists()
