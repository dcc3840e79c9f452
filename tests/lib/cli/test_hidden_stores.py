"""A state store whose object cannot be read: what it holds is not made a second time elsewhere."""

import pytest
from support.workspace import Workspace

from troth.api import Json

STORE = """\
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: {name}}}
spec: {{url: {url}, branch: main}}
"""
DESTINATION = """\
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {{name: {name}}}
spec: {{path: {name}, stateStoreRef: {{kind: GitStateStore, name: {name}}}}}
"""


@pytest.fixture
def two_stores(workspace: Workspace) -> Workspace:
    """Requests in the store "far" alone, then a store "near" beside it."""
    workspace.ask("payments")
    write(workspace, "far")
    assert sync(workspace)["payments"]["state"] == "Written"
    write(workspace, "near")
    return workspace


def write(workspace: Workspace, name: str) -> None:
    url = workspace.path / f"{name}.git"
    content = STORE.format(name=name, url=url) + DESTINATION.format(name=name)
    (workspace.path / f"{name}.yaml").write_text(content)


def sync(workspace: Workspace) -> dict[str, dict[str, Json]]:
    files = sorted(one.name for one in workspace.path.glob("*.yaml"))
    return workspace.troth("sync", *files, "requests", "-o", "json").items


@pytest.mark.parametrize(
    ("old", "new"),
    [("url: ", "url: ["), ("branch: main", "branch: 7"), ("url:", "uri:")],
    ids=["no YAML", "a wrong field", "a field that is missing"],
)
def test_a_request_is_not_written_again_while_its_store_may_be_hidden(
    two_stores: Workspace, old: str, new: str
) -> None:
    file = two_stores.path / "far.yaml"
    content = file.read_text()
    broken = content.replace(old, new)
    file.write_text(broken if new == "url: [" else broken.partition("---")[0])
    two_stores.ask("shop")

    items = sync(two_stores)
    file.write_text(content)
    again = sync(two_stores)

    assert {items[name]["state"] for name in ("payments", "shop")} == {"Failed"}
    assert "far" in str(items["payments"]["message"])
    assert (again["payments"]["state"], again["shop"]["state"]) == ("Unchanged", "Written")


def test_a_file_that_holds_no_store_holds_nobody_up(two_stores: Workspace) -> None:
    (two_stores.path / "note.yaml").write_text("kind: [")
    two_stores.ask("shop")

    assert sync(two_stores)["shop"]["state"] == "Written"
