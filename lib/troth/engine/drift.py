"""Drift: how what requests have outside compares with what their records say.

Never part of a plan or a sync. A driver calls it on an interval of its own: stages look (each asks
a provider once for all that belong together), and nothing is changed. What was found goes into
`Settings.drifts` of a run that is to mend it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum

from troth.api import Fields, JsonObject, Promise, RequestKey, RequestSchema, ResourceRequest
from troth.engine.admit import object_of
from troth.engine.climb import attempt
from troth.engine.drifted import Drifted
from troth.engine.inspections import Account, Inspector, Judged, Told
from troth.engine.ledger import Entry, Ledger, names_in
from troth.engine.record import Record
from troth.engine.secrets import redact
from troth.engine.values import Item, State, World
from troth.errors import TrothError, shorten
from troth.sdk import Drift, Finding, Outside

__all__ = ["Checked", "DriftCheck", "DriftReport", "Verdict"]

_STAGE_IS_BLIND = "its stage looks at nothing outside for it."
_NOTHING_MADE = "its stages have left no status, so nothing was made for it."
_NOT_GIVEN = "its Promise was not given."


class Verdict(StrEnum):
    """How it stands with a request."""

    DRIFTED = "Drifted"
    REPAIRED = "Repaired"
    UNKNOWN = "Unknown"
    INTACT = "Intact"
    NOT_CHECKED = "NotChecked"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one request.

    Attributes:
        verdict: how it stands.
        message: what is missing, or why nothing is known.
        drifted: what a run that mends it is told; None where none can.
    """

    key: RequestKey
    verdict: Verdict
    message: str = ""
    drifted: Drifted | None = None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What a check found.

    Attributes:
        checked: one for each request, in the order of their keys.
        calls: how often each provider's account was asked.
    """

    checked: Sequence[Checked]
    calls: Mapping[Account, int] = field(default_factory=dict[Account, int])

    @property
    def mendable(self) -> dict[RequestKey, Drifted]:
        """What a run may mend."""
        return {one.key: one.drifted for one in self.checked if one.drifted is not None}

    @property
    def sound(self) -> bool:
        """Whether nothing is missing and nothing unknown, as far as anybody looks."""
        bad = {Verdict.DRIFTED, Verdict.UNKNOWN}
        return not any(one.verdict in bad for one in self.checked)

    def after(self, items: Iterable[Item], ledger: Ledger) -> "DriftReport":
        """Return the report once a run has tried to mend what it could.

        A request counts as repaired only if its record says so.

        Args:
            items: that run's report.
            ledger: what the stores hold now.
        """
        said = {item.key: item for item in items}
        return replace(
            self, checked=[_after(one, said.get(one.key), ledger) for one in self.checked]
        )


def _after(one: Checked, item: Item | None, ledger: Ledger) -> Checked:
    if one.drifted is None:
        return one
    entry = ledger.entries.get(one.key)
    if item is None or item.state is State.ORPHANED:
        why = "it was not handed in, so nothing was done; give its file too."
    elif entry is None or entry.version == one.drifted.version:
        why = f"nothing was mended: {item.state} ({item.reason}) {item.message}".strip()
    elif entry.record.undone:
        why = f"not all could be mended: {item.message}"
    elif item.state is not State.WRITTEN:
        why = f"its record has changed since; check again. {item.message}".strip()
    else:
        return replace(one, verdict=Verdict.REPAIRED, drifted=None)
    return replace(one, message=f"{one.message} Now: {why}", drifted=None)


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Looks, and says what was found.

    Args:
        world: the Promises whose stages look.
        ledger: what was made; requests are taken as they were fulfilled last.
        inspector: has stages look.
        inventory: whose requests are looked at.
    """

    world: World
    ledger: Ledger
    inspector: Inspector
    inventory: str

    def check(self, wanted: Callable[[RequestKey], bool] = lambda _: True) -> DriftReport:
        """Look at what requests have outside, all of a Promise at once.

        Args:
            wanted: tells of a request whether it is to be looked at.
        """
        found = self._hidden(wanted)
        looked: dict[str, dict[RequestKey, JsonObject]] = {}
        for key, entry in self.ledger.entries.items():
            if key.is_promise or entry.record.inventory != self.inventory or not wanted(key):
                continue
            promise = self.world.promises.get(key.promise)
            if promise is None or not entry.record.status:
                why = _NOT_GIVEN if promise is None else _NOTHING_MADE
                found[key] = Checked(key, Verdict.NOT_CHECKED, why)
                continue
            asked = attempt(_ObjectOf(promise), entry.record)
            if isinstance(asked, TrothError):
                found[key] = _judged(entry, _unknown(asked))
            else:
                looked.setdefault(key.promise, {})[key] = asked
        calls: dict[Account, int] = {}
        for judged in self._look(looked):
            calls |= judged.calls
            for key, findings in judged.findings.items():
                found[key] = _judged(self.ledger.entries[key], findings)
        return DriftReport([found[key] for key in sorted(found)], dict(sorted(calls.items())))

    def _hidden(self, wanted: Callable[[RequestKey], bool]) -> dict[RequestKey, Checked]:
        """Return what cannot be looked at, since its record cannot be read, or not be reached."""
        found: dict[RequestKey, Checked] = {}
        for spot, error in self.ledger.unreadable.items():
            key = names_in(spot.path)
            if key is not None and not key.is_promise and wanted(key):
                found[key] = Checked(key, Verdict.UNKNOWN, error.message)
        for store, away in self.ledger.view.unreached.items():
            why = f"what the state store {store} keeps was not looked at: {away.message}"
            key = RequestKey("", "", store)
            found[key] = Checked(key, Verdict.UNKNOWN, why)
        return found

    def _look(self, looked: Mapping[str, Mapping[RequestKey, JsonObject]]) -> list[Judged]:
        """Have the stages of several Promises look, several at once."""

        def ask(name: str) -> Judged:
            return self.inspector.inspect(self.world.promises[name], looked[name])

        def look(name: str) -> Judged:
            found = attempt(ask, name)
            if isinstance(found, TrothError):
                return Judged({key: _unknown(found) for key in looked[name]})
            return found

        with ThreadPoolExecutor(self.inspector.runner.parallelism) as pool:
            return list(pool.map(look, sorted(looked)))


