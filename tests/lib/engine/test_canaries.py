"""Two files in a Destination that asks for them: Kratix's, to the byte, and accounted for."""

from dataclasses import replace

import pytest
from support.kratix_repository import CANARIES, KratixRepository
from support.platform import Platform, config_map, destination, promise, request, writes

from troth.api import Layout, RequestKey
from troth.engine import Item, State
from troth.engine.ledger import Ledger
from troth.engine.preview import preview
from troth.engine.proof import Flaw, Verdict
from troth.engine.values import World
from troth.engine.verify import verify
from troth.engine.view import View
from troth.errors import Reason
from troth_statestore import ChangeSet
from troth_statestore.memory import MemoryStore

LAYOUTS = list(Layout)
NAMESPACE = "cluster/dependencies/kratix-canary-namespace.yaml"
CONFIG_MAP = "cluster/resources/kratix-canary-configmap.yaml"


def platform(layout: Layout = Layout.NESTED, *, canaries: bool | None = True) -> Platform:
    one = replace(destination("cluster", layout=layout), canaries=canaries)
    return Platform(destinations=[one])


def alter(found: Platform, **changes: object) -> None:
    found.destinations = [replace(found.destinations[0], **changes)]  # type: ignore[arg-type]


def canaries(found: Platform) -> dict[str, bytes]:
    return {path: content for path, content in found.files.items() if "kratix-canary" in path}


