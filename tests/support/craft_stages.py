"""Stages of bundles, good and bad; support/workshop.py installs them as ``craft``."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError, Reason
from troth.sdk import Context, Control, Output, Request, Selector, Stage


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=20)
    number: int = Field(default=0, ge=0, le=9)


class OpenSpec(BaseModel):
    model_config = ConfigDict(extra="allow")


Configure = Callable[[Request[Spec], Context], Output]


def stage(configure: Configure) -> Stage[Spec]:
    return Stage(Spec, configure)


def config_map(request: Request[Spec], text: str, **metadata: Json) -> JsonObject:
    names: Mapping[str, Json] = {"name": request.name, "namespace": request.namespace}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**names, **metadata},
        "data": {"text": text},
    }


def writes(*manifests: JsonObject, status: Mapping[str, Json] | None = None) -> Output:
    return Output(files={"objects.yaml": manifests}, status=status or {})


def _plain(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, request.spec.text), status={"text": request.spec.text})


def _cannot(request: Request[Spec], _: Context) -> Output:
    raise LookupError(f"no way to undo {request.name}")


plain = stage(_plain)
irrevocable = Stage(Spec, _plain, _cannot)
anything = Stage(OpenSpec, lambda *_: Output(files={}))


def _install(text: Callable[[Context], str]) -> Stage[OpenSpec]:
    """A stage of a promise workflow: an operator's settings, in a namespace of its own."""

    def configure(request: Request[OpenSpec], context: Context) -> Output:
        names: Mapping[str, Json] = {"name": request.name, "namespace": "operators"}
        manifest: JsonObject = {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": names,
            "data": {"text": text(context)},
        }  # fmt: skip
        return writes(manifest, status={"message": "installed"})

    return Stage(OpenSpec, configure)


installs = Stage(OpenSpec, _install(lambda context: context.action).configure)
installs_late = Stage(OpenSpec, _install(lambda context: context.now.isoformat()).configure)


@stage
def quiet(_: Request[Spec], __: Context) -> Output:
    return Output(status={"message": "nothing to write"})


@stage
def shuffled(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, ",".join({f"value-{n}" for n in range(20)})))


@stage
def zoned(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, time.tzname[0]))


@stage
def folder(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, Path.cwd().name))


@stage
def scratches(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, tempfile.gettempdir()))


@stage
def clock(request: Request[Spec], context: Context) -> Output:
    return writes(config_map(request, context.now.isoformat()))


@stage
def remembers(request: Request[Spec], context: Context) -> Output:
    token = str(request.status.get("token") or context.seed.hex())
    return writes(config_map(request, token), status={"token": token})


@stage
def remembers_once(request: Request[Spec], context: Context) -> Output:
    """Write the status in the first run alone: what is there stays."""
    known = request.status.get("token")
    status = {} if known else {"token": context.seed.hex()}
    return writes(config_map(request, str(known or context.seed.hex())), status=status)


@stage
def forgets(request: Request[Spec], context: Context) -> Output:
    return writes(config_map(request, ""), status={"at": context.now.isoformat()})


@stage
def counts(request: Request[Spec], _: Context) -> Output:
    count = int(str(request.status.get("count", 0))) + 1
    return writes(config_map(request, str(min(count, 2))), status={"count": min(count, 2)})


@stage
def suspends(request: Request[Spec], _: Context) -> Output:
    return Output(
        files={"objects.yaml": [config_map(request, "")]},
        control=Control(suspend=True, message="waits for a person"),
    )


@stage
def selects(request: Request[Spec], _: Context) -> Output:
    selectors: Sequence[Selector] = [Selector({"zone": "one"})]
    return Output(files={"objects.yaml": [config_map(request, "")]}, selectors=selectors)


@stage
def fails(request: Request[Spec], _: Context) -> Output:
    raise LookupError(f"nothing for {request.name}")


@stage
def fails_above_five(request: Request[Spec], _: Context) -> Output:
    if request.spec.number > 5:
        raise LookupError("too much")
    return writes(config_map(request, ""))


@stage
def refuses_above_five(request: Request[Spec], _: Context) -> Output:
    if request.spec.number > 5:
        raise InvalidInputError(Reason.INVALID_OBJECT, "spec.number: 5 at most on weekdays.")
    return writes(config_map(request, ""))


@stage
def refuses(_: Request[Spec], __: Context) -> Output:
    raise InvalidInputError(Reason.INVALID_OBJECT, "spec: never.")


@stage
def hangs(_: Request[Spec], __: Context) -> Output:
    threading.Event().wait()
    return Output()


@stage
def outside(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, "", namespace="elsewhere"))


@stage
def secret(request: Request[Spec], _: Context) -> Output:
    return writes({**config_map(request, "hunter2"), "kind": "Secret"})


@stage
def misnamed(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, "", name="Not_A_Name"))


@stage
def twins(request: Request[Spec], _: Context) -> Output:
    return writes(config_map(request, "", name="the-one"))


@stage
def collides(request: Request[Spec], _: Context) -> Output:
    files = {"status.yaml": [config_map(request, "")]}
    return Output(files=files, status={"text": "a"})


@stage
def widget(request: Request[Spec], _: Context) -> Output:
    """Write a Widget whose spec is the request's text, read as ``key=value``, twice in a list."""
    key, _equals, value = request.spec.text.partition("=")
    manifest: JsonObject = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": request.name, "namespace": request.namespace},
        "spec": {
            key: int(value) if value.isdigit() else value.split(",") if "," in value else value
        },
    }
    return writes(manifest, config_map(request, ""))


@stage
def renews(request: Request[Spec], context: Context) -> Output:
    """Make another token every hour, and ask to be run for it."""
    token, until = request.status.get("token"), str(request.status.get("until", ""))
    if not until or datetime.fromisoformat(until) <= context.now:
        token, until = context.seed.hex(), (context.now + timedelta(hours=1)).isoformat()
    control = Control(reconcile_after=datetime.fromisoformat(until) - context.now)
    made = writes(config_map(request, str(token)), status={"token": str(token), "until": until})
    return replace(made, control=control)


@stage
def seed_of_hashes(request: Request[Spec], _: Context) -> Output:
    """Tell what only the conditions of a runner say."""
    seen = f"{hash('a')} {time.tzname[0]} {os.environ['TZ']}"
    return writes(config_map(request, seen))
