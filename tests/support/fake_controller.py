"""A sealed-secrets controller for tests: a real HTTP server that opens and seals, or misbehaves.

Its answers are those of the real one (tests/e2e holds both against each other): the newest
certificate, and SealedSecrets sealed anew, without a kind and without the template's metadata.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from support.certificates import ServerCertificate
from support.git_http import Answer, Fault, GitHost, Request, serve_git
from support.sealing import NOW, CannotOpenError, certificate_pem, private_key, unseal

from troth.api import Fields, Json, JsonObject
from troth.sdk.sealing import Certificate, InProcessSealer, Scope, Target

__all__ = ["FakeController", "serve_controller"]

Change = Callable[[dict[str, Json]], Json]


@dataclass
class FakeController:
    """What the controller has and does; what is changed here counts from the next request.

    Attributes:
        keys: names of its keys (`private_key`), the newest last.
        prefix: what stands before its own paths, as behind an API server.
        token: what it wants to be shown, None for nothing.
        fault: misbehaves in the place of an answer to a question for sealing anew.
        change: makes another answer of the one that it would give.
        asked: the objects that it was to seal anew.
    """

    keys: list[str] = field(default_factory=lambda: ["ours"])
    prefix: str = ""
    token: str | None = None
    fault: Callable[[str], Fault | None] = lambda _: None
    change: Change = lambda answer: answer
    asked: list[str] = field(default_factory=list[str])

    def answer(self, request: Request) -> Fault:
        """Answer a request, as a fault hook."""
        if (
            self.token is not None
            and request.headers.get("Authorization") != f"Bearer {self.token}"
        ):
            return Fault(answer=Answer(401))
        if request.path == f"{self.prefix}/v1/cert.pem" and request.method == "GET":
            return Fault(answer=Answer(200, {}, certificate_pem(private_key(self.keys[-1]))))
        if request.path != f"{self.prefix}/v1/rotate" or request.method != "POST":
            return Fault(answer=Answer(404))
        manifest = cast("JsonObject", json.loads(request.body))
        self.asked.append(Fields(manifest).section("metadata").text("name"))
        found = self.fault(self.asked[-1])
        if found is not None:
            return found
        try:
            answer = self._sealed_anew(manifest)
        except CannotOpenError:
            return Fault(answer=Answer(500))
        return Fault(answer=Answer(200, {}, json.dumps(self.change(answer)).encode()))

    def _sealed_anew(self, manifest: JsonObject) -> dict[str, Json]:
        fields = Fields(manifest)
        metadata, spec = fields.section("metadata"), fields.section("spec")
        scope = Scope.of(metadata.string_map("annotations"))
        target = Target(metadata.text("namespace"), metadata.text("name"), scope)
        pem = certificate_pem(private_key(self.keys[-1]))
        sealer = InProcessSealer(Certificate.parse(pem, "its own", NOW))
        values: dict[str, Json] = {
            key: sealer.seal(self._opened(text, target.label), target)
            for key, text in spec.string_map("encryptedData").items()
        }
        template = {k: v for k, v in spec.mapping("template").items() if k != "metadata"}
        return {
            "metadata": {**metadata.raw, "creationTimestamp": None},
            "spec": {"encryptedData": values, "template": {"metadata": {}, **template}},
        }

    def _opened(self, ciphertext: str, label: str) -> bytes:
        for name in self.keys:
            try:
                return unseal(ciphertext, label, private_key(name))
            except CannotOpenError:
                continue
        raise CannotOpenError


@contextmanager
def serve_controller(
    folder: Path, controller: FakeController, tls: ServerCertificate | None = None
) -> Iterator[GitHost]:
    """Serve a controller on loopback until the end of the block; its address is ``url("")``."""
    with serve_git(folder, tls=tls, fault=controller.answer) as host:
        yield host
