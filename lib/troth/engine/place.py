"""Place: which Destination each workload group goes to, and stays at.

Matching is Kratix's (equality of labels, strictMatchLabels). Among those that match, rendezvous
hashing of the request over their names chooses, so that a choice depends on nothing but names;
what was placed stays where it is.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.api import Destination, Layout, RequestKey
from troth.engine.values import Group, Placement
from troth.errors import NotServedError, Reason, UnscheduledError
from troth_statestore import Owner, digest_bytes, nested_folder, nested_group

__all__ = ["Places", "candidates", "place", "require_any"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the groups of a request go.

    `misplaced` says why a group stays somewhere its selector no longer asks for.
    """

    placements: tuple[Placement, ...]
    misplaced: str | None = None


def candidates(
    selector: Mapping[str, str], destinations: Iterable[Destination]
) -> list[Destination]:
    """Return the Destinations that match, by name.

    An empty selector matches all but those that are strict and have labels.
    """
    matching = [
        destination
        for destination in destinations
        if destination.takes_all or _matches(selector, destination)
    ]
    return sorted(matching, key=lambda destination: destination.name)


def _matches(selector: Mapping[str, str], destination: Destination) -> bool:
    if not selector:
        return not (destination.strict and destination.labels)
    return all(destination.labels.get(key) == value for key, value in selector.items())


def place(
    key: RequestKey,
    groups: Iterable[Group],
    destinations: Mapping[str, Destination],
    earlier: Iterable[Placement],
) -> Places:
    """Choose a Destination for each group.

    Args:
        key: the request, which the hashing spreads.
        groups: what is to be placed.
        destinations: by name.
        earlier: where the request's groups are now; they stay there.

    Raises:
        UnscheduledError: no Destination matches a group that has no place yet, or the place it
            has is not among those given.
        NotServedError: the Destination's layout is not served.
    """
    now = {(old.group.pipeline, old.group.directory): old.destination for old in earlier}
    placements: list[Placement] = []
    misplaced: str | None = None
    for group in groups:
        matching = candidates(group.selector, destinations.values())
        recorded = now.get((group.pipeline, group.directory))
        if recorded is not None and recorded not in destinations:
            raise UnscheduledError(Reason.DESTINATION_GONE, _gone(recorded))
        if recorded is not None:
            chosen = destinations[recorded]
            if chosen not in matching:
                misplaced = (
                    f"Destination {recorded} no longer matches {_spell(group.selector)}; the files "
                    "stay there until the request is removed."
                )
        elif matching:
            chosen = max(matching, key=lambda destination: _score(key, destination))
        else:
            raise _unscheduled(group.selector, destinations)
        placements.append(_placement(key, group, chosen))
    return Places(tuple(placements), misplaced)


def _score(key: RequestKey, destination: Destination) -> bytes:
    """Rank a Destination for a request (rendezvous hashing: the highest score wins)."""
    spelled = f"{key.namespace}/{key.promise}/{key.name}\0{destination.name}"
    return hashlib.sha256(spelled.encode()).digest()


def _placement(key: RequestKey, group: Group, destination: Destination) -> Placement:
    if destination.layout is not Layout.NESTED:
        message = (
            f"Destination {destination.name} has the layout {destination.layout}, which this "
            f"version of Troth does not write; use {Layout.NESTED}."
        )
        raise NotServedError(Reason.DESTINATION_NOT_SERVED, message)
    owner = Owner(*key)
    owned = nested_folder(destination.path, owner)
    folder = nested_group(destination.path, owner, group.pipeline, group.directory)
    if group.files is None:
        return Placement(group, destination.name, folder, owned, ())
    contents = {f"{folder}/{path}": group.files[path] for path in sorted(group.files)}
    return Placement(
        group,
        destination.name,
        folder,
        owned,
        files=tuple(contents),
        contents=contents,
        digests={path: digest_bytes(content) for path, content in contents.items()},
    )


def _gone(name: str) -> str:
    return (
        f"its Destination {name} is not among those given; its files are kept as they are. Give "
        f"{name} again, or remove the request and hand it in anew."
    )


def _spell(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(selector.items())) or "any"


def _unscheduled(
    selector: Mapping[str, str], destinations: Mapping[str, Destination]
) -> UnscheduledError:
    known = "; ".join(f"{d.name} has {_spell(d.labels)}" for _, d in sorted(destinations.items()))
    message = (
        f"no Destination matches {_spell(selector)} ({known or 'there is none'}); label one, or "
        "change the selectors."
    )
    return UnscheduledError(Reason.NO_MATCHING_DESTINATION, message)


def require_any(selector: Mapping[str, str], destinations: Mapping[str, Destination]) -> None:
    """Raise UnscheduledError when no Destination could take the Promise's default group."""
    if not candidates(selector, destinations.values()):
        raise _unscheduled(selector, destinations)
