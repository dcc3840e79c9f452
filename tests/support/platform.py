"""A platform in memory, for tests of the engine: a real store twin, and stages that are functions.

The runner here keeps the runner's contract (files and metadata as bytes) without processes, so that
a test can say in one line what a stage writes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from troth.api import (
    Destination,
    Document,
    Json,
    JsonObject,
    Layout,
    Pipeline,
    Promise,
    RequestKey,
    ResourceRequest,
    StoreRef,
    dump_documents,
)
from troth.engine import (
    DeletionBudget,
    DriftCheck,
    DriftReport,
    Engine,
    Inspector,
    Intake,
    Item,
    Ledger,
    Moment,
    Plan,
    Renderer,
    Settings,
    Submission,
    View,
    World,
    Writer,
)
from troth.errors import Reason, TransientError
from troth.runners import Inspected, InspectionJob, StageJob, StageResult
from troth_statestore import ChangeSet, Receipt, StateStore
from troth_statestore.memory import MemoryStore

StageFunction = Callable[[StageJob], StageResult]
LookFunction = Callable[[InspectionJob], Sequence[Inspected]]

API_VERSION = "test.example.com/v1"


def config_map(name: str, namespace: str = "team", **data: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def writes(*manifests: JsonObject, path: str = "objects.yaml", **metadata: Json) -> StageFunction:
    """A stage that writes these manifests, and metadata files given as ``status={...}``."""
    names = {"selectors": "destination-selectors.yaml", "control": "workflow-control.yaml"}
    files = {
        names.get(key, f"{key}.yaml"): dump_documents([value]) for key, value in metadata.items()
    }
    content = {path: dump_documents(manifests)} if manifests else {}
    return lambda _: StageResult(content, files)


def follows_spec(job: StageJob) -> StageResult:
    """A stage whose one object carries the request's name and spec.value."""
    metadata, spec = job.object["metadata"], job.object["spec"]
    assert isinstance(metadata, Mapping)
    assert isinstance(spec, Mapping)
    name, namespace = str(metadata["name"]), str(metadata["namespace"])
    manifest = config_map(name, namespace, value=str(spec.get("value", "")))
    return StageResult({"objects.yaml": dump_documents([manifest])})


@dataclass
class ScriptedRunner:
    """A runner whose stages are functions by the pipeline's name; `looks` holds what inspects."""

    stages: dict[str, StageFunction]
    looks: dict[str, LookFunction] = field(default_factory=dict[str, LookFunction])
    code: str = "code-1"
    runs: list[StageJob] = field(default_factory=list)
    parallelism: int = 2

    def fingerprint(self, pipeline: Pipeline) -> str:
        return f"{self.code}/{pipeline.name}"

    def run(self, job: StageJob) -> StageResult:
        self.runs.append(job)
        return self.stages[job.pipeline.name](job)

    def inspect(self, job: InspectionJob) -> Sequence[Inspected]:
        look = self.looks.get(job.pipeline.name)
        return [Inspected(tuple(job.requests))] if look is None else look(job)

    def close(self) -> None:
        pass


def promise(
    name: str = "thing",
    *,
    kind: str = "Thing",
    configure: Iterable[str] = ("configure",),
    delete: Iterable[str] = (),
    install: Iterable[str] = (),
    uninstall: Iterable[str] = (),
    api: bool = True,
    version: str = "",
    labels: Mapping[str, str] | None = None,
    selectors: Mapping[str, str] | None = None,
    fence: str | None = "{namespaces: [own]}",
    annotations: Mapping[str, str] | None = None,
    **spec: Json,
) -> Promise:
    found = dict(annotations or {})
    if fence is not None:
        found["troth.dev/fence"] = fence
    schema: JsonObject = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "value": {"type": "string", "maxLength": 20},
                    "colour": {"type": "string", "default": "red"},
                },
            }
        },
    }
    workflows: JsonObject = {
        "resource": {
            "configure": [_pipeline(one) for one in configure],
            "delete": [_pipeline(one) for one in delete],
        },
        "promise": {
            "configure": [_pipeline(one) for one in install],
            "delete": [_pipeline(one) for one in uninstall],
        },
    }
    served: JsonObject = {
        "spec": {
            "group": "test.example.com",
            "names": {"kind": kind, "plural": f"{kind.lower()}s"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
        }
    }
    marks = {**(labels or {}), **({"kratix.io/promise-version": version} if version else {})}
    return Promise.parse(
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": name, "annotations": found, "labels": marks},
            "spec": {
                **({"api": served} if api else {}),
                "workflows": workflows,
                "destinationSelectors": [{"matchLabels": dict(selectors)}] if selectors else [],
                **spec,
            },
        }
    )


def _handed_in(given: Promise) -> Submission:
    text = dump_documents([given.raw]).decode()
    document = Document(given.raw, f"requests/{given.name}/promise.yaml", text, 0)
    return Submission(ResourceRequest.of_promise(given), document, "requests")


def _pipeline(name: str) -> Json:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": name, "image": "stage:1", "args": [name]}]},
    }


