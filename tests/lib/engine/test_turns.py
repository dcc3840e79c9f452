"""Turns: what has acted outside is written before others act, and what hangs on it waits for it."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import pytest
from support.mortal import cut_off
from support.platform import Platform, StageFunction, follows_spec, promise, request
from support.routed import gate
from support.routed import stage as routed

from troth.api import Fields, JsonObject, dump_documents
from troth.engine import State
from troth.engine.turns import AT_ONCE
from troth.errors import Reason, StoreError, TransientError
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet, Receipt


@dataclass
class Issuer:
    """A stage that issues one credential outside, and remembers it.

    Attributes:
        output: what it renders besides.
        down: names for which the provider does not answer.
        waits: whether it asks to wait once it has acted.
        issued: for whom it did, in order.
    """

    output: StageFunction = follows_spec
    down: Sequence[str] = ()
    waits: bool = False
    issued: list[str] = field(default_factory=list[str])

    def __call__(self, job: StageJob) -> StageResult:
        name, fields = job.environ["KRATIX_OBJECT_NAME"], Fields(job.object)
        user, made = f"{name} {fields.section('spec').text('value', '')}", self.output(job)
        if fields.section("status").text("user", "") == user:
            return made
        if job.context["effects"] == "recall":
            return self._with(made, {"effects": [f"issue {name}"]}, "(known after apply)")
        if name in self.down:
            raise TransientError(Reason.PROVIDER_UNREACHABLE, "the provider does not answer.")
        self.issued.append(name)
        return self._with(made, {"suspend": True} if self.waits else {}, user)

    def _with(self, made: StageResult, control: JsonObject, user: str) -> StageResult:
        status: JsonObject = {"user": user}
        files = {"status.yaml": dump_documents([status])}
        if control:
            files["workflow-control.yaml"] = dump_documents([control])
        return replace(made, metadata={**made.metadata, **files})


def many(count: int) -> list[str]:
    return [f"user-{number:04}" for number in range(count)]


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_run_that_is_killed_loses_what_has_acted_last_and_nothing_else(commits: int) -> None:
    issuer = Issuer()
    platform = Platform(stages={"configure": issuer})
    names = many(2 * AT_ONCE + 7)
    asked = [request(name) for name in names]

    # The first commit is of what does not act: nothing here, so it is not made.
    killed = cut_off(platform, commits, *asked)
    before = len(issuer.issued)
    items = platform.sync(*asked)

    issuances = Counter(issuer.issued)
    assert killed
    assert sorted(issuances) == names
    assert issuances.total() - len(names) == min(AT_ONCE, len(names) - commits * AT_ONCE)
    assert before == min((commits + 1) * AT_ONCE, len(names))
    assert {item.state for item in items.values()} <= {State.WRITTEN, State.UNCHANGED}
    assert len(platform.files) == len(names)


def test_what_does_not_act_is_written_at_once_whoever_acts() -> None:
    platform = Platform(stages={"configure": follows_spec, "issue": Issuer()})
    platform.promises = [promise(), promise("acting", kind="Acting", configure=["issue"])]
    quick = [request(name) for name in many(500)]

    platform.sync(*quick, *(request(f"a{n}", kind="Acting") for n in range(AT_ONCE + 1)))

    sizes = [sum(bool(one.files) for one in flush) for flush in platform.flushes]
    assert [size for size in sizes if size] == [500, AT_ONCE, 1]


def test_a_revision_that_batches_share_is_handed_in_once() -> None:
    platform = Platform(stages={"configure": Issuer()})

    platform.sync(*(request(name) for name in many(2 * AT_ONCE)))

    assert sum(one.key.startswith("revisions/") for one in platform.handed_in) == 1


class Refusing(Platform):
    """A platform whose store takes nothing."""

    def submit(self, store: str, changes: Sequence[ChangeSet]) -> list[Future[Receipt]]:
        refused: list[Future[Receipt]] = [Future() for _ in changes]
        for one in refused:
            one.set_exception(StoreError(Reason.STATE_STORE_REFUSED, f"{store} is full."))
        return refused


def test_nobody_else_acts_where_nothing_can_be_written() -> None:
    issuer = Issuer()
    platform = Refusing(stages={"configure": issuer})

    items = platform.sync(*(request(name) for name in many(3 * AT_ONCE)))

    assert len(issuer.issued) == AT_ONCE
    assert {item.state for item in items.values()} == {State.FAILED}
    assert items[many(3 * AT_ONCE)[-1]].message.startswith(
        f"nothing was done: {AT_ONCE} requests before it have acted outside"
    )
    assert platform.records == {}


def gated(issuer: Issuer, *, hangs_acts: bool = False) -> Platform:
    """A platform with a Gateway whose stage acts, and routes that hang on it."""
    platform = Platform(stages={"configure": routed, "issue": issuer})
    platform.promises = [
        promise("gate", kind="Gate", configure=["issue"]),
        promise(configure=["issue"] if hangs_acts else ["configure"]),
    ]
    return platform


@pytest.mark.parametrize("hangs_acts", [False, True])
@pytest.mark.parametrize(("down", "waits"), [(["edge"], False), ([], True)])
def test_a_route_waits_for_a_gateway_whose_stage_failed_or_waits(
    *, down: list[str], waits: bool, hangs_acts: bool
) -> None:
    issuer = Issuer(routed, down, waits)
    platform = gated(issuer, hangs_acts=hangs_acts)

    items = platform.sync(gate(), request(value="/a"))

    assert (items["one"].state, items["one"].reason) == (State.WAITING, Reason.PARENT_NOT_FOUND)
    assert platform.files == {}
    assert "one" not in issuer.issued


@pytest.mark.parametrize("hangs_acts", [False, True])
def test_a_route_is_written_in_the_run_in_which_its_gateway_has_acted(*, hangs_acts: bool) -> None:
    platform = gated(Issuer(routed), hangs_acts=hangs_acts)

    items = platform.sync(gate(), request(value="/a"))

    assert {item.state for item in items.values()} == {State.WRITTEN}


def test_a_route_that_stands_already_stays_when_its_gateway_fails_to_act() -> None:
    issuer = Issuer(routed)
    platform = gated(issuer)
    platform.sync(gate(), request(value="/a"))
    before = platform.files

    issuer.down = ["edge"]
    items = platform.sync(gate("/a guests"), request(value="/a"), request("two", value="/b"))

    assert platform.files == before
    assert (items["one"].state, items["two"].state) == (State.UNCHANGED, State.WAITING)
