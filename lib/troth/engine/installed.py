"""Installed: which Promises can fulfil requests, going by what they require of each other.

The words are Kratix's (``promise_controller.go``). A Promise that requires itself, round whatever
corner, never becomes available; that is said instead of waited for.
"""

from collections.abc import Collection, Mapping, Sequence

from troth.api import Promise, Requirement

__all__ = ["Requirements"]


class Requirements:
    """What the Promises of a run require.

    Args:
        promises: those that were given, by name.
        kept: versions of Promises that the stores remember; what was installed by an earlier run
            counts although its file was not given this time.
    """

    def __init__(self, promises: Mapping[str, Promise], kept: Mapping[str, Sequence[str]]) -> None:
        self._promises = promises
        self._kept = kept
        self._order: list[str] = []
        self._rounds: dict[str, str] = {}
        for name in sorted(promises):
            self._visit(name, [])

    @property
    def order(self) -> Sequence[str]:
        """The names of the Promises, each after those it requires, else by name."""
        return self._order

    @property
    def circles(self) -> Collection[str]:
        """The names of the Promises that require themselves, round whatever corner."""
        return self._rounds.keys()

    def _visit(self, name: str, path: list[str]) -> None:
        if name in path:
            round_trip = path[path.index(name) :]
            spelled = " -> ".join([*round_trip, name])
            self._rounds |= dict.fromkeys(round_trip, spelled)
            return
        if name in self._order or name not in self._promises:
            return
        for required in sorted({one.name for one in self._promises[name].requires}):
            self._visit(required, [*path, name])
        if name not in self._order:
            self._order.append(name)

    def unmet(self, promise: Promise, unavailable: Collection[str]) -> str | None:
        """Return why a Promise's requirements are not fulfilled, None when they are.

        Args:
            promise: whose requirements.
            unavailable: the Promises before it in order that cannot fulfil requests.
        """
        if promise.name in self._rounds:
            round_trip = self._rounds[promise.name]
            return (
                f"its requiredPromises go round in a circle: {round_trip}; take one of them out of "
                "its Promise"
            )
        found = [
            f"Promise {required}: {state}"
            for required in promise.requires
            if (state := self._state(required, unavailable)) is not None
        ]
        return "; ".join(found) or None

    def _state(self, required: Requirement, unavailable: Collection[str]) -> str | None:
        given = self._promises.get(required.name)
        versions = {given.version} if given else set(self._kept.get(required.name, ()))
        if not versions:
            return "Requirement not installed"
        if required.version and required.version not in versions:
            known = ", ".join(sorted(versions))
            return f"Requirement not installed at the specified version (there is {known})"
        return "Requirement not available" if required.name in unavailable else None
