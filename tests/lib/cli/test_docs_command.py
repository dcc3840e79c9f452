"""``troth docs``: what it prints, and how it ends."""

import pytest
from support.workspace import ROOT, Workspace

BUNDLE = ROOT / "promises" / "namespace"

REQUEST = """\
# How one asks.
apiVersion: marketplace.troth.dev/v1alpha1
kind: TeamNamespace
metadata: {name: payments}  # any name
spec: {team: payments, environment: dev, owners: [admins]}
"""


def test_the_page_of_a_bundle_shows_its_own_example(workspace: Workspace) -> None:
    run = workspace.troth("docs", str(BUNDLE))

    example = (BUNDLE / "resource-request.yaml").read_text().strip()
    assert run.code == 0
    assert f"```yaml\n{example}\n```" in run.out
    assert run.out.startswith("# TeamNamespace\n")


def test_a_folder_and_its_file_give_the_same_page_every_time(workspace: Workspace) -> None:
    pages = {
        workspace.troth("docs", str(path)).out
        for path in (BUNDLE, BUNDLE / "promise.yaml", BUNDLE / "promise.yaml")
    }

    assert len(pages) == 1


def test_the_comments_of_an_example_are_kept(workspace: Workspace) -> None:
    workspace.write("resource-request.yaml", REQUEST)

    run = workspace.troth("docs", "promise.yaml")

    assert "metadata: {name: payments}  # any name\n" in run.out


def test_of_several_requests_in_a_file_the_first_is_shown_by_itself(workspace: Workspace) -> None:
    other = REQUEST.replace("name: payments", "name: shop")
    workspace.write("resource-request.yaml", f"{REQUEST}---\n{other}")

    run = workspace.troth("docs", "promise.yaml")

    block = run.out.split("```")[1]
    assert "name: payments" in block
    assert "shop" not in block
    assert "---" not in block


def test_without_a_request_beside_it_the_example_is_made(workspace: Workspace) -> None:
    run = workspace.troth("docs", "promise.yaml")

    assert run.code == 0
    assert "Made from the schema; replace what stands in angle brackets:" in run.out
    assert "  team: <team>\n" in run.out


def test_a_request_of_another_kind_is_no_example(workspace: Workspace) -> None:
    workspace.write("resource-request.yaml", REQUEST.replace("TeamNamespace", "Other"))

    run = workspace.troth("docs", "promise.yaml")

    assert run.code == 0
    assert "Made from the schema" in run.out


def test_of_a_promise_without_an_api_no_request_is_an_example(workspace: Workspace) -> None:
    workspace.write("resource-request.yaml", REQUEST)
    workspace.write(
        "promise.yaml",
        {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Promise",
         "metadata": {"name": "base"}, "spec": {"dependencies": [{"kind": "Namespace"}]}},
    )  # fmt: skip

    run = workspace.troth("docs", "promise.yaml")

    assert run.code == 0
    assert "offers no API" in run.out


def test_the_page_is_written_to_a_file(workspace: Workspace) -> None:
    printed = workspace.troth("docs", "promise.yaml")

    run = workspace.troth(
        "docs", "promise.yaml", "--output", "build/page.md", "--format", "markdown"
    )

    assert (run.code, run.out) == (0, "")
    assert "Promise namespace is written to build/page.md" in run.err
    assert (workspace.path / "build" / "page.md").read_text() == printed.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["requests"], "holds no promise.yaml"),
        (["requests/payments.yaml"], "holds 0 Promises"),
        (["two.yaml"], "holds 2 Promises"),
        (["bad.yaml"], "bad.yaml:2: this is no YAML"),
        (["nowhere"], "nowhere"),
        (["promise.yaml", "--output", "promise.yaml/page.md"], "cannot be written"),
        (["promise.yaml", "--format", "html"], "markdown"),
        ([], "PROMISE_PATH"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_to_do(
    workspace: Workspace, arguments: list[str], words: str
) -> None:
    workspace.ask("payments")
    promise = (workspace.path / "promise.yaml").read_text()
    other = promise.replace("  name: namespace\n", "  name: other\n").replace(
        "TeamNamespace", "Other"
    )
    workspace.write("two.yaml", f"{promise}---\n{other}")
    workspace.write("bad.yaml", "kind: {")

    run = workspace.troth("docs", *arguments)

    assert run.code == 2
    assert words in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("environment: dev", "environment: 1", "resource-request.yaml:5: spec.environment"),
        ("v1alpha1", "v9", "resource-request.yaml:2: the Promise serves no version v9"),
        ("metadata:", "metadata: {", "resource-request.yaml"),
    ],
)
def test_an_example_that_would_be_refused_is_not_shown(
    workspace: Workspace, old: str, new: str, words: str
) -> None:
    workspace.write("resource-request.yaml", REQUEST.replace(old, new))

    run = workspace.troth("docs", "promise.yaml")

    assert (run.code, run.out) == (2, "")
    assert words in run.err


def test_the_help_shows_an_example(workspace: Workspace) -> None:
    run = workspace.troth("docs", "--help")

    assert run.code == 0
    assert "troth docs" in run.out.split("Example", 1)[1]
