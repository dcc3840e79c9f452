"""A fake Control Plane with a user of ours in it, and what a stage does with that user."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN, visit

from troth_pipelines.nats.synadia import AccountRef, Issued, Retired, UserRef, UserSpec, Wanted

__all__ = ["LIFETIME", "NOW", "WANTED", "Shop", "open_shop"]

NOW = 1_800_000_000
"""When all of it happens, in seconds since 1970."""

LIFETIME = 3600
"""Seconds that credentials are good."""

WANTED = Wanted("orders", 1, "shop/nats-user/orders", UserSpec(LIFETIME))


@dataclass
class Shop:
    """The plane, the account, and the user; `now` is our clock."""

    fake: FakeSynadia
    account: AccountRef
    user: UserRef
    now: int = NOW

    def ensure(self) -> UserRef:
        with visit(self.fake) as provider:
            return provider.ensure(self.account, WANTED).user

    def issue(self) -> Issued:
        with visit(self.fake) as provider:
            return provider.issue(self.account, self.user, LIFETIME, self.now)

    def retire(self, *, revoke: bool = True) -> Retired:
        with visit(self.fake) as provider:
            return provider.retire(self.account, self.user, WANTED.owner, revoke=revoke)

    @property
    def revocations(self) -> dict[str, int]:
        """Until when what was issued to a key counts for nothing, by the key."""
        return self.fake.plane.accounts[self.account.id].keys.revocations


@contextmanager
def open_shop() -> Generator[Shop]:
    """Serve the plane until the end of the block."""
    plane = Plane(TestSystem().operator, lambda: NOW)
    with serve_synadia(plane, TOKEN) as fake:
        account = plane.add_account("A1").id
        with visit(fake) as provider:
            found = provider.account(account)
            yield Shop(fake, found, provider.ensure(found, WANTED).user)
