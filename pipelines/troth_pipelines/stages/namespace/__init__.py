"""The stage of the Promise ``namespace``: a team's namespace with quota, access and isolation.

Here belong the model of the request and the manifests that fulfil it, a module a concern. Reading
and writing files does not: ``troth.sdk.run_stage`` calls `STAGE` through its entry point.
"""

from troth.sdk import Context, Output, Request, Stage
from troth_pipelines.stages.namespace._access import access_manifests
from troth_pipelines.stages.namespace._identity import (
    Home,
    namespace_manifest,
    refuse_move,
)
from troth_pipelines.stages.namespace._model import TeamNamespaceSpec
from troth_pipelines.stages.namespace._network import network_manifests
from troth_pipelines.stages.namespace._quota import budget_of, quota_manifests

__all__ = ["STAGE", "TeamNamespaceSpec", "configure"]


def configure(request: Request[TeamNamespaceSpec], _context: Context) -> Output:
    """Render a team's namespace.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse.
    """
    spec = request.spec
    home = Home.of(spec)
    refuse_move(home, request.status)
    budget = budget_of(spec)
    return Output(
        files={
            "namespace.yaml": [namespace_manifest(home, spec.pod_security)],
            "quota.yaml": quota_manifests(home, budget),
            "access.yaml": access_manifests(home, spec),
            "network.yaml": network_manifests(home, spec.network),
        },
        status={"namespace": home.namespace, "quota": budget.summary()},
    )


STAGE = Stage(model=TeamNamespaceSpec, configure=configure)
