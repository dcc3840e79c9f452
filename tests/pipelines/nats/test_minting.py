"""A generation of a user is a user of its own, the same each time it is made of the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.nats_system import TestSystem, raw_key

from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.minting import Generation, mint
from troth_pipelines.nats.users import Grant

ACCOUNT = TestSystem().accounts["orders"]
ISSUED = 1_700_000_000


def generation(number: int, raw: bytes | None = None, **changed: int) -> Generation:
    moments = {"issued": ISSUED, "expires": ISSUED + 3600} | changed
    return Generation(
        user="orders",
        number=number,
        raw=raw_key(f"generation {number}") if raw is None else raw,
        issued=moments["issued"],
        expires=moments["expires"],
        grant=Grant(),
    )


def test_a_generation_has_name_key_and_end_of_its_own() -> None:
    minted = mint(generation(3), ACCOUNT.signer("signing"))

    creds = Credentials.parse(minted.creds)
    assert minted.name == creds.claims.name == "orders-g3"
    assert minted.public_key == creds.claims.subject
    assert (creds.claims.issued, creds.claims.expires) == (ISSUED, ISSUED + 3600)
    assert creds.account == ACCOUNT.public_key


@given(raw=st.binary(min_size=32, max_size=32), number=st.integers(1, 1000))
def test_the_same_generation_is_minted_to_the_same_bytes(raw: bytes, number: int) -> None:
    signer = ACCOUNT.signer()

    assert mint(generation(number, raw), signer) == mint(generation(number, raw), signer)


def test_generations_differ_in_their_keys() -> None:
    keys = {mint(generation(number), ACCOUNT.signer()).public_key for number in range(1, 6)}

    assert len(keys) == 5


@pytest.mark.parametrize("expires", [ISSUED, ISSUED - 1])
def test_a_generation_that_ends_before_it_begins_is_not_minted(expires: int) -> None:
    with pytest.raises(ValueError, match="orders-g1 would end before it begins"):
        mint(generation(1, expires=expires), ACCOUNT.signer())


def test_what_was_minted_does_not_show_its_secret() -> None:
    given_to = generation(1)
    minted = mint(given_to, ACCOUNT.signer())
    seed = Credentials.parse(minted.creds).key.seed

    shown = f"{minted} {minted!r} {given_to!r}"

    assert seed not in shown
    assert "BEGIN" not in shown
    assert repr(given_to.raw) not in shown
