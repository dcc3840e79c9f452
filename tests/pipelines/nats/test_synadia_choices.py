"""Which user and which group of signing keys: decisions over what was listed, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from troth.api import JsonObject
from troth.errors import HeldError, InvalidInputError, PermanentError, Reason
from troth_pipelines.nats.limits import Limits
from troth_pipelines.nats.permissions import Permissions, ResponseLimit, SubjectRules
from troth_pipelines.nats.synadia import UserRef, UserSpec, Wanted
from troth_pipelines.nats.synadia.choices import (
    choose_group,
    choose_user,
    differs,
    mark_of,
    owner_of,
    refuse_other,
)
from troth_pipelines.nats.synadia.values import Group, User
from troth_pipelines.nats.users import Grant

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = "shop/nats-user/orders"
SPEC = UserSpec(3600)


def user(id_: str = "1", *tags: str, name: str = "orders-g1", age: int = 0) -> User:
    created = MOMENT - timedelta(seconds=age)
    settings: JsonObject = {"tags": list(tags)}
    return User(id_, name, "U1", "A1", created, "g", 3600, settings, tags, "")


def group(name: str, age: int = 0, *, scoped: bool = False, usable: bool = True) -> Group:
    return Group(f"id-{name}-{age}", name, MOMENT - timedelta(seconds=age), scoped, usable)


def test_a_user_of_the_name_and_the_mark_is_found() -> None:
    ours = user("1", "other", mark_of(OWNER))

    found = choose_user([user("0", name="orders-g2"), ours], "orders-g1", OWNER)

    assert found is not None
    assert found.user is ours
    assert found.spares == ()


def test_a_mark_is_known_in_any_case() -> None:
    assert owner_of(user("1", "TROTH-owner:Shop/X")) == "shop/x"


def test_a_user_without_a_mark_has_no_owner() -> None:
    assert owner_of(user("1", "troth", "owner:shop")) is None


def test_nobody_of_the_name_has_to_be_made() -> None:
    users = [user("0", mark_of(OWNER), name="orders-g11"), user("1", name="Orders-g1")]

    assert choose_user(users, "orders-g1", OWNER) is None


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ((), "carries no mark of Troth's"),
        ((mark_of("other/nats-user/orders"),), "the mark of 'other/nats-user/orders'"),
        ((mark_of(OWNER + "2"),), "the mark of 'shop/nats-user/orders2'"),
    ],
)
def test_somebody_elses_user_of_the_name_is_refused(tags: tuple[str, ...], says: str) -> None:
    with pytest.raises(HeldError, match=says) as caught:
        choose_user([user("1", *tags)], "orders-g1", OWNER)

    assert caught.value.reason is Reason.OBJECT_HELD


def test_ours_counts_beside_somebody_elses_of_the_same_name() -> None:
    found = choose_user([user("0"), user("1", mark_of(OWNER))], "orders-g1", OWNER)

    assert found is not None
    assert found.user.id == "1"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_of_ours_the_oldest_counts_in_whatever_order(order: tuple[int, ...]) -> None:
    ours = [user(str(age), mark_of(OWNER), age=age) for age in range(3)]

    found = choose_user([ours[index] for index in order], "orders-g1", OWNER)

    assert found is not None
    assert found.user.id == "2"
    assert [spare.id for spare in found.spares] == ["1", "0"]


def test_of_two_of_the_same_moment_the_lower_id_counts() -> None:
    found = choose_user([user("b", mark_of(OWNER)), user("a", mark_of(OWNER))], "orders-g1", OWNER)

    assert found is not None
    assert found.user.id == "a"


@pytest.mark.parametrize("owner", ["", "Shop/x", "shop x", "shop/", "shop\n", "sh\u00f6p"])
def test_an_owner_that_a_mark_does_not_give_back_is_misuse(owner: str) -> None:
    with pytest.raises(ValueError, match="an owner consists of"):
        mark_of(owner)


def test_generations_count_from_one() -> None:
    with pytest.raises(ValueError, match="generations count from 1"):
        Wanted("orders", 0, OWNER, SPEC)


def test_a_generation_is_in_the_name() -> None:
    assert Wanted("orders", 12, OWNER, SPEC).user_name == "orders-g12"


def test_without_a_name_the_oldest_group_that_can_be_used_is_taken() -> None:
    groups = [
        group("new"),
        group("scoped", 9, scoped=True),
        group("disabled", 8, usable=False),
        group("old", 5),
    ]

    chosen = choose_group(groups, None, SPEC)

    assert chosen is not None
    assert chosen.name == "old"


def test_without_a_group_that_can_be_used_one_has_to_be_made() -> None:
    groups = [group("scoped", scoped=True), group("disabled", usable=False)]

    assert choose_group(groups, None, SPEC) is None


def test_a_group_is_taken_by_its_name() -> None:
    chosen = choose_group([group("old", 5), group("mine")], "mine", SPEC)

    assert chosen is not None
    assert chosen.name == "mine"


def test_a_name_that_no_group_has_has_to_be_made() -> None:
    assert choose_group([group("old")], "mine", SPEC) is None


def test_of_two_groups_of_a_name_the_oldest_that_can_be_used_counts() -> None:
    groups = [group("mine"), group("mine", 5), group("mine", 9, usable=False)]

    chosen = choose_group(groups, "mine", SPEC)

    assert chosen is not None
    assert chosen.id == "id-mine-5"


def test_a_named_group_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(PermanentError, match="'mine' is disabled"):
        choose_group([group("old"), group("mine", usable=False)], "mine", SPEC)


def test_a_scoped_group_does_not_decide_in_the_place_of_the_request() -> None:
    with pytest.raises(PermanentError, match="'mine' is scoped"):
        choose_group([group("mine", scoped=True)], "mine", SPEC)


def test_a_scoped_group_decides_where_it_is_left_to_it() -> None:
    chosen = choose_group([group("mine", scoped=True)], "mine", UserSpec(3600, None))

    assert chosen is not None


@pytest.mark.parametrize(
    ("groups", "name"),
    [([], None), ([group("old")], None), ([], "mine"), ([group("mine")], "mine")],
)
def test_what_is_left_to_a_scoped_group_needs_one(groups: list[Group], name: str | None) -> None:
    with pytest.raises(PermanentError, match="Permissions are left to a scoped"):
        choose_group(groups, name, UserSpec(3600, None))


def test_a_user_of_another_name_than_the_known_one_is_left_alone() -> None:
    with pytest.raises(HeldError, match="is called 'orders-g1', not 'orders-g2'"):
        refuse_other(user("1", mark_of(OWNER)), UserRef("1", "orders-g2", "U1"), OWNER)


def test_a_user_of_another_owner_than_the_known_one_is_left_alone() -> None:
    with pytest.raises(HeldError, match="the mark of 'x'"):
        refuse_other(user("1", mark_of("x")), UserRef("1", "orders-g1", "U1"), OWNER)


PUBLISHES = UserSpec(3600, Grant(Permissions(publish=SubjectRules(("a", "b"), ("c",)))))
SHOWN: JsonObject = {
    "pub": {"allow": ["b", "a"], "deny": ["c"]},
    "sub": {},
    "resp": None,
    "subs": -1,
    "data": -1,
    "payload": -1,
    "bearer_token": False,
    "allowed_connection_types": [],
    "tags": ["whatever"],
}


def test_settings_are_the_same_in_whatever_spelling() -> None:
    assert not differs(replace(user(), settings=SHOWN), PUBLISHES)


@pytest.mark.parametrize(
    "settings",
    [
        {**SHOWN, "pub": {"allow": ["a", "b"]}},
        {**SHOWN, "pub": {"allow": ["a"], "deny": ["c"]}},
        {**SHOWN, "sub": {"allow": ["a"]}},
        {**SHOWN, "subs": 10},
        {**SHOWN, "bearer_token": True},
        {**SHOWN, "resp": {"max": 1, "ttl": 5}},
        {**SHOWN, "allowed_connection_types": ["STANDARD"]},
        {},
    ],
)
def test_other_settings_are_told(settings: JsonObject) -> None:
    assert differs(replace(user(), settings=settings), PUBLISHES)


def test_another_lifetime_is_told() -> None:
    assert differs(replace(user(), settings=SHOWN, expires_in=7200), PUBLISHES)


def test_a_grant_is_spelled_as_the_api_does() -> None:
    grant = Grant(
        Permissions(SubjectRules(("a",)), SubjectRules(), ResponseLimit(2, timedelta(seconds=3))),
        Limits(subscriptions=7),
    )

    assert UserSpec(60, grant).settings == {
        "pub": {"allow": ["a"]},
        "resp": {"max": 2, "ttl": 3_000_000_000},
        "subs": 7,
        "data": -1,
        "payload": -1,
    }


@pytest.mark.parametrize("limits", [Limits(subscriptions=0), Limits(data=0), Limits(payload=0)])
def test_a_limit_that_synadia_takes_for_none_is_refused(limits: Limits) -> None:
    with pytest.raises(InvalidInputError, match="A limit of 0"):
        UserSpec(60, Grant(limits=limits))


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_user_that_lives_for_ever_is_misuse(seconds: int) -> None:
    with pytest.raises(ValueError, match="a lifetime in seconds is needed"):
        UserSpec(seconds)
