"""A Promise that is renamed: its requests are taken over, all at once or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.platform import (
    Platform,
    StageFunction,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)
from support.routed import gate, stage

from troth.api import Fields, Json, Layout, Promise, dump_documents
from troth.engine import Settings, State, preview
from troth.engine.disputes import disputes
from troth.errors import HeldError, Reason, StageError, StoreError, TransientError
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet
from troth_statestore.directory import DirectoryStore
from troth_statestore.memory import MemoryStore


def fails(_: StageJob) -> StageResult:
    raise StageError(Reason.STAGE_FAILED, "no.")


WAITS = writes(control={"retryAfter": "1h", "message": "later"})
OPERATOR = config_map("operator", "operator")


def renamed(
    new: StageFunction = follows_spec,
    *,
    undo: StageFunction | None = None,
    layout: Layout = Layout.NESTED,
    dependencies: Sequence[Json] = (),
) -> Platform:
    """A platform whose Promise old-name, with one request, has just become new-name."""
    delete = ["undo"] if undo is not None else []
    platform = Platform(
        stages={"configure": follows_spec, "next": new, "undo": undo or follows_spec},
        promises=[promise("old-name", delete=delete, dependencies=list(dependencies))],
        destinations=[destination("cluster", layout=layout)],
    )
    platform.sync(request(value="x"))
    platform.promises = [promise("new-name", configure=["next"], dependencies=list(dependencies))]
    return platform


@pytest.mark.parametrize("dependencies", [[], [OPERATOR]], ids=["plain", "with dependencies"])
def test_a_promise_that_was_renamed_takes_over_in_one_plan(dependencies: list[Json]) -> None:
    platform = renamed(dependencies=dependencies)
    files = len(platform.files)

    platform.sync(request(value="x"))

    assert len(platform.files) == files
    assert all("new-name" in path for path in platform.files)


def test_old_and_new_go_to_the_store_in_one_flush() -> None:
    platform = renamed()

    platform.sync(request(value="x"))

    [both] = [flush for flush in platform.flushes if any(one.delete for one in flush)]
    assert any(one.files for one in both)


@pytest.mark.parametrize(
    "new",
    [writes({"kind": "Broken"}), fails, WAITS, stage],
    ids=["refused", "failed", "waits", "no Gateway"],
)
def test_what_a_renamed_promise_cannot_serve_yet_stays_as_it_is(new: StageFunction) -> None:
    platform = renamed(new)
    before = platform.files

    for _ in range(2):
        platform.sync(request(value="x"))

    assert platform.files == before


def test_what_a_renamed_promise_is_not_allowed_to_write_stays_as_it_is() -> None:
    platform = renamed()
    before = platform.files
    platform.promises = [promise("new-name", configure=["next"], fence="{namespaces: [other]}")]

    items = platform.sync(request(value="x"))

    assert platform.files == before
    assert items["one"].state in {State.ORPHANED, State.REFUSED}


def test_nobody_else_gets_what_a_renamed_promise_frees() -> None:
    platform = renamed()
    platform.promises = [*platform.promises, promise("an-earlier-name", kind="Rival")]
    platform.stages["configure"] = writes(config_map("one"))

    items = platform.sync(request(value="x"), request("rival", kind="Rival"))

    assert items["rival"].reason == Reason.OBJECT_HELD
    assert any("new-name" in path for path in platform.files)
    assert not any("rival" in path for path in platform.files)


def test_nobody_else_gets_the_route_of_a_renamed_promise() -> None:
    gates, rivals = promise("gate", kind="Gate"), promise("a-rival", kind="Rival")
    platform = Platform(stages={"configure": stage}, promises=[gates, rivals, promise("old-name")])
    platform.sync(gate(), request(value="/a"))
    platform.promises = [gates, rivals, promise("new-name")]

    items = platform.sync(gate(), request(value="/a"), request("rival", kind="Rival", value="/a"))

    assert items["rival"].reason == Reason.ROUTE_HELD
    assert any("new-name" in path for path in platform.files)


def test_nobody_gets_the_route_of_a_promise_whose_new_name_does_not_serve_it_yet() -> None:
    gates, rivals = promise("gate", kind="Gate"), promise("z-rival", kind="Rival")
    platform = Platform(
        stages={"configure": stage, "next": WAITS}, promises=[gates, rivals, promise("old-name")]
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [gates, rivals, promise("new-name", configure=["next"])]

    items = platform.sync(gate(), request(value="/a"), request("rival", kind="Rival", value="/a"))

    assert items["rival"].reason == Reason.ROUTE_HELD


@pytest.mark.parametrize("undo", [fails, WAITS], ids=["fails", "waits"])
def test_nothing_is_taken_over_before_the_delete_pipelines_are_done(undo: StageFunction) -> None:
    platform = renamed(undo=undo)
    before = platform.files

    plan = platform.plan(request(value="x"))
    lines = platform.write(plan)
    again = platform.plan(request(value="x"))

    assert platform.files == before
    assert lines["one"].state in {State.WAITING, State.FAILED, State.SUSPENDED}
    assert {one.item.state for one in preview(again)} == (
        {State.SUSPENDED, State.WAITING} if undo is WAITS else {State.REMOVED, State.WRITTEN}
    )


def held_twice(platform: Platform) -> list[str]:
    """What two records hold."""
    found = disputes(platform.plan().ledger)
    return [one.message for problems in found.values() for one in problems]


def with_kind(job: StageJob) -> StageResult:
    """As `stage`, with objects that are named by the request's kind as well."""
    name = f"{job.environ['KRATIX_OBJECT_NAME']}-{job.environ['KRATIX_OBJECT_KIND']}".lower()
    return stage(
        replace(job, environ={**job.environ, "KRATIX_OBJECT_NAME": name.replace("-gate", "")})
    )


