"""What kopf remembers of an object: in its status, and no more than it has to.

The digest of what it has seen, not the object itself: that would double every object, and an
annotation would be in people's way.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, cast

import kopf

from troth.api import JsonObject, is_object

__all__ = ["FIELD", "PROGRESS", "TOUCH", "SeenStorage"]

FIELD = "seen"
"""Where in ``status.troth`` the digest stands."""

PROGRESS = "status.troth.progress"
"""Where kopf notes what it has begun, such as a removal that is tried again."""

TOUCH = "status.troth.touched"
"""Where kopf writes a time for the API server to tell it of an object again. Other fields of the
status are dropped, and then it would wait for ever."""

# What an object is compared with when it is not the one that was seen: any difference will do.
_ANOTHER: dict[str, Any] = {"spec": None}


class SeenStorage(kopf.DiffBaseStorage):
    """Keeps in ``status.troth.seen`` which object was served last."""

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None
    ) -> kopf.BodyEssence:
        """Return what of an object counts; its status does not, whoever writes there."""
        essence = dict(super().build(body=body, extra_fields=extra_fields))
        essence.pop("status", None)
        return cast("kopf.BodyEssence", essence)

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return what was seen last, None for an object that was not seen yet."""
        seen = _seen(body)
        if seen is None:
            return None
        essence = self.build(body=body)
        return essence if digest(essence) == seen else cast("kopf.BodyEssence", _ANOTHER)

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Note that an object was served."""
        found = digest(essence)
        if _seen(body) != found:
            patch.setdefault("status", {}).setdefault("troth", {})[FIELD] = found


def digest(essence: kopf.BodyEssence) -> str:
    """Return the digest of what counts of an object, 16 hex digits."""
    spelled = json.dumps(essence, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()[:16]


def _seen(body: kopf.Body) -> str | None:
    troth: JsonObject | None = body.get("status", {}).get("troth")
    seen = troth.get(FIELD) if is_object(troth) else None
    return seen if isinstance(seen, str) else None
