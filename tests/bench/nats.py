"""Minting NATS users in operator mode: a key, a signed JWT, verified again, and a creds file each.

Beside it, in the same run, the same number of bare Ed25519 signatures over as many bytes as a JWT
has: what is left is the price of JSON, base32, base64 and of verifying what was signed.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from bench._table import Row, Scale
from nacl.signing import SigningKey
from support.nats_system import BORN, TestSystem, raw_key

from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.minting import Generation, mint
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.users import AccountSigner, Grant

__all__ = ["run"]

_USERS = 1_000
_GRANT = Grant(
    Permissions(
        SubjectRules(("orders.>", "_INBOX.>"), ("orders.secret.>",)),
        SubjectRules(("orders.*", "work.> crew", "_INBOX.>")),
        ResponseLimit(1, timedelta(minutes=1)),
    )
)


def run(scale: Scale) -> list[Row]:
    """Measure."""
    account = TestSystem().accounts["orders"]
    keys = [raw_key(f"bench {number}") for number in range(_USERS)]
    minted = _median(scale, lambda: _mint(keys, _GRANT, account.signer("signing")))
    scoped = _median(scale, lambda: _mint(keys, None, account.signer("scoped")))
    text = _signed_text(keys[0], account.signer("signing"))
    signing = SigningKey(keys[0])
    bare = _median(scale, lambda: [signing.sign(text) for _ in range(_USERS)])
    note = f"{_USERS:,} users, median of {scale.rounds}"
    return [
        Row("users minted, with permissions", _USERS / minted, "users/s", note),
        Row("users minted, by a scoped key", _USERS / scoped, "users/s", note),
        Row("bare Ed25519 signatures", _USERS / bare, "1/s", f"of {len(text):,} bytes each"),
        Row("minting against bare signing", minted / bare, "x", "the same run"),
    ]


def _mint(keys: list[bytes], grant: Grant | None, signer: AccountSigner) -> None:
    for number, raw in enumerate(keys):
        mint(Generation(f"app-{number}", 1, raw, BORN, BORN + 3600, grant), signer)


def _signed_text(raw: bytes, signer: AccountSigner) -> bytes:
    creds = mint(Generation("app-0", 1, raw, BORN, BORN + 3600, _GRANT), signer).creds
    return Credentials.parse(creds).jwt.rpartition(".")[0].encode()


def _median(scale: Scale, work: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(scale.rounds):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)