def with_own_name(job: StageJob) -> StageResult:
    return writes(config_map(job.environ["KRATIX_OBJECT_NAME"]))(job)


@pytest.mark.parametrize("layout", [Layout.NESTED, Layout.NONE])
@pytest.mark.parametrize("obstacle", ["new fails", "new waits", "undo fails", "undo waits"])
def test_dependencies_are_never_held_twice(obstacle: str, layout: Layout) -> None:
    doing = fails if obstacle.endswith("fails") else WAITS
    platform = renamed(
        doing if obstacle.startswith("new") else follows_spec,
        undo=doing if obstacle.startswith("undo") else None,
        layout=layout,
        dependencies=[OPERATOR],
    )
    before = platform.files

    platform.sync(request(value="x"))
    items = platform.sync(request(value="x"))

    assert platform.files == before
    assert items["new-name"].state is State.WAITING
    assert held_twice(platform) == []


def test_what_another_has_just_taken_keeps_the_old_one(tmp_path: Path) -> None:
    platform = renamed(writes(config_map("one"), config_map("two")))
    store = DirectoryStore(tmp_path)
    platform.store = store
    platform.promises = [promise("old-name"), promise("rival", kind="Rival", configure=["rival"])]
    platform.sync(request(value="x"))
    platform.promises = [promise("new-name", configure=["next"]), platform.promises[1]]
    plan = platform.plan(request(value="x"))
    rival = replace(platform, store=DirectoryStore(tmp_path), settings=Settings(inventory="other"))
    rival.stages["rival"] = writes(config_map("two"))
    rival.sync(request("rival", kind="Rival"))

    lines = platform.write(plan)
    again = platform.sync(request(value="x"))

    assert lines["one"].state is not State.REMOVED
    assert any("/old-name/one/" in path for path in platform.files)
    assert again["one"].state is not State.REMOVED


def test_a_file_in_the_way_of_the_new_one_keeps_the_old_one() -> None:
    platform = renamed()
    platform.tamper({"cluster/resources/team/new-name": b"somebody's own\n"})

    with pytest.raises(StoreError):
        platform.sync(request(value="x"))

    assert any("/old-name/one/" in path for path in platform.files)


def test_a_takeover_that_was_cut_off_is_finished_and_loses_nothing() -> None:
    platform = renamed(layout=Layout.NONE)
    before = platform.files
    known = platform.store.snapshot().records()
    platform.sync(request(value="x"))
    lost = known.keys() - platform.store.snapshot().records().keys()
    platform.store.commit([ChangeSet(key, None, record=known[key][0]) for key in sorted(lost)])

    items = platform.sync(request(value="x"))

    assert items["one"].state in {State.REMOVED, State.UNCHANGED}
    assert platform.files == before
    assert len(platform.records) == 1


