"""Two runs at one moment: nobody gets what the other has just taken, and nobody waits in vain."""

from pathlib import Path

import pytest
from support.platform import Platform, config_map, destination, promise, request, writes
from support.routed import apis, gate

from troth.api import Layout
from troth.engine import Item, Settings, State, Submission
from troth.errors import Reason
from troth_statestore.directory import DirectoryStore


def beside(platform: Platform, folder: Path, inventory: str = "other") -> Platform:
    """The same platform in another process: a store of its own, on one folder."""
    return Platform(
        stages=platform.stages,
        promises=platform.promises,
        destinations=platform.destinations,
        settings=Settings(inventory=inventory),
        store=DirectoryStore(folder),
    )


def pair(platform: Platform, folder: Path) -> tuple[Platform, Platform]:
    return beside(platform, folder, "default"), beside(platform, folder)


def at_once(
    first: tuple[Platform, list[Submission]], second: tuple[Platform, list[Submission]]
) -> tuple[dict[str, Item], dict[str, Item]]:
    """Let both plan before either writes."""
    (one, asked), (other, asked_too) = first, second
    plan, plan_too = one.plan(*asked), other.plan(*asked_too)
    return one.write(plan), other.write(plan_too)


def same_object() -> Platform:
    return Platform(
        stages={"configure": writes(config_map("shared", "shared"))},
        promises=[promise(fence="{namespaces: [shared]}")],
    )


def test_one_object_is_had_by_one_of_two_runs(tmp_path: Path) -> None:
    one, other = pair(same_object(), tmp_path)

    first, second = at_once((one, [request("one")]), (other, [request("two")]))
    again = other.sync(request("two"))

    assert first["one"].state is State.WRITTEN
    assert (second["two"].state, second["two"].reason) == (State.FAILED, Reason.STATE_STORE_BUSY)
    assert again["two"].reason == Reason.OBJECT_HELD
    assert not any("/two/" in path for path in one.files)


def test_runs_that_make_different_objects_do_not_hold_each_other_up(tmp_path: Path) -> None:
    one, other = pair(Platform(), tmp_path)

    first, second = at_once((one, [request("one")]), (other, [request("two")]))

    assert first["one"].state is second["two"].state is State.WRITTEN


def test_one_file_of_a_layout_without_folders_is_had_by_one_of_two_runs(tmp_path: Path) -> None:
    flat = Platform(
        stages={"configure": writes(path="notes.yaml")},
        destinations=[destination("cluster", layout=Layout.NONE)],
    )
    flat.stages["configure"] = lambda job: writes(
        config_map(job.environ["KRATIX_OBJECT_NAME"]), path="objects.yaml"
    )(job)
    one, other = pair(flat, tmp_path)

    first, second = at_once((one, [request("one")]), (other, [request("two")]))

    assert first["one"].state is State.WRITTEN
    assert second["two"].reason == Reason.STATE_STORE_BUSY
    assert other.sync(request("two"))["two"].reason == Reason.PATH_HELD


def test_one_route_is_had_by_one_of_two_runs(tmp_path: Path) -> None:
    one, other = pair(apis(), tmp_path)
    one.sync(gate())

    first, second = at_once(
        (one, [gate(), request("one", value="/a")]), (other, [request("two", value="/a")])
    )

    assert first["one"].state is State.WRITTEN
    assert second["two"].reason == Reason.STATE_STORE_BUSY
    assert other.sync(request("two", value="/a"))["two"].reason == Reason.ROUTE_HELD


def test_different_routes_of_one_gateway_do_not_hold_each_other_up(tmp_path: Path) -> None:
    one, other = pair(apis(), tmp_path)
    one.sync(gate())

    first, second = at_once(
        (one, [gate(), request("one", value="/a")]), (other, [request("two", value="/b")])
    )

    assert first["one"].state is second["two"].state is State.WRITTEN


@pytest.mark.parametrize(
    ("consent", "reason"), [(None, Reason.PARENT_NOT_FOUND), ("/b guests", Reason.CREATED)]
)
def test_a_route_does_not_come_to_hang_on_a_gateway_that_another_run_has_just_changed(
    consent: str | None, reason: Reason, tmp_path: Path
) -> None:
    one, other = pair(apis(), tmp_path)
    one.sync(gate())
    left = [gate(consent)] if consent is not None else []

    _, second = at_once((one, left), (other, [request("two", value="/a")]))

    assert second["two"].reason == Reason.STATE_STORE_BUSY
    assert other.sync(request("two", value="/a"))["two"].reason == reason


def test_listeners_do_not_come_to_hang_on_a_gateway_that_another_run_has_just_changed(
    tmp_path: Path,
) -> None:
    one, other = pair(apis(), tmp_path)
    one.sync(gate())
    listeners = request("more", kind="Gate", colour="set")

    _, second = at_once((one, [gate("/b guests")]), (other, [listeners]))

    assert second["more"].reason == Reason.STATE_STORE_BUSY
    assert other.sync(listeners)["more"].state is State.WRITTEN


def test_what_takes_nothing_new_is_written_whatever_others_did(tmp_path: Path) -> None:
    one, other = pair(apis(), tmp_path)
    one.sync(gate())
    other.sync(request("two", value="/a"))

    _, second = at_once(
        (one, [gate("/b guests")]), (other, [request("two", value="/a", colour="blue")])
    )

    assert second["two"].state is not State.FAILED


def test_a_record_of_another_run_that_cannot_be_read_lets_nothing_new_through(
    tmp_path: Path,
) -> None:
    one, other = pair(Platform(), tmp_path)
    plan = other.plan(request("two"))
    one.sync(request("one"))
    [record] = (tmp_path / ".troth" / "records").rglob("one.yaml")
    record.write_bytes(b"{broken")

    items = other.write(plan)

    assert items["two"].reason == Reason.STATE_STORE_BUSY
