"""The CustomResourceDefinitions: of the platform's own kinds, and of what Promises offer.

Here belong builders of plain data. Nothing here speaks to a cluster, and no CRD is judged here:
what rules of CEL cannot say is the admission webhook's. Field names and types are those of
Kratix's CRDs of ``platform.kratix.io/v1alpha1``, so that what was written for it is accepted.
"""

from troth.api.crds._definition import Definition
from troth.api.crds.destination import DESTINATION
from troth.api.crds.health_record import HEALTH_RECORD
from troth.api.crds.installed import installed_crd
from troth.api.crds.promise import PROMISE
from troth.api.crds.releases import PROMISE_RELEASE, PROMISE_REVISION, RESOURCE_BINDING
from troth.api.crds.state_stores import BUCKET_STATE_STORE, GIT_STATE_STORE
from troth.api.json_values import JsonObject

__all__ = ["installed_crd", "platform_crds"]

_DEFINITIONS: tuple[Definition, ...] = (
    BUCKET_STATE_STORE,
    DESTINATION,
    GIT_STATE_STORE,
    HEALTH_RECORD,
    PROMISE,
    PROMISE_RELEASE,
    PROMISE_REVISION,
    RESOURCE_BINDING,
)


def platform_crds() -> dict[str, JsonObject]:
    """Return the CRDs of ``platform.kratix.io`` by the plural name of their kind, in its order."""
    return {one.plural: one.crd() for one in _DEFINITIONS}
