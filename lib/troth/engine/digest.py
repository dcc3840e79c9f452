"""Digests of what goes into a rendering and of what came out."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from troth.api import Json, JsonObject, Promise, WorkflowType, canonical
from troth.engine.values import Spot
from troth.runners import Runner

__all__ = ["InputDigests", "output_digest"]


class InputDigests:
    """Digests of inputs; what belongs to a Promise is worked out once.

    Args:
        runner: tells what code would run.
        sealing: tells what of its sealing a Promise's output depends on.
    """

    def __init__(
        self, runner: Runner, sealing: Callable[[Promise], Sequence[str]] = lambda _: ()
    ) -> None:
        self._runner = runner
        self._sealing = sealing
        self._code: dict[tuple[str, WorkflowType], bytes] = {}

    def digest(
        self,
        promise: Promise,
        asked: JsonObject,
        status: Mapping[str, Json],
        workflow: WorkflowType = WorkflowType.RESOURCE,
    ) -> str:
        """Return the digest of all that an output depends on.

        Args:
            promise: its pipelines, the code behind them and its selectors count.
            asked: object.yaml without status.
            status: the state its last run left.
            workflow: which renders it.

        Raises:
            NotServedError: the runner does not serve one of the pipelines.
        """
        if (promise.digest, workflow) not in self._code:
            pipelines = promise.workflows.of(workflow).configure
            code = [self._runner.fingerprint(pipeline) for pipeline in pipelines]
            raw: list[Json] = [pipeline.raw for pipeline in pipelines]
            sealing: list[Json] = [*self._sealing(promise)]
            sealed = {"sealedFor": sealing} if sealing else {}
            self._code[promise.digest, workflow] = canonical(
                {
                    "pipelines": raw,
                    "code": code,
                    "selectors": promise.selectors,
                    "plainSecrets": promise.allows_plain_secrets,
                    **sealed,
                }
            )
        spelled = hashlib.sha256(self._code[promise.digest, workflow])
        spelled.update(canonical({"object": asked, "status": status}))
        return spelled.hexdigest()


def output_digest(digests: Mapping[Spot, str], home: str) -> str:
    """Return the digest of a set of files.

    Args:
        digests: place → digest of the content.
        home: the store that is not named, so that a request whose files are all at home has the
            same digest however many stores a run has.
    """
    lines = sorted(
        f"{path if store == home else f'{store}:{path}'}\0{digest}\n"
        for (store, path), digest in digests.items()
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()
