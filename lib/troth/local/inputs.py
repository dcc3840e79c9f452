"""Inputs: what the paths of a command hold, sorted, and how far it can be relied on."""

from collections import Counter
from dataclasses import dataclass, field

from troth.api import Destination, GitStateStore, Promise
from troth.api.labels import KRATIX_GROUP
from troth.engine import Item, Submission
from troth.errors import TrothError
from troth.local.files import Walk

__all__ = ["Inputs"]


@dataclass(slots=True)
class Inputs:
    """What was found in the paths of a command.

    Attributes:
        handed_in: the Promises as submissions, by name.
        problems: a line of the report for everything that could not be used.
        walks: what was read, root by root, and held any file at all.
        passed_over: YAML files in bundles that are none of a bundle's.
        complete: whether all of it could be read.
        empty: files that hold nothing; they may have held something once.
        left_out: objects of foreign groups, which are nobody's business here, by kind.
        doubtful: namespace and name of those, since a mistyped group looks the same.
        refused: group, kind, namespace and name of the objects among the problems.
        hidden_stores: state stores that may be there, and why nothing is known of them; each by
            its name, or by the file that seems to hold it.
    """

    promises: dict[str, Promise] = field(default_factory=dict[str, Promise])
    destinations: dict[str, Destination] = field(default_factory=dict[str, Destination])
    stores: dict[str, GitStateStore] = field(default_factory=dict[str, GitStateStore])
    submissions: list[Submission] = field(default_factory=list[Submission])
    handed_in: dict[str, Submission] = field(default_factory=dict[str, Submission])
    problems: list[Item] = field(default_factory=list[Item])
    walks: list[Walk] = field(default_factory=list[Walk])
    passed_over: list[str] = field(default_factory=list[str])
    complete: bool = True
    empty: list[str] = field(default_factory=list[str])
    left_out: Counter[str] = field(default_factory=Counter[str])
    doubtful: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    refused: set[tuple[str, str, str, str]] = field(default_factory=set[tuple[str, str, str, str]])
    hidden_stores: dict[str, TrothError] = field(default_factory=dict[str, TrothError])

    def was_read(self, root: str) -> bool:
        """Tell whether all that a root, as records name it, may hold was read."""
        return any(walk.was_read(root) for walk in self.walks)

    @property
    def promise_submissions(self) -> list[Submission]:
        """The Promises that can be used, for what they render themselves."""
        return [self.handed_in[name] for name in sorted(self.promises.keys() & self.handed_in)]

    @property
    def without_destinations(self) -> bool:
        """Whether no Destination was given, not even one that had to be refused."""
        refused = {(group, kind) for group, kind, _, _ in self.refused}
        return not self.destinations and (KRATIX_GROUP, "Destination") not in refused
