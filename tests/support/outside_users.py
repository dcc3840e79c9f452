"""Users that a stage makes outside, and looks at again: for tests of drift, in memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from support.platform import Platform, config_map

from troth.api import Fields, JsonObject, dump_documents
from troth.errors import TrothError
from troth.runners import Inspected, InspectionJob, StageJob, StageResult
from troth.sdk import Finding, Inspection

__all__ = ["Users", "platform_of"]


@dataclass
class Users:
    """A provider, the stage that makes users there, and how that stage looks at them.

    Attributes:
        there: the users that are.
        made: each that was ever made.
        told: what the stage was told of drift, run by run.
        looked: how often it looked.
        idle: whether it does nothing about what it is told.
        failing: why a user cannot be made.
        answers: what it says instead, where it is to say something wrong.
        error: why it cannot look.
        mendable, ended: what it says of a drift.
    """

    there: set[str] = field(default_factory=set[str])
    made: list[str] = field(default_factory=list[str])
    told: list[object] = field(default_factory=list[object])
    looked: int = 0
    idle: bool = False
    failing: bool = False
    answers: bytes | None = None
    error: TrothError | None = None
    mendable: bool = True
    ended: bool = False

    def configure(self, job: StageJob) -> StageResult:
        metadata = Fields(job.object).section("metadata")
        name, namespace = metadata.text("name"), metadata.text("namespace")
        state = Fields(job.object).section("status")
        self.told.append(job.context.get("drift"))
        number = state.value("number") or 0
        assert isinstance(number, int)
        status: JsonObject = dict(state.raw)
        control: dict[str, object] = {}
        if not number or ("drift" in job.context and not self.idle):
            user = f"{name}-g{number + 1}"
            if job.context["effects"] == "recall":
                control = {"effects": [f"make {user}"]}
            elif self.failing:
                control = {"effects": [f"make {user}"]}
                status = {**status, "message": "the provider does not answer."}
            else:
                self.made.append(user)
                self.there.add(user)
                status = {"number": number + 1, "user": user}
        found = {"status.yaml": dump_documents([status])} if status else {}
        if control:
            found["workflow-control.yaml"] = dump_documents([control])  # type: ignore[list-item]
        shown = str(status.get("user", "(known after apply)"))
        manifest = config_map(name, namespace, user=shown)
        return StageResult({"objects.yaml": dump_documents([manifest])}, found)

    def look(self, job: InspectionJob) -> Sequence[Inspected]:
        self.looked += 1
        namespaces = tuple(job.requests)
        if self.error is not None:
            return [Inspected(namespaces, error=self.error)]
        if self.answers is not None:
            return [Inspected(namespaces, self.answers)]
        findings = {
            self._id(one): self._finding(one) for name in namespaces for one in job.requests[name]
        }
        said = Inspection(findings, {"main": 1}).encode()
        return [Inspected(namespaces, json.dumps(said).encode())]

    def _id(self, raw: JsonObject) -> str:
        metadata = Fields(raw).section("metadata")
        return f"{metadata.text('namespace')}/{metadata.text('name')}"

    def _finding(self, raw: JsonObject) -> Finding:
        user = Fields(raw).section("status").text("user")
        if user in self.there:
            return Finding.intact()
        message = f"{user} was deleted."
        return Finding.drifted(message, ended=self.ended, mendable=self.mendable)


def platform_of(users: Users) -> Platform:
    """Return a platform with that one stage."""
    made = Platform(stages={"configure": users.configure})
    made.runner.looks["configure"] = users.look
    return made