@dataclass(frozen=True, slots=True)
class _ObjectOf:
    """Reads a request as it was fulfilled last, with the defaults of its schema."""

    promise: Promise

    def __call__(self, record: Record) -> JsonObject:
        request = ResourceRequest.parse(record.as_object)
        schema = self.promise.api.schemas.get(request.version) if self.promise.api else None
        spec = request.spec if schema is None else RequestSchema(schema).fill(request.spec)
        asked = object_of(request, spec)
        metadata = {**Fields(asked).mapping("metadata"), "generation": record.generation}
        return {**asked, "metadata": metadata, "status": record.status}


def _unknown(error: TrothError) -> Sequence[Told]:
    return [Told("", Finding.unknown(error.message))]


def _judged(entry: Entry, told: Sequence[Told]) -> Checked:
    """Return what several stages found of one request together."""
    key = entry.record.key
    if not told:
        return Checked(key, Verdict.NOT_CHECKED, _STAGE_IS_BLIND)
    drifts = [one for one in told if one.finding.state is Outside.DRIFTED]
    unknown = [one for one in told if one.finding.state is Outside.UNKNOWN]
    message = _words((*drifts, *unknown))
    if not drifts:
        return Checked(key, Verdict.UNKNOWN if unknown else Verdict.INTACT, message)
    # Where it is not known what else is missing, mending might make it a second time.
    if unknown or not all(one.finding.mendable for one in drifts):
        return Checked(key, Verdict.DRIFTED, message)
    by_pipeline = {
        name: Drift(_words(mine), ended=all(one.finding.ended for one in mine))
        for name in dict.fromkeys(one.pipeline for one in drifts)
        if (mine := [one for one in drifts if one.pipeline == name])
    }
    return Checked(key, Verdict.DRIFTED, message, Drifted(by_pipeline, entry.version))


def _words(told: Iterable[Told]) -> str:
    return redact(shorten(" ".join(dict.fromkeys(one.finding.message for one in told))))
