"""Place: which Destination each workload group goes to, and stays at.

Matching is Kratix's (equality of labels, strictMatchLabels). A request's group goes to one of those
that match, chosen by rendezvous hashing of the request over their names, so that a choice depends
on nothing but names; a Promise's own goes to all of them. What was placed stays where it is.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from troth.api import Destination, Layout, RequestKey
from troth.engine.values import Group, Placement, World
from troth.errors import OutputRefusedError, Reason, UnscheduledError
from troth_statestore import (
    Owner,
    aggregated_folder,
    as_piece,
    digest_bytes,
    flat_file,
    nested_folder,
    nested_group,
    why_no_piece,
)

__all__ = ["Places", "candidates", "file_of", "folder_of", "place", "require_any", "root_of"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the groups of a request go.

    Attributes:
        placements: each group with its Destination.
        misplaced: why something stays where no selector asks for it.
        left: what a Promise has in Destinations that are not given; it stays there as it is.
    """

    placements: tuple[Placement, ...]
    misplaced: str | None = None
    left: tuple[Placement, ...] = ()


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
    key: RequestKey, groups: Iterable[Group], world: World, earlier: Collection[Placement]
) -> Places:
    """Choose where each group goes.

    Args:
        key: the request, which the hashing spreads; or a Promise, whose own output goes everywhere.
        groups: what is to be placed, each once.
        world: the Destinations.
        earlier: where the groups are now; they stay there.

    Raises:
        UnscheduledError: no Destination matches a group that has no place yet, or the place that
            a request's group has is not among those given.
        OutputRefusedError: a file cannot stand in one with those of others.
    """
    now: dict[tuple[str, str], list[str]] = {}
    known = world.destinations.keys()
    left = tuple(one for one in earlier if key.is_promise and one.destination not in known)
    for old in (one for one in earlier if one not in left):
        now.setdefault((old.group.pipeline, old.group.directory), []).append(old.destination)
    placements: list[Placement] = []
    misplaced = _out_of_service(left)
    for group in groups:
        matching = candidates(group.selector, world.destinations.values())
        recorded = now.get((group.pipeline, group.directory), [])
        stays = [_known(name, world) for name in recorded]
        for destination in stays:
            if destination not in matching:
                misplaced = (
                    f"Destination {destination.name} no longer matches {_spell(group.selector)}; "
                    f"the files stay there until the {_what(key)} is removed."
                )
        if not matching and not stays and not left:
            raise _unscheduled(group.selector, world)
        placements += [
            _placement(key, group, destination, world.store_of(destination))
            for destination in _chosen(key, stays, matching)
        ]
    return Places(tuple(placements), misplaced, left)


def _out_of_service(left: Iterable[Placement]) -> str | None:
    names = ", ".join(sorted({one.destination for one in left}))
    if not names:
        return None
    return f"Destination {names} is not among those given; what stands there stays as it is."


def _what(key: RequestKey) -> str:
    return "Promise" if key.is_promise else "request"


def _known(name: str, world: World) -> Destination:
    if name not in world.destinations:
        message = (
            f"its Destination {name} is not among those given; its files are kept as they are. "
            f"Give {name} again, or remove what is there and hand it in anew."
        )
        raise UnscheduledError(Reason.DESTINATION_GONE, message)
    return world.destinations[name]


def _chosen(
    key: RequestKey, stays: list[Destination], matching: list[Destination]
) -> list[Destination]:
    if key.is_promise:
        return sorted(
            {one.name: one for one in (*stays, *matching)}.values(), key=lambda one: one.name
        )
    return stays or [max(matching, key=lambda destination: _score(key, destination))]


def _score(key: RequestKey, destination: Destination) -> bytes:
    """Rank a Destination for a request (rendezvous hashing: the highest score wins)."""
    spelled = f"{key.namespace}/{key.promise}/{key.name}\0{destination.name}"
    return hashlib.sha256(spelled.encode()).digest()


def _placement(key: RequestKey, group: Group, destination: Destination, store: str) -> Placement:
    root, owned = root_of(destination), folder_of(destination, key)
    folder = destination.path
    if root is not None:
        folder = nested_group(root, Owner(*key), group.pipeline, group.directory)
    if group.files is None:
        return Placement(group, destination.name, folder, owned, (), store)
    files = group.files
    if destination.layout is Layout.AGGREGATED:
        files = _pieces(group, destination)
    contents = {flat_file(folder, path): files[path] for path in sorted(files)}
    return Placement(
        group,
        destination.name,
        folder,
        owned,
        files=tuple(contents),
        store=store,
        contents=contents,
        digests={path: digest_bytes(content) for path, content in contents.items()},
    )


def _pieces(group: Group, destination: Destination) -> dict[str, bytes]:
    """Return a group's files as they can stand in one file with those of others."""
    found = {path: as_piece(content) for path, content in (group.files or {}).items()}
    for path, content in found.items():
        if why := why_no_piece(content):
            message = f"{group.source}: {path} cannot go into {destination.filename}: {why}."
            raise OutputRefusedError(Reason.NOT_AN_OBJECT, message)
    return found


def root_of(destination: Destination) -> str | None:
    """Return the folder of a Destination in which each request has one of its own.

    It is None where there are none, and lies in its one file in the layout ``aggregatedYAML``.
    """
    match destination.layout:
        case Layout.NESTED:
            return destination.path
        case Layout.AGGREGATED:
            return aggregated_folder(destination.path, destination.filename)
        case Layout.NONE:
            return None


def file_of(destination: Destination) -> str | None:
    """Return the one file of a Destination in the layout ``aggregatedYAML``, None in others."""
    if destination.layout is not Layout.AGGREGATED:
        return None
    return flat_file(destination.path, destination.filename)


def folder_of(destination: Destination, key: RequestKey) -> str | None:
    """Return the folder that is all a request's in a Destination, None where it has none."""
    root = root_of(destination)
    return None if root is None else nested_folder(root, Owner(*key))


def _spell(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(selector.items())) or "any"


def _unscheduled(selector: Mapping[str, str], world: World) -> UnscheduledError:
    known = "; ".join(
        f"{one.name} has {_spell(one.labels)}" for _, one in sorted(world.destinations.items())
    )
    message = (
        f"no Destination matches {_spell(selector)} ({known or 'there is none'}); label one, or "
        "change the selectors."
    )
    return UnscheduledError(Reason.NO_MATCHING_DESTINATION, message)


def require_any(selector: Mapping[str, str], world: World) -> None:
    """Raise UnscheduledError when no Destination could take the Promise's default group."""
    if not candidates(selector, world.destinations.values()):
        raise _unscheduled(selector, world)