def request(
    name: str = "one",
    namespace: str = "team",
    *,
    kind: str = "Thing",
    root: str = "requests",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Json,
) -> Submission:
    raw: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
        },
        "spec": spec,
    }
    text = dump_documents([raw]).decode()
    document = Document(raw, f"{root}/{name}.yaml", text, 0)
    return Submission(ResourceRequest.parse(raw), document, root)


def destination(
    name: str,
    path: str | None = None,
    *,
    store: str | None = None,
    layout: Layout = Layout.NESTED,
    **labels: str,
) -> Destination:
    reference = StoreRef("GitStateStore", store) if store is not None else None
    return Destination(
        name=name,
        labels=labels,
        path=name if path is None else path,
        store=reference,
        layout=layout,
    )


@dataclass
class Platform:
    """Everything a run needs; change a field, sync again.

    `store` is the only state store, named "", or the one named "main" beside `others`.
    """

    stages: dict[str, StageFunction] = field(default_factory=lambda: {"configure": follows_spec})
    promises: list[Promise] = field(default_factory=lambda: [promise()])
    destinations: list[Destination] = field(default_factory=lambda: [destination("cluster")])
    settings: Settings = field(default_factory=Settings)
    store: StateStore = field(default_factory=MemoryStore)
    others: dict[str, StateStore] = field(default_factory=dict)
    out_of_reach: frozenset[str] = frozenset()
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    roots: frozenset[str] = frozenset({"requests"})
    complete: bool = True
    doubtful: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        self.runner = ScriptedRunner(self.stages)
        self.flushes: list[list[ChangeSet]] = []

    @property
    def handed_in(self) -> list[ChangeSet]:
        """All that was handed to stores by the last write."""
        return [change for flush in self.flushes for change in flush]

    def allow(self, deletions: int) -> None:
        self.settings = replace(self.settings, budget=DeletionBudget(allowed=deletions))

    def plan(self, *requests: Submission, scope: frozenset[RequestKey] | None = None) -> Plan:
        intake = Intake(
            requests,
            self.roots.__contains__,
            self.complete,
            promises=[_handed_in(one) for one in self.promises],
            doubtful=self.doubtful,
            scope=scope,
        )
        return self._engine().plan(intake, self.look())

    def sync(
        self, *requests: Submission, scope: frozenset[RequestKey] | None = None
    ) -> dict[str, Item]:
        """One round of plan and write; items by the request's name."""
        return self.write(self.plan(*requests, scope=scope))

    def check(self, wanted: Callable[[RequestKey], bool] = lambda _: True) -> DriftReport:
        """Have stages look."""
        ledger = Ledger.read(self.look())
        inspector = Inspector(self.runner, self.renderer.moment)
        return DriftCheck(self.world, ledger, inspector, self.settings.inventory).check(wanted)

    def mend(self, found: DriftReport, *requests: Submission) -> DriftReport:
        """Let a run mend what was found."""
        before = self.settings
        self.settings = replace(before, drifts=found.mendable)
        try:
            items = self.write(self.plan(*requests).only(found.mendable))
        finally:
            self.settings = before
        return found.after(items.values(), Ledger.read(self.look()))

    def write(self, plan: Plan) -> dict[str, Item]:
        """Carry out a plan, perhaps one that was made a while ago."""
        return {item.name or item.promise: item for item in self.lines(plan)}

    def lines(self, plan: Plan) -> Sequence[Item]:
        """Carry out a plan; all lines, of requests of one name as well."""
        self.flushes = []
        writer = Writer(self.world, self.renderer, self.settings, self.submit)
        return writer.write(plan).items

    @property
    def files(self) -> dict[str, bytes]:
        snapshot = self.store.snapshot()
        return dict(snapshot.read(sorted(snapshot.digests(""))))

    @property
    def records(self) -> dict[str, bytes]:
        found = self.store.snapshot().records()
        return {k: content for k, (content, _) in found.items() if k.startswith("requests/")}

    def tamper(self, files: Mapping[str, bytes], delete: Iterable[str] = ()) -> None:
        """Change files behind the engine's back."""
        change = ChangeSet("requests/by-hand", None, files, frozenset(delete), record=None)
        self.store.commit([change])

    @property
    def world(self) -> World:
        return World(
            {one.name: one for one in self.promises},
            {one.name: one for one in self.destinations},
            tuple(sorted(self._stores)),
        )

    @property
    def renderer(self) -> Renderer:
        return Renderer(self.runner, lambda: Moment(self.now, b"seed"))

    def _engine(self) -> Engine:
        return Engine(self.world, self.renderer, self.settings)

    @property
    def _stores(self) -> dict[str, StateStore]:
        return {"main": self.store, **self.others} if self.others else {"": self.store}

    def look(self) -> View:
        away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
        return View(
            {k: s.snapshot() for k, s in self._stores.items() if k not in self.out_of_reach},
            dict.fromkeys(self.out_of_reach, away),
        )

    def submit(self, store: str, changes: Sequence[ChangeSet]) -> list[Future[Receipt]]:
        self.flushes.append(list(changes))
        receipts = {receipt.key: receipt for receipt in self._stores[store].commit(changes)}
        futures: list[Future[Receipt]] = []
        for change in changes:
            future: Future[Receipt] = Future()
            future.set_result(receipts[change.key])
            futures.append(future)
        return futures