def prove(found: Platform) -> list[tuple[RequestKey, list[Flaw]]]:
    view = View.of(found.store.snapshot())
    proofs = verify(Ledger.read(view), World({}, {one.name: one for one in found.destinations}))
    return [
        (proof.key, [problem.flaw for problem in proof.problems])
        for proof in proofs
        if proof.verdict is not Verdict.NOTED or proof.problems[0].flaw is Flaw.KRATIX_CANARY
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_are_written_where_kratix_writes_them(layout: Layout) -> None:
    found = platform(layout)

    items = found.sync()

    assert found.files == KratixRepository(layout).files()
    assert len(found.files) == len(CANARIES)
    assert (items["cluster"].state, items["cluster"].reason) == (State.WRITTEN, Reason.CREATED)
    assert [change.title for change in found.handed_in] == [
        "Write the canaries of Destination cluster"
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_run_changes_nothing(layout: Layout) -> None:
    found = platform(layout)
    found.sync(request())

    items = found.sync(request())

    assert list(items) == ["one"]
    assert found.handed_in == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_those_of_kratix_are_taken_over_as_they_stand(layout: Layout) -> None:
    found = platform(layout)
    found.tamper(KratixRepository(layout).files())
    before = found.store.snapshot().revision

    found.sync()

    assert found.store.snapshot().revision == before
    assert prove(found) == [(RequestKey("", "", "cluster"), [])]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ours", [True, False])
def test_they_go_when_they_are_switched_off_whoever_wrote_them(
    layout: Layout, *, ours: bool
) -> None:
    found = platform(layout, canaries=ours)
    if ours:
        found.sync(request())
    else:
        found.tamper(KratixRepository(layout).files())
    alter(found, canaries=False)

    items = found.sync(request())
    found.sync(request())

    assert canaries(found) == {}
    assert items["cluster"].state is State.REMOVED
    assert not any(key.startswith("destinations/") for key in found.store.snapshot().records())
    assert found.handed_in == []


def test_where_nothing_is_said_those_of_others_are_left_alone_and_ours_go() -> None:
    found = platform(canaries=None)
    kratixs = KratixRepository(Layout.NESTED).files()
    found.tamper(kratixs)

    found.sync()
    left_alone = found.files
    alter(found, canaries=True)
    found.sync()
    alter(found, canaries=None)
    found.sync()

    assert left_alone == kratixs
    assert found.files == {}


def test_an_edit_is_put_back() -> None:
    found = platform()
    found.sync()
    before = found.files
    found.tamper({NAMESPACE: b"by: hand\n"}, delete=[CONFIG_MAP])
    flaws = prove(found)

    found.sync()

    assert found.files == before
    assert flaws == [(RequestKey("", "", "cluster"), [Flaw.MISSING_FILE, Flaw.DRIFTED])]


@pytest.mark.parametrize(
    ("changes", "files"),
    [
        ({"path": "new"}, {p.replace("cluster", "new", 1) for p in (NAMESPACE, CONFIG_MAP)}),
        (
            {"layout": Layout.AGGREGATED},
            {"cluster/kratix-canary-namespace.yaml", "cluster/kratix-canary-configmap.yaml"},
        ),
    ],
    ids=["path", "layout"],
)
def test_they_move_with_their_destination(changes: dict[str, object], files: set[str]) -> None:
    found = platform()
    found.sync()
    alter(found, **changes)

    found.sync()

    assert set(found.files) == files


def test_they_move_from_one_store_to_another_new_place_first() -> None:
    found = platform()
    found.others = {"other": MemoryStore()}
    found.destinations = [
        replace(destination("cluster", store="main"), canaries=True),
        destination("far", store="other"),
    ]
    found.sync()
    found.destinations[0] = replace(destination("cluster", store="other"), canaries=True)

    found.sync()

    assert found.files == {}
    assert sorted(found.others["other"].snapshot().digests("")) == [NAMESPACE, CONFIG_MAP]
    assert [bool(change.files) for change in found.handed_in] == [True, False]
    assert not found.store.snapshot().records()


def test_those_of_a_destination_that_is_gone_go_with_it() -> None:
    found = platform()
    found.sync()
    found.destinations = [destination("other")]

    found.sync()

    assert found.files == {}
    assert not found.store.snapshot().records()


def test_they_stay_while_anything_is_in_the_destination() -> None:
    found = platform()
    found.sync(request())
    before = found.files
    found.destinations = [destination("other")]

    found.sync(request())

    assert found.files == before


@pytest.mark.parametrize("why", ["incomplete", "other roots", "other inventory"])
def test_a_run_that_cannot_know_that_a_destination_is_gone_leaves_them(why: str) -> None:
    found = platform()
    found.sync()
    before = found.files
    found.destinations = [destination("other")]
    if why == "incomplete":
        found.complete = False
    if why == "other roots":
        found.roots = frozenset({"elsewhere"})
    if why == "other inventory":
        found.settings = replace(found.settings, inventory="another")

    found.sync()

    assert found.files == before


def test_another_inventory_does_not_switch_them_off() -> None:
    found = platform()
    found.sync()
    alter(found, canaries=False)
    found.settings = replace(found.settings, inventory="another")

    items = found.sync()

    assert len(canaries(found)) == len(CANARIES)
    assert items == {}


def test_nothing_renders_what_is_a_canary() -> None:
    found = platform()
    manifest = config_map("kratix-info", "kratix-worker-system")
    found.promises = [promise(dependencies=[manifest])]

    items = found.sync()

    assert items["thing"].reason == Reason.DUPLICATE_OBJECT
    assert "kratix-info" in items["thing"].message


def test_no_request_writes_where_a_canary_lies() -> None:
    found = platform(Layout.NONE)
    found.stages["configure"] = writes(config_map("a"), path="kratix-canary-namespace.yaml")

    items = found.sync(request())

    assert items["one"].reason == Reason.DUPLICATE_OBJECT


def test_a_plan_shows_them_and_writes_nothing() -> None:
    found = platform()

    previews = {one.item.name: one for one in preview(found.plan())}

    assert [change.spot.path for change in previews["cluster"].files] == [NAMESPACE, CONFIG_MAP]
    assert found.files == {}


def test_a_destinations_line_says_what_is_kept_there_as_well() -> None:
    found = platform(Layout.AGGREGATED)
    found.tamper({"cluster/aggregated.yaml": b"by: hand\n"})

    items: dict[str, Item] = found.sync(request())

    assert items["cluster"].state is State.WRITTEN
    assert "canaries" in items["cluster"].message
    assert "kept" in items["cluster"].message


def test_a_record_that_cannot_be_read_is_named_by_verify() -> None:
    found = platform()
    found.sync()
    [key] = [k for k in found.store.snapshot().records() if k.startswith("destinations/")]
    _, version = found.store.snapshot().records()[key]
    found.store.commit([ChangeSet(key, version, record=b"{}")])

    named = [flaws for _, flaws in prove(found)]
    found.sync()

    assert named == [[Flaw.RECORD_UNREADABLE], [Flaw.KRATIX_CANARY]]
    assert prove(found) == [(RequestKey("", "", "cluster"), [])]
