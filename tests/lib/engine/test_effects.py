"""Effects: when stages act outside, how often, and what is never done in vain."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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

from troth.api import Fields, Json, JsonObject, dump_documents
from troth.engine import Ledger, State, View, preview, survey
from troth.errors import Reason, TransientError
from troth.runners import Leak, StageJob, StageResult
from troth_statestore import ChangeSet
from troth_statestore.memory import MemoryStore

FORCED = {"kratix.io/manual-reconciliation": "true"}
FILE = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


@dataclass
class Provider:
    """A stage that makes users outside, one for each generation, and remembers them.

    Attributes:
        lives: how long a user is good, None for ever.
        forgets: whether it keeps nothing in its status.
        down: whether the provider answers.
        extra: objects that it renders only once it has a user.
        waits: whether it asks to wait when it has done all.
        hasty: whether it writes down what it has not done yet.
        calls: what it did outside.
    """

    lives: timedelta | None = None
    forgets: bool = False
    down: bool = False
    extra: tuple[JsonObject, ...] = ()
    waits: bool = False
    hasty: bool = False
    calls: list[str] = field(default_factory=list[str])

    def __call__(self, job: StageJob) -> StageResult:
        fields, now = Fields(job.object), datetime.fromisoformat(str(job.context["now"]))
        state = fields.section("status")
        generation, until = state.value("generation") or 0, state.text("until", "")
        assert isinstance(generation, int)
        control: dict[str, Json] = {}
        user, name = state.text("user", ""), fields.section("metadata").text("name")
        if not user or (until and datetime.fromisoformat(until) <= now):
            generation += 1
            user, control = self._make(f"{name}-g{generation}", job)
            until = (now + self.lives).isoformat() if self.lives else ""
        status: dict[str, Json] = {"user": user, "generation": generation, "until": until}
        if control and not self.hasty:
            status = dict(state.raw)
        elif self.lives:
            seconds = (datetime.fromisoformat(until) - now).total_seconds()
            control["reconcileAfter"] = f"{seconds:.0f}s"
        if self.waits and not control.get("effects"):
            control["suspend"] = True
        return self._result(config_map(name, user=user), {} if self.forgets else status, control)

    def _make(self, name: str, job: StageJob) -> tuple[str, dict[str, Json]]:
        if job.context["effects"] == "recall":
            return "(known after apply)", {"effects": [f"create the user {name}"]}
        if self.down:
            raise TransientError(Reason.STATE_STORE_UNREACHABLE, "the provider does not answer.")
        self.calls.append(name)
        return name, {}

    def _result(
        self, user: JsonObject, status: Mapping[str, Json], control: Mapping[str, Json]
    ) -> StageResult:
        objects = [user, *(self.extra if "effects" not in control else ())]
        metadata = {"status.yaml": dump_documents([status])}
        if control:
            metadata["workflow-control.yaml"] = dump_documents([control])
        return StageResult({"objects.yaml": dump_documents(objects)}, metadata)


def platform_of(stage: StageFunction) -> Platform:
    return Platform(stages={"configure": stage})


def test_an_effect_is_performed_once_and_what_it_gave_is_written_in_the_same_run() -> None:
    provider = Provider()
    platform = platform_of(provider)

    first = platform.sync(request())["one"]
    second = platform.sync(request())["one"]

    assert provider.calls == ["one-g1"]
    assert b"user: one-g1" in platform.files[FILE]
    assert (first.state, second.state) == (State.WRITTEN, State.UNCHANGED)


def test_a_plan_does_nothing_outside_and_says_what_would_be_done() -> None:
    provider = Provider()
    (shown,) = (one for one in preview(platform_of(provider).plan(request())) if one.item.name)

    assert provider.calls == []
    assert shown.item.message == "Outside, sync would: create the user one-g1."
    assert b"(known after apply)" in (shown.files[0].after or b"")


def test_a_stage_that_waits_for_its_own_effect_does_not_act_and_is_told_why() -> None:
    def stage(job: StageJob) -> StageResult:
        if job.context["effects"] == "perform":
            return writes(config_map("one"), status={"user": "one-g1"})(job)
        wanted: JsonObject = {"effects": ["ask"], "suspend": True, "message": "no answer yet."}
        return writes(control=wanted, status={"user": "(known after apply)"})(job)

    platform = platform_of(stage)

    items = [platform.sync(request())["one"] for _ in range(2)]

    assert {job.context["effects"] for job in platform.runner.runs} == {"recall"}
    assert [item.state for item in items] == [State.SUSPENDED] * 2
    assert all("no answer yet. It wants to act outside as well (ask)" in i.message for i in items)
    assert not any(b"known after apply" in record for record in platform.records.values())


@pytest.mark.parametrize("why", ["held", "fence", "nowhere", "astray", "paused", "leak"])
def test_nothing_is_done_outside_for_what_is_not_written(why: str) -> None:
    provider = Provider()
    platform = platform_of(provider)
    asked = request()
    if why == "held":
        platform.promises.append(promise("other", kind="Other", configure=["other"]))
        platform.stages["other"] = writes(config_map("one"))
        platform.sync(request("first", kind="Other"))
    elif why == "fence":
        platform.promises = [promise(fence="{namespaces: [another]}")]
    elif why == "nowhere":
        platform.promises = [promise(selectors={"zone": "moon"})]
    elif why == "astray":
        platform.stages["configure"] = _sending(provider, {"zone": "moon"})
    elif why == "paused":
        asked = request(labels={"kratix.io/paused": "true"})
    else:
        platform.stages["configure"] = _leaking(provider)

    item = platform.sync(asked)["one"]

    assert provider.calls == []
    assert item.state is not State.WRITTEN


@pytest.mark.parametrize("place", ["gone", "none"])
def test_what_has_no_place_keeps_its_state_and_stays_due(place: str) -> None:
    provider = Provider(lives=timedelta(hours=2), hasty=True)
    platform = platform_of(provider)
    platform.sync(request())
    before = platform.records
    platform.now += timedelta(hours=2)

    usual = platform.destinations
    if place == "gone":
        platform.destinations = [destination("another")]
    else:
        platform.stages["configure"] = _splitting(provider)
    platform.sync(request())
    between = platform.records
    platform.destinations, platform.stages["configure"] = usual, provider
    platform.sync(request())

    assert between == before
    assert provider.calls == ["one-g1", "one-g2"]


def _splitting(stage: StageFunction) -> StageFunction:
    """Have a second group rendered that no Destination takes."""

    def splitting(job: StageJob) -> StageResult:
        done = _sending(stage, {"zone": "moon"}, "away")(job)
        return replace(done, files={**done.files, "away/a.yaml": dump_documents([config_map("a")])})

    return splitting


def _sending(stage: StageFunction, labels: JsonObject, folder: str = ".") -> StageFunction:
    selectors = dump_documents([[{"directory": folder, "matchLabels": labels}]])

    def sending(job: StageJob) -> StageResult:
        done = stage(job)
        return replace(done, metadata={**done.metadata, "destination-selectors.yaml": selectors})

    return sending


def _leaking(stage: StageFunction) -> StageFunction:
    return lambda job: replace(stage(job), leaks=(Leak("output/objects.yaml", "TOKEN"),))


def test_an_output_that_gives_a_secret_away_is_refused_and_the_variable_named() -> None:
    item = platform_of(_leaking(writes(config_map("one")))).sync(request())["one"]

    assert item.reason is Reason.PLAIN_SECRET
    assert "output/objects.yaml holds the value of the variable TOKEN" in item.message


@pytest.mark.parametrize(
    ("file", "state"), [("output/a", State.WRITTEN), ("metadata/status.yaml", State.REFUSED)]
)
def test_a_promise_that_may_write_plain_secrets_may_not_write_them_into_its_status(
    file: str, state: State
) -> None:
    stage = writes(config_map("one"))
    platform = platform_of(lambda job: replace(stage(job), leaks=(Leak(file, "TOKEN"),)))
    platform.promises = [promise(annotations={"troth.dev/allow-plain-secrets": "true"})]

    assert platform.sync(request())["one"].state is state


def test_a_stage_that_wants_to_act_again_from_what_it_left_is_refused() -> None:
    provider = Provider(forgets=True)
    platform = platform_of(provider)
    platform.sync(request())

    item = platform.sync(request(labels=FORCED))["one"]

    assert provider.calls == ["one-g1"]
    assert (item.state, item.reason) == (State.FAILED, Reason.UNSTABLE)
    assert "create the user one-g1" in item.message
    assert b"user: one-g1" in platform.files[FILE]


def test_to_name_a_time_is_no_leave_to_act_before_it() -> None:
    provider = Provider(forgets=True, lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())

    platform.now += timedelta(hours=1)
    item = platform.sync(request(labels=FORCED))["one"]

    assert provider.calls == ["one-g1"]
    assert (item.state, item.reason) == (State.FAILED, Reason.UNSTABLE)


def test_what_could_not_be_done_is_done_by_a_forced_run_before_its_time() -> None:
    answers: list[str] = []

    def stage(job: StageJob) -> StageResult:
        done = Fields(job.object).section("status").has("user")
        if not done and answers and job.context["effects"] == "perform":
            return writes(config_map("one"), status={"user": answers[0]})(job)
        if done:
            return writes(config_map("one"))(job)
        wanted: JsonObject = {"effects": ["make it"], "reconcileAfter": "60s"}
        return writes(config_map("one"), control=wanted)(job)

    platform = platform_of(stage)
    platform.sync(request())
    begun = next(iter(platform.records.values()))
    answers.append("one-g1")

    item = platform.sync(request(labels=FORCED))["one"]
    ended = next(iter(platform.records.values()))

    assert item.state is State.UNCHANGED  # its files, that is
    assert (b'"unfinished": "' in begun, b'"unfinished"' in ended) == (True, False)
    assert b'"user": "one-g1"' in ended


def test_what_is_due_runs_again_and_not_before() -> None:
    provider = Provider(lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())
    ran = len(platform.runner.runs)

    platform.now += timedelta(hours=2, seconds=-1)
    early = platform.sync(request())["one"]
    idle = len(platform.runner.runs) - ran
    platform.now += timedelta(seconds=1)
    late = platform.sync(request())["one"]

    assert (early.state, idle) == (State.UNCHANGED, 0)
    assert late.state is State.WRITTEN
    assert provider.calls == ["one-g1", "one-g2"]
    assert b"user: one-g2" in platform.files[FILE]


def test_a_rollback_is_kept_when_stages_are_due_that_have_nothing_new() -> None:
    def stage(job: StageJob) -> StageResult:
        metadata = {"workflow-control.yaml": dump_documents([{"reconcileAfter": "1h"}])}
        return replace(
            writes(config_map("one", spec=str(job.object["spec"])))(job), metadata=metadata
        )

    platform = platform_of(stage)
    platform.sync(request(colour="blue"))
    old = platform.files
    platform.sync(request(colour="red"))
    platform.tamper(old)
    platform.now += timedelta(hours=2)
    ran = len(platform.runner.runs)

    items = [platform.sync(request(colour="red"))["one"] for _ in range(2)]

    assert [item.reason for item in items] == [Reason.REVERTED] * 2
    assert len(platform.runner.runs) == ran + 1
    assert platform.files == old


def test_a_rollback_ends_when_something_is_renewed_and_that_is_said() -> None:
    provider = Provider(lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())
    old = platform.files
    platform.now += timedelta(hours=3)
    platform.sync(request())
    platform.tamper(old)
    kept = platform.sync(request())["one"]

    platform.now += timedelta(hours=3)
    ended = platform.sync(request())["one"]

    assert kept.reason is Reason.REVERTED
    assert "its rollback has ended" in ended.message
    assert b"user: one-g3" in platform.files[FILE]
    assert platform.sync(request())["one"].state is State.UNCHANGED


def test_a_run_that_is_forced_before_it_is_due_changes_nothing() -> None:
    provider = Provider(lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())
    before = platform.records

    platform.now += timedelta(hours=1)
    item = platform.sync(request(labels=FORCED))["one"]

    assert item.state is State.UNCHANGED
    assert platform.records == before


@pytest.mark.parametrize("suspends", [{"suspend": True}, {"retryAfter": "9h"}])
def test_what_waits_runs_again_when_it_is_due(suspends: JsonObject) -> None:
    waiting = dump_documents([{"reconcileAfter": "1h", **suspends}])
    platform = platform_of(lambda _: StageResult({}, {"workflow-control.yaml": waiting}))
    platform.sync(request())
    platform.stages["configure"] = writes(config_map("one"))

    early = platform.sync(request())["one"]
    platform.now += timedelta(hours=1)
    late = platform.sync(request())["one"]

    assert (early.state, late.state) == (State.SUSPENDED, State.WRITTEN)


def test_a_look_at_a_rollback_says_when_it_may_end() -> None:
    due = dump_documents([{"reconcileAfter": "2h"}])
    platform = platform_of(
        lambda job: replace(follows_spec(job), metadata={"workflow-control.yaml": due})
    )
    platform.sync(request(value="old"))
    old = platform.files
    platform.sync(request(value="new"))
    platform.tamper(old)

    [told] = survey(Ledger.read(View({"": platform.store.snapshot()})))

    assert told.message == (
        "its files were rolled back to an earlier output. Its stages run again at "
        "2026-01-01T02:00:00Z; if they have something new then, that ends it."
    )


def test_when_it_is_due_does_not_depend_on_how_long_a_stage_runs() -> None:
    provider = Provider(lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())
    before = platform.records

    def slow(job: StageJob) -> StageResult:
        platform.now += timedelta(seconds=5)
        return provider(job)

    platform.stages["configure"] = slow
    platform.sync(request(labels=FORCED))

    assert platform.records == before


def test_an_effect_that_fails_is_reported_and_tried_again_with_the_old_files_kept() -> None:
    provider = Provider(lives=timedelta(hours=2))
    platform = platform_of(provider)
    platform.sync(request())
    platform.now += timedelta(hours=3)

    provider.down = True
    failed = platform.sync(request())["one"]
    kept = platform.files[FILE]
    provider.down = False
    platform.sync(request())

    assert (failed.state, failed.message) == (State.FAILED, "the provider does not answer.")
    assert b"user: one-g1" in kept
    assert provider.calls == ["one-g1", "one-g2"]


def test_one_effect_that_fails_costs_no_other_request() -> None:
    provider = Provider()
    platform = platform_of(provider)

    def stage(job: StageJob) -> StageResult:
        provider.down = "down" in str(job.object["metadata"])
        return provider(job)

    platform.runner.parallelism = 1
    platform.stages["configure"] = stage
    items = platform.sync(request("down"), request("up"))

    assert (items["down"].state, items["up"].state) == (State.FAILED, State.WRITTEN)


def test_once_it_acted_a_stage_may_not_render_what_nobody_claimed() -> None:
    provider = Provider(extra=(config_map("two"),))
    platform = platform_of(provider)

    item = platform.sync(request())["one"]

    assert (item.state, item.reason) == (State.FAILED, Reason.UNSTABLE)
    assert platform.files == {}


ONE, TWO = config_map("one"), config_map("two")


@pytest.mark.parametrize(
    ("claimed", "rendered"),
    [
        ({"a.yaml": [ONE, TWO]}, {"a.yaml": [ONE]}),
        ({"a.yaml": [ONE], "b.yaml": [TWO]}, {"a.yaml": [ONE, TWO]}),
    ],
    ids=["object", "file"],
)
def test_once_it_acted_a_stage_may_not_leave_out_what_it_claimed(
    claimed: Mapping[str, list[JsonObject]], rendered: Mapping[str, list[JsonObject]]
) -> None:
    def stage(job: StageJob) -> StageResult:
        recalls = job.context["effects"] == "recall"
        control: JsonObject = {"effects": ["make it"]} if recalls else {}
        files = claimed if recalls else rendered
        return StageResult(
            {path: dump_documents(found) for path, found in files.items()},
            {"workflow-control.yaml": dump_documents([control])},
        )

    platform = platform_of(stage)

    item = platform.sync(request())["one"]

    assert (item.state, item.reason) == (State.FAILED, Reason.UNSTABLE)
    assert platform.files == {}


def test_a_value_that_nobody_will_give_is_never_written() -> None:
    item = platform_of(writes(config_map("one", user="(known after apply)"))).sync(request())["one"]

    assert (item.state, item.reason) == (State.FAILED, Reason.STAGE_FAILED)
    assert "asked for no effect" in item.message


def test_what_a_stage_did_before_it_waits_is_remembered() -> None:
    provider = Provider(waits=True)
    platform = platform_of(provider)

    item = platform.sync(request())["one"]
    platform.sync(request(labels=FORCED))

    assert item.state is State.SUSPENDED
    assert provider.calls == ["one-g1"]


def test_a_stage_that_waits_once_it_has_acted_keeps_the_files_it_had() -> None:
    def stage(job: StageJob) -> StageResult:
        value = Fields(job.object).section("spec").text("value")
        files = {f"{value}.yaml": dump_documents([config_map("one", value=value)])}
        if value == "old":
            return StageResult(files)
        recalls = job.context["effects"] == "recall"
        control: JsonObject = {"effects": ["ask"]} if recalls else {"retryAfter": "1h"}
        return StageResult(files, {"workflow-control.yaml": dump_documents([control])})

    platform = platform_of(stage)
    platform.sync(request(value="old"))
    before = platform.files

    item = platform.sync(request(value="new"))["one"]

    assert item.state is State.SUSPENDED
    assert platform.files == before


def test_what_kratix_left_in_another_store_goes_with_a_change_that_has_effects() -> None:
    platform = platform_of(Provider())
    platform.promises = [promise(workflows=_with_pipelines_in("jobs"))]
    east = MemoryStore()
    platform.others = {"east": east}
    platform.destinations = [destination("cluster", store="main"), destination("d", store="east")]
    stray = {"d/resources/jobs/thing/one/configure/5058f/objects.yaml": b"kind: Stray"}
    east.commit([ChangeSet("requests/by-hand", None, stray)])

    platform.sync(request())

    assert list(east.snapshot().digests("")) == []


def test_a_promise_that_acts_outside_is_refused_before_it_does() -> None:
    installer = Provider()
    platform = Platform(stages={"configure": follows_spec, "install": installer})
    platform.promises = [promise(install=["install"])]

    items = platform.sync(request())

    assert installer.calls == []
    assert (items["thing"].state, items["thing"].reason) == (
        State.REFUSED,
        Reason.PIPELINE_NOT_SERVED,
    )
    assert "create the user thing-g1" in items["thing"].message
    assert items["one"].reason is Reason.PROMISE_UNAVAILABLE


def _with_pipelines_in(namespace: str) -> Json:
    workflows = Fields(promise().raw).section("spec").mapping("workflows")
    return {**workflows, "config": {"pipelineNamespace": namespace}}


def test_a_change_with_effects_is_guarded_like_any_other() -> None:
    platform = platform_of(Provider())
    platform.sync(request())

    (change,) = (one for one in platform.handed_in if one.files)

    assert change.guard is not None


SEALED: JsonObject = {
    "apiVersion": "bitnami.com/v1alpha1",
    "kind": "SealedSecret",
    "metadata": {
        "name": "one",
        "namespace": "team",
        "annotations": {"troth.dev/sealed-for": "west"},
    },
    "spec": {"encryptedData": {}},
}


@pytest.mark.parametrize(
    ("certificate", "state"), [("a.pem", State.WRITTEN), ("b.pem", State.REFUSED)]
)
def test_what_was_sealed_for_another_cluster_is_refused(certificate: str, state: State) -> None:
    platform = platform_of(writes(SEALED))
    platform.destinations = [
        replace(destination("east", zone="east"), certificate=certificate),
        replace(destination("west"), certificate="a.pem"),
    ]
    platform.promises = [promise(selectors={"zone": "east"})]

    item = platform.sync(request())["one"]

    assert item.state is state
    if state is State.REFUSED:
        assert item.reason is Reason.SEALED_FOR_ANOTHER
        assert "sealed for Destination west and would go to east" in item.message


@pytest.mark.parametrize(
    ("field", "value", "runs"), [("certificate", "new.pem", 0), ("sealing_epoch", "2", 1)]
)
def test_only_a_controller_that_lost_its_keys_makes_its_secrets_anew(
    field: str, value: str, runs: int
) -> None:
    platform = platform_of(writes(config_map("one")))
    platform.destinations = [replace(destination("cluster"), certificate="a.pem")]
    platform.sync(request())
    before = len(platform.runner.runs)

    given: Mapping[str, str] = {"certificate": "a.pem", field: value}
    platform.destinations = [
        replace(
            destination("cluster"),
            certificate=given["certificate"],
            sealing_epoch=given.get("sealing_epoch", ""),
        )
    ]
    platform.sync(request())

    assert len(platform.runner.runs) - before == runs


def test_a_delete_pipeline_acts_outside_whoever_drives_it() -> None:
    platform = platform_of(writes(config_map("one")))
    seen: list[Json] = []

    def undo(job: StageJob) -> StageResult:
        seen.append(job.context["effects"])
        return StageResult()

    platform.stages["undo"] = undo
    platform.promises = [promise(delete=["undo"])]
    platform.sync(request())
    platform.plan()
    platform.sync()

    assert seen == ["perform"]
