"""The draft: a request on its way up the ladder, with all that is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from troth.api import Fields, Json, JsonObject, Promise, RequestKey, canonical
from troth.engine.ledger import Entry
from troth.engine.record import Record
from troth.engine.routes import Traits
from troth.engine.settled import Settled, Settlement
from troth.engine.suspension import Suspension
from troth.engine.values import Placement, Spot, Submission
from troth.sdk import Drift

__all__ = ["Draft"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A request with what the rungs so far have found out.

    Attributes:
        object: object.yaml's content without status and generation.
        asked: what its record keeps of it as it was given.
        entry: what is kept of it, None for a new one.
        default_store: home to a new one that has no place yet.
        observed: digest of each of its files that is there now.
        input_digest: digest of all that its output depends on, None where nothing was rendered.
        status: what the stages left.
        placements: where its groups go; their contents are None when nothing was rendered.
        traits: what routes are decided by, of the Destinations where there is any.
        left: digest of each of its files that stays as it is, in a Destination that is not given.
        suspension: what a stage asked for in this run.
        settled: why no stage ran, or why what ran is not to be written; None for a fresh output.
        leaving: where it was before it moved, as far as that cannot be reached now.
        misplaced: why its place is not what its selectors ask for, None when it is.
        put_back: why a rollback of its files is not kept, None where there is none.
        due: when its stages want to run again though nothing has changed.
        undone: what was to be done outside and is not; for good only where it was `attempted`.
        attempted: whether its stages ran in this run and were let do outside what they wanted.
        effects: what they want to do outside, which is done only once it may be written.
        begun: the draft before its stages ran, where there is something to be done outside.
        rolled_back: what it stays, where its files are rolled back and its stages are due: until
            they have something new to write.
        rotates: whether it makes its credentials anew since a cluster has lost its keys.
        drifts: what was found to be other outside than its status says, by pipeline; its stages run
            to mend it.
    """

    key: RequestKey
    submission: Submission
    promise: Promise
    object: JsonObject
    asked: JsonObject
    entry: Entry | None
    default_store: str = ""
    observed: Mapping[Spot, str] = field(default_factory=dict[Spot, str])
    input_digest: str | None = None
    status: Mapping[str, Json] = field(default_factory=dict[str, Json])
    placements: tuple[Placement, ...] = ()
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    left: Mapping[Spot, str] = field(default_factory=dict[Spot, str])
    suspension: Suspension | None = None
    settled: Settled | None = None
    leaving: tuple[Placement, ...] = ()
    misplaced: str | None = None
    put_back: str | None = None
    due: datetime | None = None
    undone: str = ""
    attempted: bool = False
    effects: tuple[str, ...] = ()
    begun: "Draft | None" = None
    rolled_back: "Draft | None" = None
    rotates: bool = False
    drifts: Mapping[str, Drift] = field(default_factory=dict[str, Drift])

    @property
    def record(self) -> Record | None:
        """What its store remembers of it, None for a new one."""
        return self.entry.record if self.entry is not None else None

    @property
    def keeps(self) -> Record | None:
        """Its record, where what that says of its output stays as it is whatever was handed in."""
        if self.settled is None or not self.settled.follows.keeps_record:
            return None
        return self.record

    @property
    def is_rolled_back(self) -> bool:
        """Whether its files hold an earlier output, which is kept."""
        return self.settled is not None and self.settled.kind is Settlement.REVERTED

    @property
    def is_put_back(self) -> bool:
        """Whether the files of an output that is not new are written again."""
        if self.settled is not None or self.record is None:
            return False
        return self.put_back is not None or self.record.input_digest == self.input_digest

    @property
    def is_wanted(self) -> bool:
        """Whether what it places is asked for by its request as it is now."""
        return self.settled is None or self.settled.follows.wanted

    @property
    def is_to_act(self) -> bool:
        """Whether its stages do outside what they want to before it is written."""
        return bool(self.effects) and self.settled is None

    @property
    def promise_digest(self) -> str:
        """The revision of the Promise that its record is to name."""
        kept = self.keeps
        return kept.promise_digest if kept is not None else self.promise.digest

    @property
    def home(self) -> str:
        """The store that keeps its record: where it is, else that of its first placement."""
        if self.entry is not None:
            return self.entry.home
        return self.placements[0].store if self.placements else self.default_store

    @property
    def provides_parents(self) -> bool:
        """Whether routes of others may hang on what it places, or did so far."""
        known = [*self.traits.values()]
        if self.record is not None:
            known += self.record.traits.values()
        return any(traits.parents for traits in known)

    @property
    def generation(self) -> int:
        """The generation after this run: the object's, or one more when the spec changed."""
        if self.submission.version is not None:
            return self.submission.version.generation
        if self.record is None:
            return 1
        changed = canonical(self.record.spec) != canonical(self.submission.request.spec)
        return self.record.generation + (1 if changed else 0)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be done with it, its removal included."""
        return self.submission.request.paused or self.promise.paused

    @property
    def numbered(self) -> JsonObject:
        """object.yaml's content with its generation, which counts changes of the spec."""
        metadata = Fields(self.object).mapping("metadata")
        return {**self.object, "metadata": {**metadata, "generation": self.generation}}

    @property
    def digests(self) -> dict[Spot, str]:
        """Place → digest of every file that is its own: what was rendered, and what is left."""
        rendered = {
            Spot(placement.store, path): digest
            for placement in self.placements
            for path, digest in (placement.digests or {}).items()
        }
        return {**self.left, **rendered}
