"""Stores are opened as the objects say now, and what cannot be opened is said."""

from collections.abc import Generator
from pathlib import Path

import pytest
from support.repositories import Remote

from troth.api import GitStateStore
from troth.controller.open_stores import OpenStores
from troth.errors import Reason, TransientError
from troth.local.ways_in import WaysIn
from troth_statestore import ChangeSet

SECONDS = 20.0


@pytest.fixture
def stores() -> Generator[OpenStores]:
    found = OpenStores(WaysIn())
    yield found
    found.close()


def store(name: str, url: str | Path, **spec: str) -> GitStateStore:
    kind = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "GitStateStore"}
    return GitStateStore.parse(
        {**kind, "metadata": {"name": name}, "spec": {"url": str(url), **spec}}
    )


def change(path: str) -> ChangeSet:
    return ChangeSet("requests/one.yaml", None, {path: b"a: b\n"}, record=b"a: b\n", title="One")


def test_a_store_is_opened_and_looked_at(stores: OpenStores, tmp_path: Path) -> None:
    remote = Remote.create(tmp_path / "a.git")
    tip = remote.clone(tmp_path / "clone").push({"a.yaml": "a: b\n"})
    stores.follow({"a": store("a", remote.folder)})

    view = stores.look()

    assert (view.revision("a"), view.unreached) == (tip, {})
    assert stores.probe("a").revision == tip


def test_a_store_whose_object_changes_is_opened_anew(stores: OpenStores, tmp_path: Path) -> None:
    first, second = Remote.create(tmp_path / "a.git"), Remote.create(tmp_path / "b.git")
    stores.follow({"a": store("a", first.folder)})
    stores.follow({"a": store("a", second.folder)})

    [receipt] = stores.submit("a", [change("one.yaml")])
    receipt.result(SECONDS)

    assert (list(first.files()), list(second.files())) == ([], ["one.yaml"])


def test_a_store_that_cannot_be_opened_is_out_of_reach_and_the_others_are_not(
    stores: OpenStores, tmp_path: Path
) -> None:
    remote = Remote.create(tmp_path / "a.git")
    stores.follow({"a": store("a", remote.folder), "b": store("b", tmp_path / "nothing")})

    view = stores.look()

    assert list(view.snapshots) == ["a"]
    assert "nothing" in view.unreached["b"].message


def test_a_store_that_comes_later_is_opened_then(stores: OpenStores, tmp_path: Path) -> None:
    wanted = {"a": store("a", tmp_path / "a.git")}
    stores.follow(wanted)
    assert list(stores.look().unreached) == ["a"]
    Remote.create(tmp_path / "a.git")
    stores.follow(wanted)

    assert list(stores.look().snapshots) == ["a"]


def test_a_store_whose_object_cannot_be_followed_any_more_is_not_used_as_it_was(
    stores: OpenStores, tmp_path: Path
) -> None:
    remote = Remote.create(tmp_path / "a.git")
    stores.follow({"a": store("a", remote.folder)})
    stores.follow({"a": store("a", remote.folder, authMethod="githubApp")})

    view = stores.look()

    assert (list(view.snapshots), list(view.unreached)) == ([], ["a"])
    with pytest.raises(Exception, match="githubApp"):
        stores.submit("a", [change("one.yaml")])


def test_a_store_that_was_taken_away_takes_nothing_more(stores: OpenStores, tmp_path: Path) -> None:
    remote = Remote.create(tmp_path / "a.git")
    stores.follow({"a": store("a", remote.folder)})
    stores.follow({})

    assert (stores.look().snapshots, stores.look().unreached) == ({}, {})
    with pytest.raises(TransientError) as caught:
        stores.submit("a", [change("one.yaml")])
    assert caught.value.reason == Reason.STATE_STORE_BUSY


def test_what_was_handed_in_is_written_before_a_store_is_closed(tmp_path: Path) -> None:
    remote = Remote.create(tmp_path / "a.git")
    stores = OpenStores(WaysIn())
    stores.follow({"a": store("a", remote.folder)})
    stores.submit("a", [change("one.yaml")])
    stores.close()

    assert list(remote.files()) == ["one.yaml"]
