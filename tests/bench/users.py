"""Passes over many live NATS users, with their state in the records; mostly nothing is due.

The stages are the real ones, in warm workers, into a real Git store. In operator mode users are
minted here, and all that could be called is a listening socket that counts who connects. For
Synadia it is a fake Control Plane on loopback, which counts calls and credentials handed out; it
lists all users of an account in each answer, so fewer are taken.

What a pass is compared with is measured beside it: the same pass with every stage run, and minting
and sealing alone.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bench._fleet import NAMESPACES, Fleet, Pass
from bench._table import Row, Scale
from support.fake_synadia import serve_synadia
from support.nats_system import BORN, TestSystem, raw_key
from support.nats_users import SECRETS, operator_account, synadia_account
from support.sealing import NOW, certificate_pem, private_key
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN
from support.web import counting
from support.workspace import ROOT

from troth.api import Fields, JsonObject, load_object
from troth.sdk.sealing import Certificate, InProcessSealer, Target
from troth_pipelines.nats.minting import Generation, mint
from troth_pipelines.nats.users import Grant

__all__ = ["run"]

_CERTIFICATE = certificate_pem(private_key("bench", 4096))  # bits, as controllers make theirs
_SAMPLE = 200  # users that minting and sealing alone are measured over
_SECRETS = {
    "nats-platform/apps-key": "KEY",
    "nats-platform/operator-key": "OPERATOR_KEY",
    "nats-platform/system-creds": "SYSTEM_CREDS",
    "nats-platform/token": "TOKEN",
    "troth-sealing/key": "TROTH_SEALING_KEY",
}
_MAY: JsonObject = {
    "publish": {"allow": ["orders.>"], "deny": ["orders.secret.>"]},
    "subscribe": {"allow": ["orders.>", "_INBOX.>"]},
}
_DESTINATION: JsonObject = {
    "apiVersion": "platform.kratix.io/v1alpha1",
    "kind": "Destination",
    "metadata": {
        "name": "worker",
        "annotations": {"troth.dev/sealing-certificate": _CERTIFICATE.decode()},
    },
    "spec": {"path": "worker", "stateStoreRef": {"kind": "GitStateStore", "name": "any"}},
}


@dataclass(frozen=True)
class _Done:
    """What a pass took, what it called outside, and how many credentials it brought."""

    took: Pass
    calls: int
    issued: int

    @property
    def note(self) -> str:
        took = self.took
        return (
            f"{took.runs:,} stages, {self.issued:,} issuances, {self.calls:,} calls, {took.writes}"
        )

    @property
    def did_nothing(self) -> bool:
        took = self.took
        return not (took.runs or self.issued or self.calls or took.commits or took.pushes)


def run(scale: Scale) -> list[Row]:
    """Measure."""
    return [*_operator(scale.large), *_synadia(scale.flush)]


def _operator(count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as name, counting() as door:
        account = operator_account(
            servers=[door.url],
            signingKey="NATS_APPS_KEY",
            operatorKey="NATS_OPERATOR_KEY",
            systemCreds="NATS_SYSTEM_CREDS",
        )
        fleet = _fleet(Path(name), account, count)
        rows, first = _passes("operator", fleet, lambda: door.count)
    alone = _mint_and_seal() * count
    name = "operator: first sync against minting and sealing"
    return [*rows, Row(name, first.took.seconds / alone, "x", f"alone {alone:.1f} s, one core")]


def _synadia(count: int) -> list[Row]:
    plane = Plane(TestSystem().operator)
    with tempfile.TemporaryDirectory() as name, serve_synadia(plane, TOKEN) as fake:
        plane.add_account("A1")
        account = synadia_account(fake, token="SYNADIA_TOKEN")  # noqa: S106  (a name)
        fleet = _fleet(Path(name), account, count)
        rows, first = _passes("synadia", fleet, lambda: len(fake.paths))
        if not count == len(plane.issuances) == len(plane.users) == first.issued:
            message = f"{count} users were issued {len(plane.issuances)} times"
            raise AssertionError(message)
    return rows


def _passes(mode: str, fleet: Fleet, calls: Callable[[], int]) -> tuple[list[Row], _Done]:
    """Do a first sync, a pass with nothing due, and one that runs every stage again."""
    known: set[str] = set()
    done: list[_Done] = []
    for forced in (False, False, True):
        before = calls()
        took = fleet.sync(forced=forced)
        live = set(_live(fleet))
        done.append(_Done(took, calls() - before, len(live - known)))
        known |= live
    first, quiet, forced_one = done
    if not first.issued or not quiet.did_nothing:
        message = f"{first.note}; and with nothing due: {quiet.note}; {quiet.took.states}"
        raise AssertionError(message)
    count, note = first.issued, "process + largest child"
    return [
        Row(
            f"{mode}: first sync of {count:,}", count / first.took.seconds, "requests/s", first.note
        ),
        Row(f"{mode}: first sync, memory", first.took.memory, "MB", note),
        Row(f"{mode}: no-op pass of {count:,}", quiet.took.seconds, "s", quiet.note),
        Row(f"{mode}: no-op pass, reading files", quiet.took.loading, "s"),
        Row(f"{mode}: no-op pass, memory", quiet.took.memory, "MB", note),
        Row(f"{mode}: every stage run again", forced_one.took.seconds, "s", forced_one.note),
        Row(f"{mode}: that against no-op", forced_one.took.seconds / quiet.took.seconds, "x"),
    ], first


def _live(fleet: Fleet) -> Iterator[str]:
    """Return the public key of each credential that the records tell of."""
    for record in fleet.records():
        for credential in Fields(record).section("status").items("credentials"):
            yield credential.text("publicKey")


def _fleet(folder: Path, account: JsonObject, count: int) -> Fleet:
    """Lay the Promise with this account, a Destination with a certificate, Secrets, requests."""
    fleet = Fleet(folder)
    bundle = ROOT / "promises" / "nats-user" / "promise.yaml"
    promise = json.loads(json.dumps(load_object(bundle.read_text(), "promise.yaml")))
    for pipelines in promise["spec"]["workflows"]["resource"].values():
        [container] = pipelines[0]["spec"]["containers"]
        container["env"][0]["value"] = json.dumps({"apps": account})
    fleet.write("platform/bundle/promise.yaml", promise)
    fleet.write("platform/destination.yaml", _DESTINATION)
    for number, (name, value) in product(range(NAMESPACES), _SECRETS.items()):
        mounted = folder / "secrets" / f"group-{number:02}" / name
        mounted.parent.mkdir(parents=True, exist_ok=True)
        mounted.write_text(SECRETS[value])
    for number in range(count):
        secret = {"name": f"nats-{number}"}
        fleet.ask(number, "NatsUser", {"account": "apps", "permissions": _MAY, "secret": secret})
    return fleet


def _mint_and_seal() -> float:
    """Return the seconds that minting one user and sealing its credentials take alone."""
    sealer = InProcessSealer(Certificate.parse(_CERTIFICATE, "bench", NOW))
    signer = TestSystem().accounts["orders"].signer("signing")
    began = time.perf_counter()
    for number in range(_SAMPLE):
        raw = raw_key(f"bench {number}")
        minted = mint(Generation(f"app-{number}", 1, raw, BORN, BORN + 3600, Grant()), signer)
        sealer.seal(minted.creds.encode(), Target("team", f"nats-{number}"))
    return (time.perf_counter() - began) / _SAMPLE
