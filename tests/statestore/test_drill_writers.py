"""Many writers at once, and writers that know only what was: nobody's change is lost or undone.

A leader that lost its lease, a request that was deleted and made again: two writers decided from
different moments. The version of the record that each saw decides, whoever comes first.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from support.drills import LONG, rounds
from support.git_http import Cut, Fault, Request, serve_git
from support.repositories import RECORDS, Clone, OpenStore, Remote, git, git_fails

from troth.errors import TransientError
from troth_statestore import ChangeSet, Outcome, Receipt
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitSettings, GitStore

SECONDS = 60.0 if LONG else 4.0
WRITERS = 4
PATIENCE = 60  # seconds until a test that hangs fails


def change(key: str, version: str | None, generation: int, uid: str = "u") -> ChangeSet:
    """Return what makes a request's files and record of one generation."""
    content = f"{uid} {generation}".encode()
    return ChangeSet(
        key,
        version,
        {f"{key}/f": content, f"{key}/of-{uid}-{generation}": content},
        frozenset({f"{key}/of-u-{one}" for one in range(9) if one != generation}),
        record=content,
        title=f"Update {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", str(generation))),
    )


def removal(key: str, version: str) -> ChangeSet:
    files = frozenset({f"{key}/f", *(f"{key}/of-u-{one}" for one in range(9))})
    return ChangeSet(key, version, delete=files, title=f"Remove {key}")


def version(store: GitStore, key: str = "r") -> str:
    return store.snapshot().records()[key][1]


def holds(remote: Remote, generation: int, uid: str = "u") -> bool:
    content = f"{uid} {generation}"
    files = {"r/f": content, f"r/of-{uid}-{generation}": content}
    return remote.files() == files and remote.files(RECORDS) == {"r": content}


@pytest.fixture(params=[True, False], ids=["borrowing", "fetching"])
def settings(request: pytest.FixtureRequest) -> GitSettings:
    return GitSettings(borrow=bool(request.param))


