"""Routes: which requests of a Destination's Gateways a request may have, and whom it must ask.

Here belong what claims on routes are read from, how they compare, and the book that decides them;
all of it values and pure functions. What a route must wait for is named here, but whether that
exists is the ladder's to know; who claims objects is told in ``claim``.
"""

from troth.engine.routes.book import RouteBook
from troth.engine.routes.parts import GATEWAY_GROUP
from troth.engine.routes.read import read_traits
from troth.engine.routes.rivals import rivals
from troth.engine.routes.traits import Traits, needs

__all__ = ["GATEWAY_GROUP", "RouteBook", "Traits", "needs", "read_traits", "rivals"]