def test_a_chain_of_renames_loses_nothing() -> None:
    stages: dict[str, StageFunction] = {
        "configure": lambda job: writes(config_map(job.environ["KRATIX_OBJECT_KIND"].lower()))(job)
    }
    platform = Platform(stages=stages, promises=[promise("a", kind="Ka"), promise("c", kind="Kc")])
    asked = [request(kind="Ka"), request(kind="Kc")]
    platform.sync(*asked)
    platform.promises = [promise("a", kind="Kc"), promise("b", kind="Ka")]

    seen = []
    for _ in range(3):
        platform.sync(*asked)
        seen.append(sorted(path.split("/")[3] for path in platform.files))

    assert seen[-1] == ["a", "b"]
    assert all(len(one) == 2 for one in seen)
    assert held_twice(platform) == []


def test_a_promise_that_offers_another_kind_removes_what_it_made_of_the_first() -> None:
    platform = Platform(
        stages={"configure": follows_spec, "undo": follows_spec},
        promises=[promise(delete=["undo"])],
    )
    platform.sync(request(value="x"))
    platform.promises = [promise(kind="Other", delete=["undo"])]

    first = platform.sync(request(kind="Other", value="x"))
    second = platform.sync(request(kind="Other", value="x"))

    assert "undo" in [job.pipeline.name for job in platform.runner.runs]
    assert first["one"].state is State.REMOVED
    assert second["one"].state is State.WRITTEN


@pytest.mark.parametrize("name", ["one", "two", "three", "four"])
def test_routes_of_both_are_kept_from_others_whatever_the_names(name: str) -> None:
    gates, rivals = promise("gate", kind="Gate"), promise("z-rival", kind="Rival")
    platform = Platform(
        stages={"configure": with_kind},
        promises=[gates, rivals, promise("a", kind="Ka"), promise("c", kind="Kc")],
    )
    platform.sync(
        gate(), request(name, kind="Ka", value="/a"), request(name, kind="Kc", value="/c")
    )
    platform.stages["next"] = fails
    platform.promises = [
        gates,
        rivals,
        promise("a", kind="Kc", configure=["next"]),
        promise("b", kind="Ka", configure=["next"]),
    ]

    items = platform.sync(
        gate(),
        request(name, kind="Ka", value="/a"),
        request(name, kind="Kc", value="/c"),
        request("rival", kind="Rival", value="/c"),
    )

    assert items["rival"].reason == Reason.ROUTE_HELD


