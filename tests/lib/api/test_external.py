"""What a Promise says exists without any request."""

import pytest

from troth.api.external import External
from troth.api.labels import EXTERNAL
from troth.errors import InvalidInputError

GATEWAY = ("gateway.networking.k8s.io", "Gateway", "infra", "shared")


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("[]", False),
        ("", False),
        ("[{kind: Gateway}]", True),
        ('[{"kind": "Gateway", "namespace": "infra", "name": "shared"}]', True),
        ("[{kind: Gateway, group: gateway.networking.k8s.io}]", True),
        ("[{kind: Service}, {kind: Gateway}]", True),
        ("[{kind: ListenerSet}]", False),
        ('[{kind: Gateway, group: ""}]', False),
        ("[{kind: Gateway, namespace: other}]", False),
        ("[{kind: Gateway, name: other}]", False),
    ],
)
def test_a_field_that_is_left_out_may_be_anything(text: str, *, covered: bool) -> None:
    assert External.parse(text).covers(*GATEWAY) == covered


@pytest.mark.parametrize(
    "text",
    ["{", "a", "{kind: Gateway}", "[Gateway]", "[{name: shared}]", "[{kind: ''}]",
     "[{kind: Gateway, name: '*'}]", "[{kind: Gateway, namespace: 'team-*'}]",
     "[{kind: Gateway, names: shared}]", "[]\n---\n[]"],
)  # fmt: skip
def test_what_is_no_list_of_objects_is_refused_by_the_annotations_name(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        External.parse(text)

    assert EXTERNAL in caught.value.message


def test_nothing_is_external_unless_it_is_said() -> None:
    assert not External().covers(*GATEWAY)