def test_a_leader_that_lost_its_lease_writes_nothing_over_what_is_newer(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    old, new = open_store(settings=settings), open_store(settings=settings)
    old.commit([change("r", None, 3)])
    seen = version(old)
    assert version(new) == seen

    [fifth] = new.commit([change("r", seen, 5)])
    [fourth] = old.commit([change("r", seen, 4)])

    assert (fifth.outcome, fourth.outcome) == (Outcome.WRITTEN, Outcome.STALE)
    assert holds(remote, 5)


def test_a_leader_that_wrote_last_before_it_lost_its_lease_is_written_over(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    old, new = open_store(settings=settings), open_store(settings=settings)
    old.commit([change("r", None, 3)])
    seen = version(new)

    old.commit([change("r", seen, 4)])
    [early] = new.commit([change("r", seen, 5)])
    [again] = new.commit([change("r", version(new), 5)])

    assert (early.outcome, again.outcome) == (Outcome.STALE, Outcome.WRITTEN)
    assert holds(remote, 5)


@pytest.mark.parametrize("atomic", ["true", "false"])
def test_a_push_of_the_old_leader_that_arrives_late_changes_nothing(
    remote: Remote, open_store: OpenStore, atomic: str
) -> None:
    remote.git("config", "receive.advertiseAtomic", atomic)
    new = open_store()
    new.commit([change("r", None, 3)])
    seen = version(new)
    arrived, go_on = threading.Event(), threading.Event()
    with serve_git(remote.folder.parent) as host, ThreadPoolExecutor() as pool:
        old = open_store(host.url("remote.git"))
        assert version(old) == seen

        def hold(request: Request) -> None:
            if request.is_push:
                arrived.set()
                assert go_on.wait(PATIENCE)

        host.fault = hold
        fourth = pool.submit(old.commit, [change("r", seen, 4)])
        assert arrived.wait(PATIENCE)
        [fifth] = new.commit([change("r", seen, 5)])
        go_on.set()

        assert [one.outcome for one in fourth.result(PATIENCE)] == [Outcome.STALE]
    assert fifth.outcome is Outcome.WRITTEN
    assert holds(remote, 5)


def test_a_push_of_the_old_leader_whose_answer_is_lost_is_not_sent_again_over_the_new(
    remote: Remote, open_store: OpenStore
) -> None:
    new = open_store()
    new.commit([change("r", None, 3)])
    seen = version(new)
    with serve_git(remote.folder.parent) as host:
        old = open_store(host.url("remote.git"))

        def lose(request: Request) -> Fault | None:
            if not request.is_push:
                return None
            host.fault = lambda _: None
            new.commit([change("r", seen, 5)])
            return Fault(cut=Cut.BEFORE)

        host.fault = lose
        [fourth] = old.commit([change("r", seen, 4)])

    assert fourth.outcome is Outcome.STALE
    assert holds(remote, 5)


def test_what_was_deleted_and_made_again_is_not_written_over_by_who_knows_the_old_one(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    old, new = open_store(settings=settings), open_store(settings=settings)
    old.commit([change("r", None, 3)])
    seen = version(old)
    new.commit([removal("r", seen)])
    new.commit([change("r", None, 1, uid="v")])

    receipts = [
        old.commit([change("r", seen, 4)])[0],
        old.commit([removal("r", seen)])[0],
        old.commit([change("r", None, 4)])[0],
    ]

    assert [receipt.outcome for receipt in receipts] == [Outcome.STALE] * 3
    assert holds(remote, 1, uid="v")


@pytest.mark.drill
@pytest.mark.parametrize("seed", rounds(usual=2, long=8))
def test_of_two_leaders_the_newer_wins_in_whatever_order_they_come(
    remote: Remote, open_store: OpenStore, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (a drill, not a secret)
    first = open_store()
    first.commit([change("r", None, 0)])

    def lead(latest: int) -> None:
        """Write up to the generation that this leader knows of, as long as it is the newer."""
        store = open_store()
        for _ in range(20):
            content, seen = store.snapshot().records()["r"]
            time.sleep(chance.uniform(0, 0.05))
            if int(content.split()[1]) >= latest:
                return
            store.commit([change("r", seen, latest)])

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(lead, latest) for latest in (4, 5)]:
            done.result(PATIENCE)

    assert holds(remote, 5)


def keep_writing(store: GitStore, name: str, end: float) -> list[Receipt]:
    """Hand in batches of changes through a flusher until the time is over."""
    flusher = Flusher(store)
    found: list[Receipt] = []
    for batch in itertools.count():
        if time.monotonic() > end:
            break
        left = [change(f"{name}/{batch}-{number}", None, 1) for number in range(3)]
        while left:
            futures = flusher.submit_all(left)
            busy = [one for one, future in zip(left, futures, strict=True) if is_busy(future)]
            found += [future.result() for future in futures if future.exception() is None]
            left = busy
    flusher.close()
    return found


def is_busy(future: Future[Receipt]) -> bool:
    error = future.exception(PATIENCE)
    assert error is None or isinstance(error, TransientError)
    return error is not None


def keep_pushing(clone: Clone, end: float) -> list[str]:
    """Commit and push by hand until the time is over; return what was pushed."""
    found: list[str] = []
    for number in itertools.count():
        if time.monotonic() > end:
            return found
        path = f"by-hand/{number}"
        for _ in range(1000):
            git("-C", clone.folder, "fetch", "-q", "origin", "main")
            git("-C", clone.folder, "reset", "-q", "--hard", "origin/main")
            (clone.folder / "by-hand").mkdir(exist_ok=True)
            (clone.folder / path).write_text("x")
            git("-C", clone.folder, "add", path)
            git("-C", clone.folder, "commit", "-q", "-m", f"By hand {number}")
            if not git_fails("-C", clone.folder, "push", "-q", "origin", "HEAD:main"):
                found.append(path)
                break
        time.sleep(0.3)
    raise AssertionError


@pytest.mark.drill
def test_four_writers_and_a_person_at_one_branch_lose_nothing(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    clone.push({"foreign": "1"}, "Begin")
    stores = [open_store(settings=GitSettings(attempts=20)) for _ in range(WRITERS)]
    end = time.monotonic() + SECONDS

    with ThreadPoolExecutor() as pool:
        writing = [
            pool.submit(keep_writing, store, f"w{number}", end)
            for number, store in enumerate(stores)
        ]
        pushing = pool.submit(keep_pushing, clone, end)
        receipts = [one for done in writing for one in done.result(SECONDS + PATIENCE)]
        by_hand = pushing.result(SECONDS + PATIENCE)

    assert by_hand
    assert {receipt.outcome for receipt in receipts} == {Outcome.WRITTEN}
    assert {receipt.key.partition("/")[0] for receipt in receipts} == {"w0", "w1", "w2", "w3"}
    assert Counter(remote.subjects()) == Counter([
        "Begin",
        *(f"Update {receipt.key}" for receipt in receipts),
        *(f"By hand {number}" for number in range(len(by_hand))),
    ])  # fmt: skip
    history = remote.git("rev-list", "main").split()
    assert {receipt.revision for receipt in receipts} <= set(history)
    assert not remote.git("rev-list", "--min-parents=2", "main")
    assert sorted(remote.files(RECORDS)) == sorted(receipt.key for receipt in receipts)
    expected = {"foreign", *by_hand}
    expected |= {f"{one.key}/{name}" for one in receipts for name in ("f", "of-u-1")}
    assert remote.files().keys() == expected


def held(remote: Remote, tmp_path: Path, branch: str) -> Callable[[], None]:
    """Keep pushes to a branch in a hook; return what lets them go on."""
    remote.hook(
        "pre-receive",
        f"cat > refs.$$; grep -q refs/heads/{branch} refs.$$ || exit 0\n"
        f"touch {tmp_path}/held; while [ ! -e {tmp_path}/free ]; do sleep 0.05; done",
    )
    return (tmp_path / "free").touch


@pytest.mark.parametrize("apart", ["branch", "repository"])
def test_writers_for_different_places_do_not_wait_for_each_other(
    remote: Remote, open_store: OpenStore, tmp_path: Path, apart: str
) -> None:
    other = Remote.create(tmp_path / "other.git")
    let_go = held(remote, tmp_path, "main")
    stuck = Flusher(open_store())
    free = Flusher(
        open_store(branch="team") if apart == "branch" else open_store(str(other.folder))
    )

    waiting = stuck.submit(change("a", None, 1))
    _wait_for((tmp_path / "held").exists)
    landed = [free.submit(change(key, None, 1)).result(PATIENCE) for key in "abc"]

    assert {receipt.outcome for receipt in landed} == {Outcome.WRITTEN}
    assert not waiting.done()
    let_go()
    assert waiting.result(PATIENCE).outcome is Outcome.WRITTEN
    stuck.close()
    free.close()


def _wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)
