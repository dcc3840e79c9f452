"""Whatever others push, and whenever: their changes stay, and so do the revocations of all."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.nats_memory_resolver import MemoryResolver, MemoryServers
from support.nats_system import BORN, TestSystem, raw_key

from troth.errors import InvalidInputError, NotServedError, Reason, TransientError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.amending import Amendment
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair

SYSTEM = TestSystem()
ORDERS = SYSTEM.accounts["orders"]
THIEF = KeyPair.from_bytes(KeyKind.OPERATOR, raw_key("thief"))
TRUST = frozenset({SYSTEM.operator.public_key, SYSTEM.operator_signing.public_key})


def user(name: str) -> str:
    return KeyPair.from_bytes(KeyKind.USER, raw_key(name)).public_key


def servers(jwt: str = ORDERS.jwt) -> MemoryServers:
    return MemoryServers(jwt, TRUST)


def amendment(*names: str, key: KeyPair = SYSTEM.operator_signing) -> Amendment:
    return Amendment(ORDERS.public_key, key, {user(name): BORN for name in names}, BORN + 100)


def make(amended: Amendment, resolver: MemoryResolver) -> bool:
    return asyncio.run(amended.make(resolver))


def standing(held: MemoryServers) -> Account:
    return Account.parse(held.jwt, ORDERS.public_key)


def at(step: str, happen: Callable[[], None]) -> Callable[[str], None]:
    return lambda now: happen() if now == step else None


def describe(held: MemoryServers, key: KeyPair = SYSTEM.operator) -> None:
    """Change what is none of our business, as a person would."""
    account = standing(held)
    claims = account.claims
    nats = {**claims.nats, "description": "changed"}
    held.take(encode({**claims.raw, "iat": claims.issued + 7, "nats": nats}, key))


def revoke(held: MemoryServers, name: str, key: KeyPair = SYSTEM.operator) -> None:
    """Revoke somebody, without looking who else does."""
    account = standing(held)
    held.take(account.sign(account.revoking({user(name): BORN}), key, BORN + 50))


# Between looking and looking again; between looking again and pushing; and after the push.
STEPS = ["lookup 1", "lookup 2", "push 1", "lookup 3"]


@pytest.mark.parametrize("step", STEPS)
def test_what_another_revokes_at_the_same_time_stays_revoked(step: str) -> None:
    held = servers()
    resolver = MemoryResolver(held, before=at(step, lambda: revoke(held, "theirs")))

    assert make(amendment("ours"), resolver)

    assert standing(held).revokes({user("ours"): BORN, user("theirs"): BORN})


@pytest.mark.parametrize("step", STEPS)
def test_what_another_changes_at_the_same_time_stays_changed(step: str) -> None:
    held = servers()
    resolver = MemoryResolver(held, before=at(step, lambda: describe(held)))

    assert make(amendment("ours"), resolver)

    assert standing(held).claims.nats.get("description") == "changed"
    assert standing(held).revokes({user("ours"): BORN})
    dates = [Account.parse(jwt, ORDERS.public_key).claims.issued for jwt in held.log]
    assert dates[-1] == max(dates)
    assert len(set(dates)) == len(dates)


def test_of_two_who_revoke_one_user_the_later_second_counts() -> None:
    held = servers()

    def interfere() -> None:
        held.take(standing(held).sign({user("ours"): BORN + 30}, SYSTEM.operator, BORN + 50))

    make(amendment("ours"), MemoryResolver(held, before=at("push 1", interfere)))

    assert standing(held).revocations == {user("ours"): BORN + 30}


def test_a_server_that_stayed_behind_gets_what_the_others_have() -> None:
    one = servers()
    make(amendment("first"), MemoryResolver(one))
    held = MemoryServers(one.jwt, TRUST, behind=ORDERS.jwt)
    resolver = MemoryResolver(held)

    assert make(amendment("first"), resolver)

    assert resolver.pushes == 1
    assert held.behind is None
    assert standing(held).revokes({user("first"): BORN})


def test_one_who_hears_nothing_sees_what_came_before_its_push() -> None:
    held = servers()
    resolver = MemoryResolver(held, before=at("lookup 2", lambda: describe(held)), deaf=True)

    make(amendment("ours"), resolver)

    assert standing(held).claims.nats.get("description") == "changed"
    assert standing(held).revokes({user("ours"): BORN})


def test_alone_it_pushes_once() -> None:
    held = servers()
    resolver = MemoryResolver(held)

    assert make(amendment("a", "b"), resolver)

    assert resolver.pushes == 1
    assert len(held.log) == 1


def test_what_stands_already_is_not_pushed() -> None:
    held = servers()
    make(amendment("a", "b"), MemoryResolver(held))
    resolver = MemoryResolver(held)

    assert not make(amendment("a"), resolver)

    assert resolver.pushes == 0


def test_when_others_never_stop_it_gives_up_until_later() -> None:
    held = servers()
    numbers = iter(range(1000))

    def disturb(step: str) -> None:
        if step.startswith("lookup"):
            revoke(held, str(next(numbers)))

    with pytest.raises(TransientError) as caught:
        make(amendment("ours"), MemoryResolver(held, before=disturb))

    assert caught.value.reason is Reason.PROVIDER_BUSY


@pytest.mark.parametrize("step", STEPS)
def test_what_a_thief_pushed_is_not_taken_over(step: str) -> None:
    held = servers()
    sound = held.jwt

    def interfere() -> None:
        before = held.jwt
        revoke(held, "theirs", THIEF)
        describe(held, THIEF)
        held.take(before)

    make(amendment("ours"), MemoryResolver(held, before=at(step, interfere)))

    assert standing(held).revocations == {user("ours"): BORN}
    assert standing(held).rest == Account.parse(sound, ORDERS.public_key).rest


@pytest.mark.parametrize("text", ["", "rubbish", "a.b.c", SYSTEM.accounts["billing"].jwt])
def test_what_is_pushed_besides_is_left_alone(text: str) -> None:
    held = servers()

    def interfere() -> None:
        before = held.jwt
        held.take(text)
        held.jwt = before

    make(amendment("ours"), MemoryResolver(held, before=at("push 1", interfere)))

    assert standing(held).revocations == {user("ours"): BORN}


def test_a_key_that_is_not_trusted_pushes_nothing() -> None:
    held = servers()

    with pytest.raises(InvalidInputError, match="do not trust the operator's key"):
        make(amendment("ours", key=THIEF), MemoryResolver(held))

    assert held.log == []


def test_an_account_that_a_thief_signed_is_not_signed_again() -> None:
    held = servers()
    revoke(held, "theirs", THIEF)

    with pytest.raises(NotServedError, match=f"is signed by {THIEF.public_key}"):
        make(amendment("ours"), MemoryResolver(held))

    assert len(held.log) == 1


@given(
    waits=st.lists(st.lists(st.integers(0, 4), max_size=30), min_size=2, max_size=4),
    step=st.sampled_from(STEPS),
)
@settings(max_examples=60)
def test_all_revocations_land_in_whatever_order_writers_take_turns(
    waits: list[list[int]], step: str
) -> None:
    held = servers()
    writers = [
        (
            amendment(f"user {number}"),
            MemoryResolver(
                held,
                before=at(step, lambda: describe(held)) if number == 0 else lambda _: None,
                waits=turns,
            ),
        )
        for number, turns in enumerate(waits)
    ]

    async def all_at_once() -> None:
        await asyncio.gather(*(amended.make(resolver) for amended, resolver in writers))

    asyncio.run(all_at_once())

    assert standing(held).revokes({user(f"user {number}"): BORN for number in range(len(waits))})
    assert standing(held).claims.nats.get("description") == "changed"
