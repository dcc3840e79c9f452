"""Digests of what goes into a rendering and of what came out."""

import hashlib
from collections.abc import Mapping

from troth.api import Json, JsonObject, Promise, canonical
from troth.runners import Runner

__all__ = ["InputDigests", "output_digest"]


class InputDigests:
    """Digests of inputs; what belongs to a Promise is worked out once.

    Args:
        runner: tells what code would run.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._code: dict[str, bytes] = {}

    def digest(self, promise: Promise, asked: JsonObject, status: Mapping[str, Json]) -> str:
        """Return the digest of all that a request's output depends on.

        Args:
            promise: its pipelines, the code behind them and its selectors count.
            asked: object.yaml without status.
            status: the state its last run left.

        Raises:
            NotServedError: the runner does not serve one of the pipelines.
        """
        if promise.digest not in self._code:
            pipelines = promise.workflows.resource_configure
            code = [self._runner.fingerprint(pipeline) for pipeline in pipelines]
            raw: list[Json] = [pipeline.raw for pipeline in pipelines]
            self._code[promise.digest] = canonical(
                {
                    "pipelines": raw,
                    "code": code,
                    "selectors": promise.selectors,
                    "plainSecrets": promise.allows_plain_secrets,
                }
            )
        spelled = hashlib.sha256(self._code[promise.digest])
        spelled.update(canonical({"object": asked, "status": status}))
        return spelled.hexdigest()


def output_digest(digests: Mapping[str, str]) -> str:
    """Return the digest of a set of files, given as path in the store → digest of its content."""
    spelled = hashlib.sha256()
    for path in sorted(digests):
        spelled.update(f"{path}\0{digests[path]}\n".encode())
    return spelled.hexdigest()
