"""``troth history``: what it prints, and whom it means by a name."""

import json
import subprocess
from pathlib import Path

import pytest
from support.repositories import Clone
from support.workspace import Workspace

QUOTA = "default/resources/default/namespace/payments/configure/5058f/quota.yaml"


KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A request that was written twice, and edited by hand in between; nobody writes here later.

    Beside it two of one name in two namespaces, and one that is gone.
    """
    workspace = Workspace(tmp_path_factory.mktemp("lived"))
    workspace.ask("payments", size="small")
    gone = workspace.ask("gone")
    shop = workspace.ask("shop").read_text().replace("environment: dev", "environment: prod")
    other = shop.replace("  name: shop", "  name: shop\n  namespace: other")
    workspace.write("requests/other.yaml", other)
    workspace.sync()
    gone.unlink()
    clone(workspace).push({QUOTA: f"edited: true\n{KEY}"}, "Mend \x1b[31mit\nin haste")
    workspace.ask("payments", size="large")
    workspace.sync()
    return workspace


def clone(workspace: Workspace) -> Clone:
    folder = workspace.path / "clone"
    store = str(workspace.path / workspace.store)
    subprocess.run(["git", "clone", "-q", store, str(folder)], check=True)
    return Clone(folder)


def test_the_commits_are_listed_newest_first_and_others_are_marked(lived: Workspace) -> None:
    run = lived.troth("history", "payments", "-s", lived.store)

    newest, edit, oldest = run.out.splitlines()[1:]
    assert run.code == 0
    assert newest.startswith(lived.git("rev-parse", "main")[:12])
    assert "  2  " in newest
    assert "v0.1.0" in newest
    assert "1 changed  Update default/payments (namespace)" in newest
    assert "Somebody Else" in edit
    assert "(not by Troth)" in edit
    assert "4 added" in oldest


def test_what_a_terminal_would_obey_is_not_printed(lived: Workspace) -> None:
    run = lived.troth("history", "payments", "-s", lived.store)

    assert "\x1b" not in run.out
    assert "Mend �[31mit" in run.out


def test_json_has_all_that_is_known_of_each(lived: Workspace) -> None:
    run = lived.troth("history", "payments", "-s", lived.store, "-o", "json")

    newest, edit, _ = run.all_items
    assert json.loads(run.out)["kind"] == "HistoryReport"
    assert (newest["namespace"], newest["promise"], newest["name"]) == (
        "default", "namespace", "payments"
    )  # fmt: skip
    assert newest["revision"] == lived.git("rev-parse", "main")
    assert newest["byTroth"] is True
    assert (newest["generation"], newest["promiseVersion"]) == (2, "v0.1.0")
    assert newest["files"] == [{"path": QUOTA, "action": "changed"}]
    assert len(str(newest["output"])) == 64
    assert edit["byTroth"] is False
    assert edit["output"] is edit["generation"] is edit["promiseVersion"] is None
    assert "diff" not in newest


def test_a_date_is_that_of_the_commit_in_utc(lived: Workspace) -> None:
    run = lived.troth("history", "payments", "-s", lived.store, "--limit", "1", "-o", "json")

    date = lived.git("log", "-1", "--format=%ad", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "main")
    assert [item["date"] for item in run.all_items] == [date]


def test_a_diff_shows_how_the_files_changed(lived: Workspace) -> None:
    run = lived.troth("history", "payments", "-s", lived.store, "--limit", "2", "--diff")

    assert f"commit {lived.git('rev-parse', 'main')}" in run.out
    assert "generation 2, Promise v0.1.0" in run.out
    assert "\n-edited: true\n" in run.out
    assert "\n+edited: true\n" in run.out
    assert "MIIEvQ" not in run.out


def test_one_commit_is_shown_by_itself(lived: Workspace) -> None:
    first = lived.git("rev-list", "main", "--", QUOTA).splitlines()[-1]

    run = lived.troth(
        *("history", "payments", "-s", lived.store, "--commit", first[:10], "--diff"),
        *("-o", "json"),
    )

    [item] = run.all_items
    assert item["revision"] == first
    assert f"+++ b/{QUOTA}" in str(item["diff"])


def test_a_name_that_several_have_is_asked_about(lived: Workspace) -> None:
    run = lived.troth("history", "shop", "-s", lived.store)

    assert run.code == 2
    assert "default/shop (namespace), other/shop (namespace)" in run.err
    assert "use -n and --promise" in run.err


def test_a_namespace_tells_which_is_meant(lived: Workspace) -> None:
    command = ("history", "namespace/shop", "-n", "other", "-s", lived.store, "-o", "json")

    [item] = lived.troth(*command).all_items

    assert item["namespace"] == "other"


def test_a_name_that_nobody_has_is_told(lived: Workspace) -> None:
    run = lived.troth("history", "nobody", "-s", lived.store)

    assert run.code == 2
    assert "knows no request nobody." in run.err
    assert "give -n and --promise" in run.err


def test_a_request_that_is_gone_is_found_when_it_is_fully_named(lived: Workspace) -> None:
    run = lived.troth("history", "namespace/gone", "-n", "default", "-s", lived.store)

    assert run.code == 0
    assert "4 removed  Remove default/gone (namespace)" in run.out


def test_a_plain_folder_is_told_to_have_no_history(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")

    run = workspace.troth("history", "payments", "-s", "dir:plain")

    assert run.code == 1
    assert "keeps no history: it is a plain folder" in run.err


def test_a_store_has_to_be_named(workspace: Workspace) -> None:
    run = workspace.troth("history", "payments")

    assert run.code == 2
    assert "give --state-store" in run.err


def test_a_record_that_cannot_be_read_hides_no_history(lived: Workspace, tmp_path: Path) -> None:
    records = tmp_path / "records"
    broken = str(tmp_path / "broken.git")
    whole = str(lived.path / lived.store)
    subprocess.run(["git", "clone", "-q", "--bare", whole, broken], check=True)
    branch = "troth/records/main"
    subprocess.run(["git", "clone", "-q", "-b", branch, broken, str(records)], check=True)
    [path] = records.rglob("payments.yaml")
    path.write_text("broken: [")
    for command in (["commit", "-q", "-am", "Break"], ["push", "-q"]):
        subprocess.run(["git", "-C", str(records), *command], check=True)

    run = lived.troth("history", "payments", "-s", broken)

    assert len(run.out.splitlines()) == 4


def test_a_request_that_never_was_has_no_history(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth("history", "namespace/typo", "-n", "default", "-s", workspace.store)

    assert run.code == 2
    assert "is it spelled right?" in run.err


@pytest.mark.parametrize("command", ["history namespace/payments", "stores"])
def test_what_could_not_be_read_is_said_where_stores_are_looked_at(
    workspace: Workspace, command: str
) -> None:
    workspace.ask("payments")
    workspace.sync()
    workspace.write("broken.yaml", "kind: [")

    run = workspace.troth(*command.split(), "broken.yaml", "-s", workspace.store)

    assert "broken.yaml" in run.err