def test_targets_of_a_renamed_aggregator_that_is_not_served_are_as_they_were() -> None:
    things = promise("thing")
    platform = Platform(
        stages={"configure": stage, "next": fails}, promises=[promise("gate", kind="Gate"), things]
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [promise("new-gate", kind="Gate", configure=["next"]), things]

    items = platform.sync(gate(), request(value="/a"))

    assert (items["one"].state, items["one"].reason) == (State.UNCHANGED, Reason.UP_TO_DATE)


def test_a_route_does_not_rest_on_a_consent_that_was_not_written() -> None:
    things = promise("thing")
    platform = Platform(
        stages={"configure": stage, "undo": fails},
        promises=[promise("gate", kind="Gate", delete=["undo"]), things],
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [promise("new-gate", kind="Gate"), things]

    items = platform.sync(
        gate("/a guests"), request(value="/a"), request("guest", "guests", value="/a/b")
    )

    assert items["guest"].state is State.WAITING
    assert not any("/guest/" in path for path in platform.files)


@pytest.mark.parametrize("undo", [fails, WAITS], ids=["fails", "waits"])
def test_an_old_route_stays_while_the_gateway_of_its_heir_is_not_written(
    undo: StageFunction,
) -> None:
    platform = Platform(
        stages={"configure": stage, "undo": undo},
        promises=[promise("gate", kind="Gate", delete=["undo"]), promise("thing")],
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [promise("new-gate", kind="Gate"), promise("new-thing")]

    for asked in (gate("/b guests"), gate("/b guests")):
        platform.sync(asked, request(value="/b"))
        assert any("/thing/one/" in path for path in platform.files)
        assert not any("/new-thing/" in path for path in platform.files)


def test_a_route_that_stays_as_it_is_does_not_wait_for_the_gateway() -> None:
    platform = Platform(
        stages={"configure": stage, "undo": fails},
        promises=[promise("gate", kind="Gate", delete=["undo"]), promise("thing")],
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [promise("new-gate", kind="Gate"), promise("new-thing")]

    platform.sync(gate("/b guests"), request(value="/a"))

    assert any("/new-thing/one/" in path for path in platform.files)


def test_a_chain_of_promises_loses_none_of_their_dependencies() -> None:
    def bringing(name: str, kind: str) -> Promise:
        return promise(name, kind=kind, dependencies=[config_map(f"crd-{kind.lower()}", "crds")])

    platform = Platform(promises=[bringing("a", "Ka"), bringing("c", "Kc")])
    platform.stages["configure"] = with_own_name
    asked = [request(kind="Ka"), request("two", kind="Kc")]
    platform.sync(*asked)
    platform.promises = [bringing("a", "Kc"), bringing("b", "Ka")]

    for _ in range(3):
        platform.sync(*asked)
        held = b"".join(platform.files.values())
        assert b"crd-ka" in held
        assert b"crd-kc" in held

    assert {path.split("/")[2] for path in platform.files if "dependencies" in path} == {"a", "b"}
    assert held_twice(platform) == []


def test_one_that_took_over_goes_on_though_the_old_record_does_not_go() -> None:
    platform = renamed(undo=follows_spec)
    known = platform.store.snapshot().records()
    platform.sync(request(value="x"))
    lost = known.keys() - platform.store.snapshot().records().keys()
    platform.store.commit([ChangeSet(key, None, record=known[key][0]) for key in sorted(lost)])
    platform.stages["undo"] = fails

    platform.sync(request(value="y"))

    assert any(b"y" in content for content in platform.files.values())


@pytest.mark.parametrize(
    "marks",
    [{"labels": {"kratix.io/paused": "true"}},
     {"annotations": {"troth.dev/deletion-protection": "true"}}],
    ids=["paused", "protected"],
)  # fmt: skip
def test_what_is_paused_or_protected_is_taken_over_as_the_new_one_says(
    marks: dict[str, dict[str, str]],
) -> None:
    platform = Platform(
        stages={"configure": follows_spec, "next": follows_spec}, promises=[promise("old-name")]
    )
    platform.sync(request(value="x"))
    platform.sync(request("one", **marks, value="x"))  # type: ignore[arg-type]
    platform.promises = [promise("new-name", configure=["next"])]

    platform.sync(request("one", **marks, value="x"))  # type: ignore[arg-type]
    between = platform.files
    platform.sync(request(value="x"))

    assert len(between) == 1
    assert all("new-name" in path for path in platform.files)


def test_a_rename_is_no_loss_that_the_deletion_budget_counts() -> None:
    platform = Platform(
        stages={"configure": follows_spec, "next": follows_spec}, promises=[promise("old-name")]
    )
    asked = [request(f"r{number}", value="x") for number in range(30)]
    platform.sync(*asked)
    platform.promises = [promise("new-name", configure=["next"])]

    items = platform.sync(*asked)

    assert {item.state for item in items.values()} == {State.WRITTEN} or all(
        "new-name" in path for path in platform.files
    )
    assert len(platform.files) == 30


@pytest.mark.parametrize("away", ["main", "other"])
def test_a_rename_that_moves_to_another_store_loses_nothing(away: str) -> None:
    near, far = (
        destination("near", store="main", place="near"),
        destination("far", store="other", place="far"),
    )
    platform = Platform(
        stages={"configure": follows_spec, "next": follows_spec},
        promises=[promise("old-name", selectors={"place": "near"})],
        destinations=[near, far],
        others={"other": MemoryStore()},
    )
    platform.sync(request(value="x"))
    platform.promises = [promise("new-name", configure=["next"], selectors={"place": "far"})]

    platform.out_of_reach = frozenset({away})
    platform.sync(request(value="x"))
    between = [*platform.files, *platform.others["other"].snapshot().digests("")]
    platform.out_of_reach = frozenset()
    for _ in range(2):
        platform.sync(request(value="x"))

    assert len(between) == 1
    assert list(platform.files) == []
    [path] = platform.others["other"].snapshot().digests("")
    assert "new-name" in path


def test_a_file_that_both_write_stays_in_a_layout_without_folders() -> None:
    platform = renamed(layout=Layout.NONE)
    before = platform.files

    items = platform.sync(request(value="x"))
    again = platform.sync(request(value="x"))

    assert platform.files == before
    assert items["one"].state is not State.REFUSED
    assert again["one"].state is State.UNCHANGED


@dataclass
class Provider:
    """Users outside, one for each Promise and request, of which each name is there once.

    Attributes:
        named: how a user is called, of which Promise and request.
        users: by name, whose they are.
        told: what was done, in order.
        down: whether it answers.
        waits: whether the stage waits once it has made one.
    """

    named: str = "{promise}.{name}"
    users: dict[str, str] = field(default_factory=dict[str, str])
    told: list[str] = field(default_factory=list[str])
    down: bool = False
    waits: bool = False

    def make(self, job: StageJob) -> StageResult:
        """Make a user, or say that it is somebody else's."""
        made = follows_spec(job)
        if Fields(job.object).section("status").has("user"):
            return made
        if job.context["effects"] == "recall":
            return self._with(made, effects=["make a user"])
        if self.down:
            raise TransientError(Reason.PROVIDER_UNREACHABLE, "the provider does not answer.")
        user, owner = self._of(job)
        if self.users.setdefault(user, owner) != owner:
            raise HeldError(Reason.OBJECT_HELD, f"{user} is {self.users[user]}'s.")
        self.told.append(f"make {user}")
        metadata = {"status.yaml": dump_documents([{"user": user}])}
        made = replace(made, metadata=metadata)
        return self._with(made, suspend=True) if self.waits else made

    def end(self, job: StageJob) -> StageResult:
        """End all users of an owner."""
        _, owner = self._of(job)
        for user in [user for user, whose in self.users.items() if whose == owner]:
            self.told.append(f"end {user}")
            del self.users[user]
        return StageResult()

    def _of(self, job: StageJob) -> tuple[str, str]:
        promise, name = job.environ["KRATIX_PROMISE_NAME"], job.environ["KRATIX_OBJECT_NAME"]
        return self.named.format(promise=promise, name=name), f"{promise}/{name}"

    def _with(self, made: StageResult, **control: Json) -> StageResult:
        spelled = {"workflow-control.yaml": dump_documents([control])}
        return replace(made, metadata={**made.metadata, **spelled})


def renamed_provider(provider: Provider, undo: StageFunction | None = None) -> Platform:
    """A platform whose Promise old-name, with one request that has a user, becomes new-name."""
    stages = {"configure": provider.make, "undo": undo or provider.end}
    platform = Platform(stages=stages, promises=[promise("old-name", delete=["undo"])])
    platform.sync(request(value="x"))
    platform.promises = [promise("new-name", delete=["undo"])]
    return platform


def test_a_renamed_promise_makes_its_own_outside_before_the_old_one_is_ended() -> None:
    provider = Provider()
    platform = renamed_provider(provider)

    items = platform.sync(request(value="x"))
    again = platform.sync(request(value="x"))

    assert provider.told == ["make old-name.one", "make new-name.one", "end old-name.one"]
    assert [path.split("/")[3] for path in platform.files] == ["new-name"]
    assert len(platform.records) == 1
    assert items["one"].state in {State.WRITTEN, State.REMOVED}
    assert again["one"].state is State.UNCHANGED


def test_the_old_one_goes_with_what_its_heir_has_acted_for_in_one_change() -> None:
    platform = renamed_provider(Provider())

    platform.sync(request(value="x"))

    [both] = [flush for flush in platform.flushes if any(one.files for one in flush)]
    assert any(one.delete and one.files for one in both)


@pytest.mark.parametrize("why", ["down", "held", "waits"])
def test_nothing_of_the_old_one_is_ended_while_its_heir_cannot_act(why: str) -> None:
    provider = Provider(named="{name}" if why == "held" else "{promise}.{name}")
    platform = renamed_provider(provider)
    before = platform.files
    provider.down, provider.waits = why == "down", why == "waits"

    platform.sync(request(value="x"))

    assert not any(told.startswith("end") for told in provider.told)
    assert platform.files == before
    assert any(b"old-name" in record for record in platform.records.values())


@pytest.mark.parametrize("undo", [fails, WAITS], ids=["fails", "waits"])
def test_an_end_that_fails_keeps_the_record_alone_and_is_tried_again(undo: StageFunction) -> None:
    provider = Provider()
    platform = renamed_provider(provider, undo)

    first = platform.plan(request(value="x"))
    lines = {(item.promise, item.name): item.state for item in platform.lines(first)}
    platform.stages["undo"] = provider.end
    platform.now += timedelta(hours=2)
    platform.sync(request(value="x"))

    assert lines["new-name", "one"] is State.WRITTEN
    assert lines["old-name", "one"] in {State.FAILED, State.SUSPENDED}
    assert provider.told == ["make old-name.one", "make new-name.one", "end old-name.one"]
    assert len(platform.records) == 1


def test_a_plan_tells_of_both() -> None:
    platform = renamed()

    found = {one.item.promise: one.item.state for one in preview(platform.plan(request(value="x")))}

    assert found == {"old-name": State.REMOVED, "new-name": State.WRITTEN}
