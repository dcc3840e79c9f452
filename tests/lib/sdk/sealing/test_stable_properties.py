"""Properties: what is sealed opens to itself alone, and sealing again changes nothing."""

from collections.abc import Mapping

import hypothesis.strategies as st
import pytest
from hypothesis import given
from support.sealing import CannotOpenError, CountingSealer, certificate, private_key, unseal

from troth.sdk.sealing import (
    InProcessSealer,
    Scope,
    Sealable,
    Sealing,
    SealingKey,
    Target,
    read_sealed_values,
    seal_stably,
)
from troth.sdk.unknown import UNKNOWN

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
TARGETS = st.builds(Target, LABELS, LABELS, st.sampled_from(Scope))
NAMES = st.sampled_from(["creds", "user", "password", "token"])
KEYS = st.sampled_from([None, *(SealingKey(bytes([n]) * 16, "it") for n in (1, 2))])
EPOCHS = st.sampled_from(["1", "2"])
VALUES = st.sampled_from([b"", b"one", b"two", None, UNKNOWN])
WANTED = st.dictionaries(NAMES, st.builds(Sealable, VALUES, st.integers(1, 2)))
KNOWN = st.dictionaries(NAMES, st.builds(Sealable, st.binary(max_size=40), st.integers(1, 2)))
PLACE = Target("team", "creds")


@given(st.binary(), TARGETS)
def test_any_value_opens_to_itself_under_its_own_label(value: bytes, target: Target) -> None:
    assert unseal(InProcessSealer(certificate()).seal(value, target), target.label) == value


@given(st.binary(), TARGETS, TARGETS)
def test_no_value_opens_under_another_label(value: bytes, target: Target, other: Target) -> None:
    sealed = InProcessSealer(certificate()).seal(value, target)

    if target.label != other.label:
        with pytest.raises(CannotOpenError):
            unseal(sealed, other.label)


@given(st.binary(), TARGETS)
def test_no_value_opens_with_another_key(value: bytes, target: Target) -> None:
    sealed = InProcessSealer(certificate()).seal(value, target)

    with pytest.raises(CannotOpenError):
        unseal(sealed, target.label, private_key("other"))


@given(TARGETS, TARGETS)
def test_two_targets_share_a_label_only_if_a_value_may_be_carried(a: Target, b: Target) -> None:
    may = (
        a.scope is b.scope
        and {
            Scope.STRICT: (a.namespace, a.name) == (b.namespace, b.name),
            Scope.NAMESPACE_WIDE: a.namespace == b.namespace,
            Scope.CLUSTER_WIDE: True,
        }[a.scope]
    )

    assert (a.label == b.label) is may


def known(wanted: Mapping[str, Sealable]) -> dict[str, Sealable]:
    """Give values that nobody knows one, as an earlier run had it."""
    return {
        key: one if isinstance(one.value, bytes) else Sealable(b"earlier", one.generation)
        for key, one in wanted.items()
    }


@given(KNOWN, WANTED, KEYS, KEYS, EPOCHS)
def test_sealing_again_from_what_was_left_changes_nothing(
    earlier: dict[str, Sealable],
    wanted: dict[str, Sealable],
    old_key: SealingKey | None,
    key: SealingKey | None,
    epoch: str,
) -> None:
    before = seal_stably(
        {**earlier, **known(wanted)}, {}, Sealing(CountingSealer(), PLACE, "prod", "1", old_key)
    ).values
    used = Sealing(CountingSealer(), PLACE, "prod", epoch, key)
    left = seal_stably(wanted, before, used)
    if left.rotate:
        return  # nothing is given out
    again = Sealing(CountingSealer(), PLACE, "prod", epoch, key)

    second = seal_stably(wanted, read_sealed_values(left.as_json()), again)

    assert second == left
    assert isinstance(again.sealer, CountingSealer)
    assert again.sealer.count == 0


@given(KNOWN, KNOWN, KEYS)
def test_each_key_fares_as_if_it_were_alone(
    earlier: dict[str, Sealable], wanted: dict[str, Sealable], key: SealingKey | None
) -> None:
    used = Sealing(CountingSealer(), PLACE, "prod", "1", key)
    before = seal_stably(earlier, {}, used).values

    together = seal_stably(wanted, before, used).values

    for name, one in wanted.items():
        alone = seal_stably({name: one}, before, used).values[name]
        kept = [
            name in before and x.ciphertext == before[name].ciphertext
            for x in (alone, together[name])
        ]
        assert kept[0] == kept[1]
        assert unseal(together[name].ciphertext, PLACE.label) == unseal(
            alone.ciphertext, PLACE.label
        )


@given(KNOWN)
def test_with_the_key_what_is_left_is_always_what_was_wanted(wanted: dict[str, Sealable]) -> None:
    used = Sealing(CountingSealer(), PLACE, "prod", "1", SealingKey(b"k" * 16, "it"))
    before = seal_stably({name: Sealable(b"one", 1) for name in wanted}, {}, used).values

    left = seal_stably(wanted, before, used).values

    assert {name: unseal(one.ciphertext, PLACE.label) for name, one in left.items()} == {
        name: one.value for name, one in wanted.items()
    }
