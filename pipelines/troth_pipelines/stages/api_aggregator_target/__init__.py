"""The stage of the Promise ``api-aggregator-target``: a team's routes on a shared gateway.

Here belong the model of the request, and the HTTPRoutes and ReferenceGrants that fulfil it. All
is rendered from the request alone. Whether a route is free, allowed and has its gateway is not
decided here: that takes a look at other requests, which a stage does not have.
"""

from collections.abc import Sequence

from troth.sdk import Context, Output, OutputFile, Request, Stage
from troth_pipelines.gateway.hostnames import hostname_problem
from troth_pipelines.stages.api_aggregator_target._backends import grants
from troth_pipelines.stages.api_aggregator_target._http_routes import http_routes
from troth_pipelines.stages.api_aggregator_target._identity import Identity
from troth_pipelines.stages.api_aggregator_target._matches import refuse_repeated
from troth_pipelines.stages.api_aggregator_target._model import ApiAggregatorTargetSpec
from troth_pipelines.stages.api_aggregator_target._problems import invalid
from troth_pipelines.stages.api_aggregator_target._rules import rules_of

__all__ = ["STAGE", "ApiAggregatorTargetSpec", "configure"]


def configure(request: Request[ApiAggregatorTargetSpec], _context: Context) -> Output:
    """Render a team's routes.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse.
    """
    spec = request.spec
    identity = Identity(request.name, request.namespace, spec.aggregator_ref)
    hostnames = _hostnames(spec)
    rules = rules_of(spec.routes, identity.namespace)
    routes = http_routes(identity, hostnames, rules)
    files: dict[str, OutputFile] = {route.file: [route.manifest] for route in routes}
    if allowed := grants(identity, spec.routes):
        files["reference-grants.yaml"] = allowed
    return Output(
        files=files,
        status={
            "routes": [route.name for route in routes],
            "parent": identity.parent.summary(),
            "hostnames": list(hostnames),
        },
    )


def _hostnames(spec: ApiAggregatorTargetSpec) -> Sequence[str]:
    hostnames = spec.hostnames or ()
    refuse_repeated(hostnames, ("spec", "hostnames"))
    for index, name in enumerate(hostnames):
        if problem := hostname_problem(name):
            raise invalid(("spec", "hostnames", index), f"{problem}.")
    return hostnames


STAGE = Stage(model=ApiAggregatorTargetSpec, configure=configure)
