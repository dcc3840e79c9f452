"""Sealing: for whom the secrets of a Promise's requests are sealed, and that they go nowhere else.

Which Destination has to be known before anything is rendered, so it follows from the Promise: the
one it names, else the only one that its selectors match and that has a certificate.
"""

from collections.abc import Mapping, Sequence

from troth.api import Destination, Promise, Reader, is_object, load_documents
from troth.api.labels import SEALED_FOR
from troth.engine.place import candidates
from troth.engine.values import World
from troth.errors import OutputRefusedError, Reason
from troth.sdk import UNKNOWN

__all__ = ["refuse_misdirected", "same_cluster", "sealing_digest", "seals_for"]


def seals_for(world: World, promise: Promise) -> Destination | None:
    """Return the Destination that a Promise's secrets are sealed for, None where it is not clear.

    Several with one certificate are one cluster, of which the first counts.
    """
    destinations = world.destinations
    if promise.seals_for is not None:
        return destinations.get(promise.seals_for)
    matching = candidates(promise.selectors, destinations.values())
    able = [one for one in matching if one.certificate is not None]
    same = len({(one.certificate, one.sealing_epoch) for one in able}) == 1
    return able[0] if same else None


def same_cluster(world: World, destination: Destination) -> tuple[str, ...]:
    """Return the names of the Destinations that share a certificate and the life of its keys."""
    cluster = (destination.certificate, destination.sealing_epoch)
    return tuple(
        name
        for name, one in sorted(world.destinations.items())
        if (one.certificate, one.sealing_epoch) == cluster
    )


def sealing_digest(world: World, promise: Promise) -> Sequence[str]:
    """Return what of its sealing an output depends on, nothing where it is not clear.

    Not the certificate: a renewed one makes nothing sealed before it any worse.
    """
    found = seals_for(world, promise)
    if found is None:
        return ()
    others = [name for name in same_cluster(world, found) if name != found.name]
    return (found.name, found.sealing_epoch, *(others if found.certificate is not None else ()))


def refuse_misdirected(files: Mapping[str, bytes], destination: Destination, world: World) -> None:
    """Refuse what was sealed for one Destination and goes to another, which cannot open it.

    Args:
        files: path → content of what is to stand there, each readable.
        destination: where.
        world: the other Destinations; those with the same certificate are the same cluster.

    Raises:
        OutputRefusedError: names the object and both Destinations.
    """
    if destination.reader is Reader.FILES:
        return  # nobody there opens anything
    marked = (text.decode() for text in files.values() if SEALED_FOR.encode() in text)
    for manifest in (one.data for text in marked for one in load_documents(text, "")):
        metadata = manifest.get("metadata")
        annotations = metadata.get("annotations") if is_object(metadata) else None
        meant = annotations.get(SEALED_FOR) if is_object(annotations) else None
        if not isinstance(meant, str) or meant in {destination.name, str(UNKNOWN)}:
            continue
        other = world.destinations.get(meant)
        if other is not None and other.certificate == destination.certificate is not None:
            continue
        name = metadata.get("name") if is_object(metadata) else ""
        message = (
            f"{manifest.get('kind')} {name} is sealed for Destination {meant} and would go to "
            f"{destination.name}, which cannot open it; let the Promise name the Destination it "
            "seals for (annotation troth.dev/seals-for), or mend its selectors."
        )
        raise OutputRefusedError(Reason.SEALED_FOR_ANOTHER, message)
