"""What a NATS user may use: amounts, addresses, hours and ways to connect.

Source: nats-io/jwt, v2/types.go and v2/account_claims.go.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_interface

from troth.api import JsonObject, field_path
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["UNLIMITED", "ConnectionType", "Hours", "Limits"]

UNLIMITED = -1
"""Has to be written out: to a server, a limit that is absent is 0, and nothing is allowed."""

_TIME = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_QUOTE_LIMIT = 60  # characters of a wrong value that a message quotes


class ConnectionType(StrEnum):
    """A way to connect to a server."""

    STANDARD = "STANDARD"
    WEBSOCKET = "WEBSOCKET"
    LEAFNODE = "LEAFNODE"
    LEAFNODE_WS = "LEAFNODE_WS"
    MQTT = "MQTT"
    MQTT_WS = "MQTT_WS"
    IN_PROCESS = "IN_PROCESS"


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day, ``08:00:00`` to ``18:00:00``."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, from where, when and how.

    Attributes:
        subscriptions: how many at a time.
        data: bytes in all.
        payload: bytes of one message.
        sources: ranges of addresses to connect from; from everywhere when there is none.
        hours: when to be connected; always when there is none.
        time_zone: of the hours, by its IANA name; the server's own when empty.
        connection_types: ways to connect; all of them when there is none.
    """

    subscriptions: int = UNLIMITED
    data: int = UNLIMITED
    payload: int = UNLIMITED
    sources: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    time_zone: str = ""
    connection_types: tuple[ConnectionType, ...] = ()

    def check(self, at: tuple[str | int, ...]) -> None:
        """Check ranges and hours, which stand below this field under their names here.

        Raises:
            InvalidInputError: a range of addresses or a time is wrong.
        """
        for index, source in enumerate(self.sources):
            if not _is_range(source):
                quoted = repr(shorten(source, _QUOTE_LIMIT))
                message = f"{quoted} is no range of addresses such as 10.0.0.0/8."
                raise _wrong((*at, "sources", index), message)
        for index, hours in enumerate(self.hours):
            for time in (hours.start, hours.end):
                if not _TIME.fullmatch(time):
                    message = f"{shorten(time, _QUOTE_LIMIT)!r} is no time such as 08:00:00."
                    raise _wrong((*at, "hours", index), message)

    def claims(self) -> JsonObject:
        """Return what claims have before the field of bearer tokens, in the library's order."""
        addresses: JsonObject = {"src": list(self.sources)} if self.sources else {}
        hours: JsonObject = (
            {"times": [{"start": one.start, "end": one.end} for one in self.hours]}
            if self.hours
            else {}
        )
        zone: JsonObject = {"times_location": self.time_zone} if self.time_zone else {}
        amounts = {"subs": self.subscriptions, "data": self.data, "payload": self.payload}
        ways: JsonObject = (
            {"allowed_connection_types": [str(one) for one in self.connection_types]}
            if self.connection_types
            else {}
        )
        return {**addresses, **hours, **zone, **amounts, **ways}


def _is_range(source: str) -> bool:
    """Tell whether Go's ``net.ParseCIDR`` takes it; a range has a length of prefix."""
    try:
        ip_interface(source)
    except ValueError:
        return False
    _, _, length = source.partition("/")
    return length.isdecimal() and "%" not in source


def _wrong(at: tuple[str | int, ...], message: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_OBJECT, f"{field_path(at)}: {message}", at)
