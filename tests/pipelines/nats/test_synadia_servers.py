"""Credentials of the provider at a real nats-server: who gets in, what they may, when it ends."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_client import PATIENCE, NatsClient, connect_nats, refused
from support.nats_server import NatsServer, serve_nats
from support.nats_system import TestSystem
from support.synadia.plane import Plane
from support.synadia.pushing import kept_in_step
from support.synadia.visits import TOKEN, visit

from troth_pipelines.nats.permissions import Permissions, SubjectRules
from troth_pipelines.nats.synadia import AccountRef, UserRef, UserSpec, Wanted
from troth_pipelines.nats.users import Grant

OWNER = "shop/nats-user/orders"
LIFETIME = 3600
GRANT = Grant(
    Permissions(SubjectRules(("orders.>",), ("orders.secret",)), SubjectRules(("orders.>",)))
)
WANTED = Wanted("orders", 1, OWNER, UserSpec(LIFETIME, GRANT))


@dataclass
class Shop:
    """A fake Control Plane with an account that a real server serves."""

    fake: FakeSynadia
    server: NatsServer
    account: AccountRef

    def mint(self, wanted: Wanted = WANTED, group: str | None = None) -> tuple[UserRef, str]:
        """Make a generation with its credentials, as a stage does."""
        with visit(self.fake, group=group) as provider:
            user = provider.ensure(self.account, wanted).user
            lifetime, now = wanted.spec.expires_in, self.fake.plane.now()
            return user, provider.issue(self.account, user, lifetime, now).creds

    def retire(self, user: UserRef) -> None:
        with visit(self.fake) as provider:
            provider.retire(self.account, user, OWNER)

    def refused(self, creds: str) -> bool:
        return refused(self.server.url, creds)


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Shop]:
    system = TestSystem()
    plane = Plane(system.operator)
    account = plane.add_account("A1").id
    with (
        serve_nats(tmp_path / "nats", system) as server,
        kept_in_step(plane, server),
        serve_synadia(plane, TOKEN) as fake,
        visit(fake) as provider,
    ):
        yield Shop(fake, server, provider.account(account))


def complaint(client: NatsClient) -> str:
    client.flush()
    return " ".join(client.errors).lower()


def test_a_real_server_takes_the_credentials(shop: Shop) -> None:
    _, creds = shop.mint()

    with connect_nats(shop.server.url, creds) as client:
        heard = client.subscribe("orders.new")
        client.publish("orders.new", b"hello")

        assert heard.next() == b"hello"
        assert complaint(client) == ""


@pytest.mark.parametrize("subject", ["orders.secret", "other"])
def test_what_was_not_granted_is_denied(shop: Shop, subject: str) -> None:
    _, creds = shop.mint()

    with connect_nats(shop.server.url, creds) as client:
        client.publish(subject)

        assert f'permissions violation for publish to "{subject}"' in complaint(client)


def test_without_permissions_of_ones_own_everything_is_allowed(shop: Shop) -> None:
    _, creds = shop.mint(replace(WANTED, spec=UserSpec(LIFETIME)))

    with connect_nats(shop.server.url, creds) as client:
        heard = client.subscribe(">")
        client.publish("whatever", b"hello")

        assert heard.next() == b"hello"


def test_a_scoped_group_decides_what_its_users_may(shop: Shop) -> None:
    scope = {"pub": {"allow": ["mine.>"]}, "sub": {"allow": ["mine.>"]}}
    shop.fake.plane.add_group(shop.account.id, "scoped", scope)
    _, creds = shop.mint(replace(WANTED, spec=UserSpec(LIFETIME, None)), "scoped")

    with connect_nats(shop.server.url, creds) as client:
        heard = client.subscribe("mine.a")
        client.publish("mine.a", b"hello")
        assert heard.next() == b"hello"
        client.publish("orders.new")

        assert 'permissions violation for publish to "orders.new"' in complaint(client)


def test_a_group_that_was_just_made_signs_at_once(shop: Shop) -> None:
    _, creds = shop.mint(group="mine")

    assert not shop.refused(creds)


def test_a_found_user_that_was_changed_may_what_is_wanted_now(shop: Shop) -> None:
    shop.mint()
    other = Grant(Permissions(SubjectRules(("other",))))
    _, creds = shop.mint(replace(WANTED, spec=UserSpec(LIFETIME, other)))

    with connect_nats(shop.server.url, creds) as client:
        client.publish("other")
        assert complaint(client) == ""
        client.publish("orders.new")

        assert "permissions violation" in complaint(client)


def test_both_generations_get_in_until_the_old_one_is_retired(shop: Shop) -> None:
    old, old_creds = shop.mint()
    _, new_creds = shop.mint(replace(WANTED, generation=2))
    assert not shop.refused(old_creds)
    assert not shop.refused(new_creds)

    shop.retire(old)

    assert shop.refused(old_creds)
    assert not shop.refused(new_creds)


def test_a_client_of_a_retired_generation_is_sent_away(shop: Shop) -> None:
    old, creds = shop.mint()
    with connect_nats(shop.server.url, creds) as client:
        shop.retire(old)

        assert client.ended.wait(PATIENCE)


def test_a_user_deleted_behind_our_back_stays_connected_until_its_key_is_revoked(
    shop: Shop,
) -> None:
    user, creds = shop.mint()
    shop.fake.plane.delete_user(user.id)
    assert not shop.refused(creds)

    shop.retire(user)

    assert shop.refused(creds)


@pytest.mark.parametrize("keep_old", [True, False])
def test_credentials_whose_issuer_the_account_no_longer_has_are_dead(
    shop: Shop, keep_old: bool
) -> None:
    _, creds = shop.mint()

    shop.fake.plane.rotate_signing_key(next(iter(shop.fake.plane.groups)), keep_old=keep_old)

    assert shop.refused(creds) is not keep_old


@pytest.mark.parametrize("revokes", [True, False])
def test_rotating_a_user_ends_its_old_key_or_does_not(shop: Shop, revokes: bool) -> None:
    user, creds = shop.mint()
    shop.fake.plane.rotating_revokes = revokes

    shop.fake.plane.rotate_user(user.id)

    assert shop.refused(creds) is revokes
