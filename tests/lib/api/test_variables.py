"""Variables of containers: literal ones, references, and what Kubernetes makes of them."""

import pytest

from troth.api import Fields, Json, KeyRef, SecretKind, Variable, expand_variables
from troth.api.variables import parse_variables
from troth.errors import InvalidInputError

TOKEN = KeyRef(SecretKind.SECRET, "login", "token")


def read(*items: Json) -> tuple[tuple[Variable, ...], tuple[str, ...]]:
    return parse_variables(Fields({"env": list(items)}).items("env"))


def source(**kinds: Json) -> Json:
    return {"name": "TOKEN", "valueFrom": kinds}


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("plain", "plain"),
        ("$(GIVEN)/$(EARLIER)", "g/e"),
        ("$(LATER) $(NOBODY)", "$(LATER) $(NOBODY)"),
        ("$$(GIVEN) $$", "$(GIVEN) $"),
        ("$GIVEN ${GIVEN} $(GIVEN", "$GIVEN ${GIVEN} $(GIVEN"),
    ],
)
def test_variables_are_expanded_as_kubernetes_does(value: str, expanded: str) -> None:
    own = [Variable("EARLIER", "e"), Variable("ONE", value), Variable("LATER", "l")]

    assert expand_variables(own, {"GIVEN": "g"})["ONE"] == expanded


def test_what_comes_from_an_object_is_taken_as_it_is_and_may_be_named_later() -> None:
    own = [Variable("TOKEN", TOKEN), Variable("HEADER", "Bearer $(TOKEN)")]

    found = expand_variables(own, {}, lambda _: "$(HOME) $$")

    assert found == {"TOKEN": "$(HOME) $$", "HEADER": "Bearer $(HOME) $$"}


def test_a_variable_whose_object_has_no_value_is_left_out() -> None:
    assert expand_variables([Variable("TOKEN", TOKEN)], {}, lambda _: None) == {}


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("kind", ["secretKeyRef", "configMapKeyRef"])
def test_a_reference_says_which_key_of_what(kind: str, optional: bool) -> None:
    reference: Json = {"name": "login", "key": "token", "optional": optional}
    raw = source(**{kind: reference})
    expected = SecretKind.SECRET if kind == "secretKeyRef" else SecretKind.CONFIG_MAP

    assert read(raw) == ((Variable("TOKEN", KeyRef(expected, "login", "token", optional)),), ())


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        ({"fieldRef": {"fieldPath": "a"}}, ("env.valueFrom.fieldRef",)),
        ({"resourceFieldRef": {}}, ("env.valueFrom.resourceFieldRef",)),
        ({}, ("env.valueFrom",)),
    ],
)
def test_a_source_that_only_a_pod_has_is_named(
    kinds: dict[str, Json], names: tuple[str, ...]
) -> None:
    assert read(source(**kinds)) == ((), names)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (source(secretKeyRef={"key": "a"}), "name"),
        (source(secretKeyRef={"name": "a"}), "key"),
        (source(secretKeyRef={"name": "a", "key": "b", "namespace": "c"}), "namespace"),
        ({"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {}}}, "keep one"),
        ({"name": "A", "from": "x"}, "from"),
    ],
)
def test_what_is_no_variable_is_refused_and_named(raw: Json, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(raw)

    assert words in caught.value.message
