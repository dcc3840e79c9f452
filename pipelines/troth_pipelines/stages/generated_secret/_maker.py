"""Who makes the secrets of this Promise: the stage itself, out of the run's random bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from troth.sdk import Context, Request
from troth_pipelines.credentials import Generation, Made
from troth_pipelines.stages.generated_secret._model import GeneratedSecretSpec
from troth_pipelines.stages.generated_secret._values import make_values

__all__ = ["GeneratedMaker"]


@dataclass(frozen=True, slots=True)
class GeneratedMaker:
    """Makes the values of one request's Secret; see `troth_pipelines.credentials.Maker`."""

    request: Request[GeneratedSecretSpec]
    context: Context
    lifetime: timedelta | None

    def title(self, number: int) -> str:
        """Return how a generation is called."""
        return f"the {self.request.spec.type} {self.request.spec.secret_name}, generation {number}"

    def make(self, number: int) -> Made:
        """Make a generation."""
        label = f"{self.request.namespace}/{self.context.promise}/{self.request.name}/{number}"
        values = make_values(self.request.spec, self.context.seed, label)
        now = self.context.now
        public = values.get("ssh-publickey")
        return Made(
            values=values,
            details={"publicKey": public.decode().strip()} if public is not None else {},
            issued=now,
            expires=now + self.lifetime if self.lifetime is not None else None,
        )

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        """Do nothing: nobody but the Secret knew it."""
