"""Which requests of an inspection are looked at together: those whose variables are the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Json, Secrets
from troth.errors import OutputRefusedError, Reason, TrothError
from troth.runners.protocol import Inspected, InspectionJob, StageJob
from troth.runners.warm._images import Step
from troth.runners.warm._leaks import find_leaks
from troth.runners.warm._variables import Variables, variables_of
from troth.sdk.inspecting import INSPECTION_FILE, REQUESTS_FILE

__all__ = ["Look", "looks", "refuse_leaks"]


@dataclass(frozen=True, slots=True)
class Look:
    """One run: what its stage is given, and of which namespaces the requests are."""

    namespaces: tuple[str, ...]
    variables: Variables = field(repr=False)

    def laid(self, job: InspectionJob) -> Mapping[str, bytes]:
        """Return the files of its input by name."""
        requests: list[Json] = [one for name in self.namespaces for one in job.requests[name]]
        return {
            REQUESTS_FILE: json.dumps({"requests": requests}).encode(),
            "troth.json": json.dumps(job.context).encode(),
        }


def looks(
    step: Step, job: InspectionJob, base: Mapping[str, str], secrets: Secrets | None
) -> tuple[list[Look], list[Inspected]]:
    """Return the runs of one container, and what cannot be run at all.

    Secrets lie in the namespaces of requests, mostly the same ones in each. Who is given the same
    is looked at together, so that a provider is asked once.

    Args:
        step: the container.
        job: the requests.
        base: variables that every container has.
        secrets: where Secrets and ConfigMaps are, None when nobody said.
    """
    together: dict[tuple[tuple[str, str], ...], tuple[list[str], Variables]] = {}
    failed: list[Inspected] = []
    for namespace in sorted(job.requests):
        alone = StageJob(
            promise=job.promise,
            pipeline=job.pipeline,
            environ=job.environ,
            object={},
            context=job.context,
            namespace=namespace,
            rehearsed=True,
        )
        try:
            variables = variables_of(step, alone, base, secrets)
        except TrothError as error:
            failed.append(Inspected((namespace,), error=error))
            continue
        given = tuple(sorted(variables.environ.items()))
        together.setdefault(given, ([], variables))[0].append(namespace)
    return [Look(tuple(names), variables) for names, variables in together.values()], failed


def refuse_leaks(said: bytes, secrets: Mapping[str, str]) -> None:
    """Refuse what gives a secret away that the stage was given.

    Raises:
        OutputRefusedError: names the variable.
    """
    for file, variable in find_leaks({INSPECTION_FILE: said}, secrets):
        message = (
            f"{file} holds the value of the variable {variable}, which comes from a Secret; "
            "nothing of it is used. The stage has to be mended."
        )
        raise OutputRefusedError(Reason.PLAIN_SECRET, message)
