"""The pipe between our processes: one JSON object a line, never pickle.

A worker has run foreign code, so what it sends is read as data, up to a size and a deadline.
"""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import cast

__all__ = ["Channel"]

# Bytes of one message: the environment of a stage at the most, which the kernel limits far below.
_MESSAGE_LIMIT = 16 << 20
_CHUNK = 1 << 16


class Channel:
    """One end of a Unix stream socket; used by one thread at a time.

    Args:
        end: the socket, which the channel closes when it is closed.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()

    def send(
        self,
        message: Mapping[str, object],
        descriptors: Sequence[int] = (),
        seconds: float | None = None,
    ) -> None:
        """Send a message, with copies of open file descriptors.

        Raises:
            OSError: nobody is there to read it (also TimeoutError).
        """
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._end.settimeout(seconds)
        if descriptors:
            sent = socket.send_fds(self._end, [data], list(descriptors))
            data = data[sent:]
        self._end.sendall(data)

    def receive(self, seconds: float | None = None) -> Mapping[str, object] | None:
        """Wait for a message; None when the other side is gone, or sends what is no message.

        Raises:
            TimeoutError: none came in time.
        """
        message, _ = self.receive_with_descriptors(0, seconds)
        return message

    def receive_with_descriptors(
        self, count: int, seconds: float | None = None
    ) -> tuple[Mapping[str, object] | None, list[int]]:
        """Do as `receive` does, and take up to `count` file descriptors that came along."""
        deadline = None if seconds is None else time.monotonic() + seconds
        descriptors: list[int] = []
        while b"\n" not in self._buffer:
            chunk, found = self._read(count, deadline)
            descriptors += found
            if not chunk or len(self._buffer) > _MESSAGE_LIMIT:
                return None, descriptors
            self._buffer += chunk
        line, _, rest = self._buffer.partition(b"\n")
        self._buffer = rest
        return _decode(line), descriptors

    def _read(self, count: int, deadline: float | None) -> tuple[bytes, list[int]]:
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise TimeoutError
        self._end.settimeout(remaining)
        try:
            if not count:
                return self._end.recv(_CHUNK), []
            chunk, found, _, _ = socket.recv_fds(self._end, _CHUNK, count)
        except ConnectionError:  # the other side died with our message unread: gone is gone
            return b"", []
        return chunk, list(found)

    def close(self) -> None:
        """Close this end; the other side then reads that we are gone."""
        self._end.close()


def _decode(line: bytes | bytearray) -> Mapping[str, object] | None:
    try:
        message = cast("object", json.loads(line))
    except ValueError:
        return None
    return cast("dict[str, object]", message) if isinstance(message, dict) else None
