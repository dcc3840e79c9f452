"""A host that does not answer, answers late or with an error, or does it and does not say so.

Whatever it says: what landed is reported as written, with its commit; what did not, is not; and
nothing is committed twice.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.drills import rounds
from support.git_http import Answer, Cut, Fault, FaultHook, GitHost, Request, serve_git
from support.git_ssh import serve_ssh
from support.repositories import RECORDS, OpenStore, Remote

from troth.errors import Reason, StoreError, TransientError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import GitSettings


@pytest.fixture
def host(remote: Remote) -> Iterator[GitHost]:
    with serve_git(remote.folder.parent) as host:
        yield host


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"{key}/f": content}, record=content, title=f"Update {key}")


def pushes(*faults: Fault | None) -> FaultHook:
    """Misbehave at the first pushes: one fault for each."""
    left = iter(faults)
    return lambda request: next(left, None) if request.is_push else None


def always(fault: Fault) -> FaultHook:
    return lambda request: fault if request.is_push else None


def in_turn(*hooks: Callable[[Request], object]) -> FaultHook:
    """Do something at each request in turn, then nothing."""
    left = iter(hooks)

    def hook(request: Request) -> Fault | None:
        done = next(left, lambda _: None)(request)
        return done if isinstance(done, Fault) else None

    return hook


def seen_pushes(host: GitHost) -> int:
    return sum(request.is_push for request in host.requests)


@pytest.mark.parametrize("cut", [Cut.HALFWAY, Cut.AFTER])
@pytest.mark.parametrize("keys", ["a", "abc"])
def test_what_landed_although_nobody_said_so_is_written(
    remote: Remote, open_store: OpenStore, host: GitHost, cut: Cut, keys: str
) -> None:
    host.fault = pushes(Fault(cut=cut))

    receipts = open_store(host.url("remote.git")).commit([one(key) for key in keys])

    assert {receipt.outcome for receipt in receipts} == {Outcome.WRITTEN}
    commits = remote.git("rev-list", "--reverse", "main").split()
    assert [receipt.revision for receipt in receipts] == commits
    assert remote.subjects() == [f"Update {key}" for key in keys]
    assert len(remote.pushes()) == 1


def test_what_landed_and_was_built_upon_since_is_written(
    remote: Remote, open_store: OpenStore, host: GitHost, tmp_path: Path
) -> None:
    store = open_store(host.url("remote.git"))
    store.commit([one("a")])
    clone = remote.clone(tmp_path / "clone")

    def lose(request: Request) -> Fault | None:
        if not request.is_push:
            return None
        host.fault = in_turn(lambda _: clone.push({"foreign": "1"}))
        return Fault(cut=Cut.AFTER)

    host.fault = lose
    [receipt] = store.commit([one("b")])

    assert receipt.outcome is Outcome.WRITTEN
    assert remote.subjects() == ["Update a", "Update b", "By hand"]
    assert receipt.revision == remote.tip("main~1")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut=Cut.BEFORE),
        Fault(answer=Answer(500)),
        Fault(answer=Answer(502)),
        Fault(answer=Answer(503, {"Retry-After": "1"})),
    ],
)
def test_what_did_not_land_is_sent_again(
    remote: Remote, open_store: OpenStore, host: GitHost, fault: Fault
) -> None:
    host.fault = pushes(fault, fault)

    receipts = open_store(host.url("remote.git")).commit([one("a"), one("b")])

    assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * 2
    assert remote.subjects() == ["Update a", "Update b"]
    assert seen_pushes(host) >= 3  # curl by itself repeats what an old connection dropped


@pytest.mark.parametrize("fault", [Fault(cut=Cut.BEFORE), Fault(answer=Answer(503))])
def test_a_host_that_stays_away_is_not_asked_for_ever_and_nothing_is_lost(
    remote: Remote, open_store: OpenStore, host: GitHost, fault: Fault
) -> None:
    host.fault = always(fault)
    store = open_store(host.url("remote.git"))

    with pytest.raises(TransientError, match="was not seen to land") as caught:
        store.commit([one("a")])

    assert caught.value.reason is Reason.STATE_STORE_UNREACHABLE
    assert 5 <= seen_pushes(host) <= 10
    assert not remote.has("main")
    host.fault = lambda _: None
    assert [r.outcome for r in store.commit([one("a")])] == [Outcome.WRITTEN]
    assert remote.subjects() == ["Update a"]


def test_a_host_that_is_asked_too_often_is_left_alone(
    remote: Remote, open_store: OpenStore, host: GitHost
) -> None:
    host.fault = always(Fault(answer=Answer(429, {"Retry-After": "7"})))
    store = open_store(host.url("remote.git"))

    with pytest.raises(TransientError, match="asked too often") as caught:
        store.commit([one("a")])

    assert caught.value.retry_after == 60
    assert seen_pushes(host) == 1
    host.fault = lambda _: None
    store.commit([one("a")])
    assert remote.subjects() == ["Update a"]


@pytest.mark.parametrize(("status", "retry_after"), [(429, 60), (500, None), (503, None)])
def test_a_host_that_cannot_be_read_is_an_error_for_the_caller_at_once(
    open_store: OpenStore, host: GitHost, status: int, retry_after: float | None
) -> None:
    host.fault = lambda _: Fault(answer=Answer(status))

    with pytest.raises(TransientError) as caught:
        open_store(host.url("remote.git")).commit([one("a")])

    assert caught.value.retry_after == retry_after
    assert len(host.requests) == 1


def test_what_was_not_answered_before_the_host_went_away_is_found_by_the_next_call(
    remote: Remote, open_store: OpenStore, host: GitHost
) -> None:
    def lose(request: Request) -> Fault | None:
        if not request.is_push:
            return None
        host.fault = lambda _: Fault(answer=Answer(503))
        return Fault(cut=Cut.AFTER)

    host.fault = lose
    store = open_store(host.url("remote.git"))
    with pytest.raises(TransientError):
        store.commit([one("a"), one("b")])
    host.fault = lambda _: None

    receipts = store.commit([one("a"), one("b")])

    assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * 2
    assert receipts[-1].revision == remote.tip()
    assert remote.subjects() == ["Update a", "Update b"]


def test_a_slow_host_is_waited_for(remote: Remote, open_store: OpenStore, host: GitHost) -> None:
    host.fault = always(Fault(wait=0.5, wait_after=0.5))

    [receipt] = open_store(host.url("remote.git")).commit([one("a")])

    assert receipt.revision == remote.tip()


def test_what_lands_after_it_was_given_up_is_found_by_the_next_call(
    remote: Remote, open_store: OpenStore, host: GitHost
) -> None:
    host.fault = pushes(Fault(wait=4))
    store = open_store(host.url("remote.git"), settings=GitSettings(timeout=2))

    with pytest.raises(TransientError, match="took longer than 2 seconds"):
        store.commit([one("a")])
    _wait_for(lambda: remote.has("main"))
    [receipt] = store.commit([one("a")])

    assert (receipt.outcome, receipt.revision) == (Outcome.WRITTEN, remote.tip())
    assert remote.subjects() == ["Update a"]


def test_what_landed_on_this_machine_while_its_answer_took_too_long_is_written(
    remote: Remote, open_store: OpenStore
) -> None:
    remote.hook("post-receive", "exec sleep 20 >&- 2>&-")
    store = open_store(settings=GitSettings(timeout=3))

    [receipt] = store.commit([one("a")])

    assert (receipt.outcome, receipt.revision) == (Outcome.WRITTEN, remote.tip())


SSH_THAT_CUTS = """#!/bin/sh
echo $PPID > {folder}/session
case "$SSH_ORIGINAL_COMMAND" in *receive-pack*) {before};; esac
eval "exec $SSH_ORIGINAL_COMMAND"
"""

CUT_ONCE = "mkdir {folder}/cut 2> /dev/null && kill -9 $(cat {folder}/session) && sleep 1"


@pytest.mark.parametrize("when", ["before", "pre-receive", "post-receive"])
def test_a_connection_over_ssh_that_drops_loses_nothing(
    remote: Remote, open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:  # fmt: skip
    cut = CUT_ONCE.format(folder=tmp_path)
    if when != "before":
        remote.hook(when, f"{cut}\necho x >> {tmp_path}/{when}; exit 0")
    script = tmp_path / "command"
    before = cut if when == "before" else "true"
    script.write_text(SSH_THAT_CUTS.format(folder=tmp_path, before=before))
    script.chmod(0o755)
    with serve_ssh(tmp_path / "ssh", command=str(script)) as host:
        monkeypatch.setenv(
            "GIT_SSH_COMMAND",
            f"ssh -i {host.key} -o UserKnownHostsFile={host.known_hosts} -o BatchMode=yes",
        )

        receipts = open_store(host.url(remote.folder)).commit([one("a"), one("b")])

    assert (tmp_path / "cut").exists()
    assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * 2
    assert receipts[-1].revision == remote.tip()
    assert remote.subjects() == ["Update a", "Update b"]


FAULTS = [
    *(Fault(cut=cut) for cut in Cut),
    *(Fault(answer=Answer(status)) for status in (408, 429, 500, 502, 503, 504)),
    Fault(wait=0.05),
    None,
    None,
]


@pytest.mark.drill
@pytest.mark.parametrize("seed", rounds(usual=3, long=20))
def test_a_host_that_fails_at_random_loses_nothing_and_does_nothing_twice(
    remote: Remote, open_store: OpenStore, host: GitHost, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (a drill, not a secret)
    host.fault = lambda _: chance.choice(FAULTS) if chance.random() < 0.4 else None
    store = open_store(host.url("remote.git"), settings=GitSettings(one_commit_a_flush=False))
    asked = [[one(f"{flush}{key}") for key in "ab"] for flush in range(6)]
    revisions: list[str | None] = []

    for changes in asked:
        outcomes = {Outcome.STALE}
        for _ in range(60):
            try:
                receipts = store.commit(changes)
            except TransientError:
                continue
            outcomes = {receipt.outcome for receipt in receipts}
            revisions += [receipt.revision for receipt in receipts]
            break
        assert outcomes == {Outcome.WRITTEN}

    assert remote.subjects() == [f"Update {flush}{key}" for flush in range(6) for key in "ab"]
    assert revisions == remote.git("rev-list", "--reverse", "main").split()
    assert len(remote.files(RECORDS)) == len(remote.files()) == 12
    assert len(remote.pushes()) == 6


def test_a_push_that_is_forbidden_is_for_a_person_to_mend(
    open_store: OpenStore, host: GitHost
) -> None:
    host.fault = always(Fault(answer=Answer(403)))

    with pytest.raises(StoreError) as caught:
        open_store(host.url("remote.git")).commit([one("a")])

    assert seen_pushes(host) == 1
    assert caught.value.reason is Reason.STATE_STORE_REFUSED


def _wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)
