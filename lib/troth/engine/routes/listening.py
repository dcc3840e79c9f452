"""Listening: who provides which Gateways and ListenerSets, and who listens where."""

from collections.abc import Iterable
from typing import NamedTuple

from troth.api import RequestKey
from troth.engine.routes.parts import Listener, Parent
from troth.engine.values import ObjectId

__all__ = ["ParentIndex", "ParentView", "Socket", "sockets_of"]


class Socket(NamedTuple):
    """What only one listener of a Gateway may have, its ListenerSets included."""

    gateway: ObjectId
    port: int
    protocol: str
    hostname: str

    def __str__(self) -> str:
        """Spell it as messages do."""
        return f"{self.protocol} port {self.port}, host {self.hostname or 'any'} of {self.gateway}"


def sockets_of(parents: Iterable[Parent]) -> dict[Socket, tuple[Parent, Listener]]:
    """Return where parents listen."""
    return {
        Socket(parent.gateway, listener.port, listener.protocol, listener.hostname): (
            parent,
            listener,
        )
        for parent in parents
        for listener in parent.listeners
    }


class ParentIndex:
    """The parents of all requests.

    Where several requests provide the same one, which claims of objects forbid, the first by key
    counts.
    """

    def __init__(self) -> None:
        self._by_key: dict[RequestKey, tuple[Parent, ...]] = {}
        self._providers: dict[ObjectId, dict[RequestKey, Parent]] = {}
        self._listening: dict[Socket, set[RequestKey]] = {}

    def put(self, key: RequestKey, parents: tuple[Parent, ...]) -> set[ObjectId]:
        """Replace what a request provides; return which parents are not as they were."""
        before = self._by_key.get(key, ())
        if before == parents:
            return set()
        for parent in before:
            del self._providers[parent.identity][key]
        for socket in sockets_of(before):
            self._listening[socket].discard(key)
        for parent in parents:
            self._providers.setdefault(parent.identity, {})[key] = parent
        for socket in sockets_of(parents):
            self._listening.setdefault(socket, set()).add(key)
        self._by_key[key] = parents
        return {parent.identity for parent in set(before) ^ set(parents)}

    def find(self, identity: ObjectId, besides: RequestKey | None = None) -> Parent | None:
        """Return a parent, None when no request (but `besides`) provides it."""
        provider = self.provider(identity, besides)
        return self._providers[identity][provider] if provider is not None else None

    def provider(self, identity: ObjectId, besides: RequestKey | None = None) -> RequestKey | None:
        """Return who provides a parent."""
        keys = (key for key in self._providers.get(identity, ()) if key != besides)
        return min(keys, default=None)

    def listening(self, socket: Socket, besides: RequestKey) -> RequestKey | None:
        """Return who else listens there."""
        keys = (key for key in self._listening.get(socket, ()) if key != besides)
        return min(keys, default=None)

    def had(self, key: RequestKey) -> frozenset[Socket]:
        """Return where a request listens already."""
        return frozenset(sockets_of(self._by_key.get(key, ())))


class ParentView:
    """The parents as a request sees them that is being judged: its own as it is to have them.

    Args:
        index: the parents of all requests.
        key: who is judged; what it provided before does not count.
        parents: what it is to provide.
    """

    def __init__(self, index: ParentIndex, key: RequestKey, parents: Iterable[Parent]) -> None:
        self.key = key
        self._index = index
        self._own = {parent.identity: parent for parent in parents}

    def find(self, identity: ObjectId) -> Parent | None:
        """Return a parent, None when no request provides it."""
        return self._own.get(identity) or self._index.find(identity, besides=self.key)

    def provider(self, identity: ObjectId) -> RequestKey | None:
        """Return who provides a parent, maybe the request itself."""
        if identity in self._own:
            return self.key
        return self._index.provider(identity, besides=self.key)
