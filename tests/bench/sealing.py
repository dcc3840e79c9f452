"""Sealing values, and finding that they did not change.

Beside it what bounds it from below, the bare RSA encryption of as many session keys, and what takes
its place where it is not used: the program kubeseal, once for each value, scaled from a few.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bench._table import Row, Scale
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from support.go_programs import ToolError
from support.sealing import NOW, CountingSealer, certificate_pem, private_key
from support.tools import tool

from troth.sdk.sealing import (
    Certificate,
    InProcessSealer,
    KubesealSealer,
    Sealable,
    SealedValue,
    Sealer,
    Sealing,
    SealingKey,
    Target,
    seal_stably,
)

__all__ = ["run"]

_KEY_SIZE = 4096  # bits, as controllers make theirs
_VALUE = 900  # bytes: about a NATS credentials file
_KEY = SealingKey(bytes(range(32)), "the sealing key")

T = TypeVar("T")

_Wanted = dict[Target, dict[str, Sealable]]
_Before = dict[Target, dict[str, SealedValue]]


def run(scale: Scale) -> list[Row]:
    """Measure a first pass over many Secrets of one value, one with nothing to do, and others."""
    certificate = Certificate.parse(certificate_pem(private_key("bench", _KEY_SIZE)), "bench", NOW)
    count = scale.large
    wanted: _Wanted = {
        Target("team", f"creds-{number}"): {"nats.creds": Sealable(os.urandom(_VALUE))}
        for number in range(count)
    }
    first, second = (CountingSealer(InProcessSealer(certificate)) for _ in range(2))
    sealing, before = _timed(lambda: _pass(wanted, {}, first))
    comparing, after = _timed(lambda: _pass(wanted, before, second))
    if after != before or second.count:
        message = f"{second.count} of {count} values were sealed again"
        raise AssertionError(message)
    bare, _ = _timed(lambda: _bare(certificate, count))
    rows = [
        Row(f"seal {count:,} values", count / sealing, "values/s", f"{first.count:,} seals"),
        Row(
            f"compare {count:,} fingerprints",
            count / comparing,
            "values/s",
            f"{second.count} seals",
        ),
        Row("comparing against sealing", sealing / comparing, "times as fast"),
        Row("bare RSA-OAEP of session keys", count / bare, "values/s"),
        Row("sealing against bare RSA-OAEP", sealing / bare, "times as long"),
    ]
    try:
        program = _program(certificate, list(wanted)[: scale.sample])
    except ToolError as error:
        sys.stderr.write(f"kubeseal is not measured: {error}\n")
        return rows
    return [
        *rows,
        Row("kubeseal", 1 / program, "values/s", f"median of {scale.sample} runs"),
        Row("sealing against kubeseal", program * count / sealing, "times as fast"),
    ]


def _pass(wanted: _Wanted, before: _Before, sealer: Sealer) -> _Before:
    return {
        target: dict(
            seal_stably(
                values, before.get(target, {}), Sealing(sealer, target, "prod", "1", _KEY)
            ).values
        )
        for target, values in wanted.items()
    }


def _bare(certificate: Certificate, count: int) -> None:
    padding = OAEP(MGF1(SHA256()), SHA256(), b"team/creds")
    for _ in range(count):
        certificate.public_key.encrypt(bytes(32), padding)


def _program(certificate: Certificate, targets: list[Target]) -> float:
    """Return the seconds that kubeseal takes for a value."""
    sealer = KubesealSealer(certificate, tool("kubeseal"))
    value = os.urandom(_VALUE)
    return statistics.median(_timed(partial(sealer.seal, value, one))[0] for one in targets)


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result
