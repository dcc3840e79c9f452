"""State: what is remembered comes back as it was, and what somebody spoilt is refused by name."""

from datetime import timedelta

import pytest
from support.credentials import DAY, START

from troth.api import Json, dump_documents, load_object
from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import SealedValue
from troth_pipelines.credentials import Generation, State

SEALED = SealedValue("QUJD", "shop/orders", "west", "2", 2, "SHA256:x", "ab" * 32, "k1")
STATE = State(
    generations=(
        Generation(1, START, START + DAY, START + timedelta(minutes=5)),
        Generation(2, START + timedelta(hours=1)),
    ),
    details={1: {"publicKey": "U1"}, 2: {}},
    sealed={"password": SEALED},
    renewal="2026-01",
    wanted="digest",
    since=START + DAY,
)


def spelled(state: State) -> dict[str, Json]:
    """Spell a state, and read the YAML again."""
    return dict(load_object(dump_documents([state.save()]).decode(), "status.yaml"))


@pytest.mark.parametrize("state", [STATE, State()])
def test_what_is_saved_is_loaded_as_it_was(state: State) -> None:
    assert State.load(spelled(state)) == state


def test_a_status_without_any_is_a_state_without_any() -> None:
    assert State.load({"message": "of another stage"}) == State()


def test_details_do_not_overwrite_what_is_remembered_of_a_generation() -> None:
    first = Generation(1, START)
    state = State().with_generation(
        first, {"generation": "9", "issued": "never", "id": "x"}, "", ""
    )

    assert State.load(spelled(state)).generations == (first,)
    assert State.load(spelled(state)).details == {1: {"id": "x"}}


def test_a_generation_that_has_ended_is_forgotten_with_its_details() -> None:
    left = STATE.without(STATE.generations[0])

    assert left.generations == STATE.generations[1:]
    assert left.details == {2: {}}


def test_the_highest_number_is_that_of_whatever_is_remembered() -> None:
    assert State().highest == 0
    assert STATE.highest == 2
    assert State(generations=STATE.generations[:1], sealed={"a": SEALED}).highest == 2
    assert State(sealed={"a": SEALED}).highest == 2


@pytest.mark.parametrize("lifetime", [3 * DAY, None])
def test_another_wish_moves_the_end_of_the_newest_alone(lifetime: timedelta | None) -> None:
    first, second = STATE.ending_after(lifetime).generations

    assert first == STATE.generations[0]
    assert second.expires == (second.issued + lifetime if lifetime else None)
    assert State().ending_after(lifetime) == State()


GENERATION = {"generation": 1, "issued": "2026-01-01T00:00:00Z"}
VALUE = SEALED.as_json()


@pytest.mark.parametrize(
    ("status", "field"),
    [
        ({"credentials": "none"}, "status.credentials"),
        ({"credentials": ["g1"]}, "status.credentials"),
        ({"credentials": [{**GENERATION, "generation": 0}]}, "status.credentials[0].generation"),
        ({"credentials": [{**GENERATION, "generation": True}]}, "status.credentials[0].generation"),
        ({"credentials": [{**GENERATION, "generation": "1"}]}, "status.credentials[0].generation"),
        ({"credentials": [{"generation": 1}]}, "status.credentials[0].issued"),
        ({"credentials": [{**GENERATION, "issued": "today"}]}, "status.credentials[0].issued"),
        ({"credentials": [{**GENERATION, "expires": "2026"}]}, "status.credentials[0].expires"),
        ({"credentials": [GENERATION, GENERATION]}, "status.credentials"),
        ({"credentials": [{**GENERATION, "generation": 2}, GENERATION]}, "status.credentials"),
        ({"sealed": []}, "status.sealed"),
        ({"sealed": {"values": {"a": "QUJD"}}}, "status.sealed.values.a"),
        (
            {"sealed": {"values": {"a": {**VALUE, "ciphertext": "%"}}}},
            "status.sealed.values.a.ciphertext",
        ),
        ({"sealed": {"renewal": 1}}, "status.sealed.renewal"),
        ({"sealed": {"failingSince": "long"}}, "status.sealed.failingSince"),
        ({"sealed": {"mode": "merge"}}, "status.sealed.mode"),
    ],
)
def test_a_state_that_somebody_spoilt_is_refused_and_the_field_named(
    status: dict[str, Json], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        State.load(status)

    assert caught.value.reason is Reason.INVALID_STATUS
    assert field in caught.value.message
