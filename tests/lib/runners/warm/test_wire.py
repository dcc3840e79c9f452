import socket

import pytest

from troth.runners.warm._messages import Answer, Outcome
from troth.runners.warm._wire import Channel


def _ends() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs


def test_messages_that_come_in_one_piece_are_told_apart() -> None:
    channel, theirs = _ends()
    with theirs:
        theirs.sendall(b'{"a":1}\n{"b":2}\n')

        assert [channel.receive(), channel.receive()] == [{"a": 1}, {"b": 2}]
    channel.close()


def test_half_a_message_does_not_outwait_the_deadline() -> None:
    channel, theirs = _ends()
    with theirs:
        theirs.sendall(b'{"a":')

        with pytest.raises(TimeoutError):
            channel.receive(0.05)
    channel.close()


@pytest.mark.parametrize("line", [b"", b"nonsense\n", b"[1]\n", b"\xff\n", b'{"half":'])
def test_what_is_no_message_counts_as_gone(line: bytes) -> None:
    channel, theirs = _ends()
    with theirs:
        theirs.sendall(line)

    assert channel.receive(1) is None
    channel.close()


def test_an_answer_comes_over_as_it_was() -> None:
    channel, theirs = _ends()
    answer = Answer(Outcome.REFUSED, "HeldError", "ObjectHeld", "held.", ("a", 1), worn="old")
    Channel(theirs).send(answer.encode())

    assert Answer.decode(channel.receive() or {}) == answer
    channel.close()
    theirs.close()


@pytest.mark.parametrize("change", [{"outcome": "fine"}, {"kind": 1}, {"field": None}])
def test_what_is_no_answer_is_refused(change: dict[str, object]) -> None:
    answer = {"outcome": "done", "kind": "", "reason": "", "message": "", "field": []}

    with pytest.raises(ValueError, match=r"answer|Outcome"):
        Answer.decode({**answer, "where": "", "worn": "", **change})
