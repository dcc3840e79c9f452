"""Records that somebody has written by hand, or a disk: what cannot be kept is refused."""

import json

import pytest

from troth.engine.record import Record
from troth.errors import InvalidInputError, Reason

KEY = "requests/a5/team/thing/one.yaml"


def spelled(namespace: str = "team", status: str = "{}") -> bytes:
    text = json.dumps(
        {
            "apiVersion": "troth.dev/v1alpha1",
            "kind": "Record",
            "request": {
                "namespace": namespace,
                "promise": "thing",
                "name": "one",
                "apiVersion": "test.example.com/v1",
                "kind": "Thing",
            },
            "generation": 1,
            "inventory": "default",
            "promiseDigest": "0",
            "status": "STATUS",
        }
    )
    return text.replace('"STATUS"', status).encode()


def test_the_record_that_the_others_are_made_of_is_read() -> None:
    assert Record.decode(spelled(status='{"a": 1.5, "b": "\\u00e9"}'), KEY).status == {
        "a": 1.5,
        "b": "é",
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (spelled(namespace="\ud800"), "surrogates"),
        (spelled(status='{"a": "\\ud800"}'), "surrogates"),
        (spelled(status='{"\\ud800": 1}'), "surrogates"),
        (spelled(status='{"a": NaN}'), "nan is no number"),
        (spelled(status='{"a": -Infinity}'), "-inf is no number"),
        (spelled(status='{"a": 1e999}'), "inf is no number"),
    ],
)
def test_what_could_not_be_written_again_is_no_record(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as raised:
        Record.decode(content, KEY)

    assert raised.value.reason is Reason.RECORD_UNREADABLE
