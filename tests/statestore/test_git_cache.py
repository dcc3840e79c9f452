"""The cache of a Git store: kept, thrown away, broken, shared; the remote is what counts."""

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.repositories import RECORDS, OpenStore, Remote, git

from troth.errors import Reason, StoreError, TransientError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import Author, GitSettings, GitStore
from troth_statestore.git._command import GitCommand


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"{key}/f": content}, record=content, title=f"Update {key}")


def version(store: GitStore, key: str) -> str:
    return store.snapshot().records()[key][1]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_cache_of_its_own_is_gone_when_the_store_is_closed(
    remote: Remote, temporary: Path
) -> None:
    store = GitStore(str(remote.folder))
    store.commit([one("a")])
    made = list(temporary.iterdir())

    store.close()

    assert len(made) == 1
    assert list(temporary.iterdir()) == []


KILLED = """
    import os, signal, sys
    from troth_statestore.git import GitStore

    store = GitStore(sys.argv[1])
    store.snapshot()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_cache_that_a_killed_process_left_behind_is_removed_by_the_next_store(
    remote: Remote, open_store: OpenStore, temporary: Path
) -> None:
    program = textwrap.dedent(KILLED)
    subprocess.run([sys.executable, "-c", program, str(remote.folder)], check=False)
    left = list(temporary.iterdir())

    open_store().snapshot()

    assert len(left) == 1
    assert not left[0].exists()


def test_a_cache_that_another_store_works_with_is_left_alone(
    open_store: OpenStore, temporary: Path
) -> None:
    open_store().snapshot()
    used = list(temporary.iterdir())

    open_store().snapshot()

    assert len(used) == 1
    assert used[0].exists()


def test_what_no_store_has_made_is_not_taken_for_what_one_left_behind(
    open_store: OpenStore, temporary: Path, tmp_path: Path
) -> None:
    for folder in (tmp_path / "others", temporary / "troth-others"):
        folder.mkdir()
        (folder / "file").touch()
    (temporary / "troth-cache-link").symlink_to(tmp_path / "others")
    (temporary / "troth-cache-file").touch()

    open_store().snapshot()

    assert (tmp_path / "others/file").exists()
    assert {"troth-others", "troth-cache-link", "troth-cache-file"} <= {
        path.name for path in temporary.iterdir()
    }


def test_a_closed_store_is_not_used_again(remote: Remote) -> None:
    store = GitStore(str(remote.folder))
    store.close()

    with pytest.raises(ValueError, match="was closed"):
        store.snapshot()


def test_nothing_is_made_before_a_store_is_used(tmp_path: Path, cache: Path) -> None:
    GitStore(str(tmp_path / "no-such.git"), settings=GitSettings(cache=cache)).close()

    assert not cache.exists()


def objects(folder: Path) -> set[str]:
    listed = git(
        *("--git-dir", folder, "cat-file", "--batch-all-objects"),
        "--batch-check=%(objectname)",
    )
    return set(listed.split())


def test_a_repository_of_this_machine_is_read_where_it_lies(
    remote: Remote, open_store: OpenStore, cache: Path
) -> None:
    open_store().commit([one("a")])

    snapshot = open_store(settings=GitSettings(cache=cache)).snapshot()

    assert snapshot.records()["a"][0] == b"1"
    assert list((cache / "troth-cache.git/objects").rglob("*.pack")) == []


def test_a_first_fetch_leaves_history_behind(
    remote: Remote, open_store: OpenStore, cache: Path
) -> None:
    store = open_store()
    [receipt] = store.commit([one("a")])
    store.commit([one("b")])

    open_store(settings=GitSettings(cache=cache, borrow=False)).snapshot()

    assert receipt.revision not in objects(cache / "troth-cache.git")
    assert remote.tip() in objects(cache / "troth-cache.git")


def test_a_kept_cache_is_used_by_the_next_store(
    remote: Remote, open_store: OpenStore, cache: Path
) -> None:
    settings = GitSettings(cache=cache, borrow=False)
    first = open_store(settings=settings)
    [receipt] = first.commit([one("a")])
    first.snapshot()
    first.close()
    open_store().commit([one("b")])

    second = open_store(settings=settings)

    assert sorted(second.snapshot().records()) == ["a", "b"]
    assert receipt.revision in objects(cache / "troth-cache.git")


def test_what_was_pushed_from_a_cache_is_not_fetched_back(
    remote: Remote, open_store: OpenStore, cache: Path, tmp_path: Path
) -> None:
    store = open_store(settings=GitSettings(cache=cache, borrow=False))
    large = hashlib.shake_256(b"").digest(300_000)
    store.commit([ChangeSet("a", None, {"large": large})])
    remote.clone(tmp_path / "clone").push({"small": "1"})

    store.snapshot()

    packs = (cache / "troth-cache.git/objects/pack").glob("*.pack")
    assert sum(pack.stat().st_size for pack in packs) < 2 * len(large)


def test_a_cache_serves_one_store_at_a_time(open_store: OpenStore, cache: Path) -> None:
    open_store(settings=GitSettings(cache=cache)).snapshot()

    with pytest.raises(TransientError, match="is in use by another") as caught:
        open_store(settings=GitSettings(cache=cache)).snapshot()

    assert caught.value.reason is Reason.STATE_STORE_BUSY


def test_a_cache_of_another_repository_is_made_anew(
    open_store: OpenStore, tmp_path: Path, cache: Path
) -> None:
    settings = GitSettings(cache=cache, borrow=False)
    first = open_store(settings=settings)
    [receipt] = first.commit([one("a")])
    first.close()

    other = open_store(str(Remote.create(tmp_path / "other.git").folder), settings=settings)

    assert other.snapshot().records() == {}
    assert receipt.revision not in objects(cache / "troth-cache.git")


def _truncate_packs(repository: Path) -> None:
    for pack in (repository / "objects/pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:50])


def _remove_objects(repository: Path) -> None:
    for file in (repository / "objects/pack").iterdir():
        file.unlink()


def _lock_refs(repository: Path) -> None:
    for name in ("refs/troth/remote/files.lock", "packed-refs.lock", "shallow.lock"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).touch()


def _break_refs(repository: Path) -> None:
    (repository / "refs/troth/remote").mkdir(parents=True, exist_ok=True)
    (repository / "refs/troth/remote/files").write_text("nonsense\n")


def _remove_head(repository: Path) -> None:
    (repository / "HEAD").unlink()


def _break_config(repository: Path) -> None:
    (repository / "config").write_text("[nonsense\n")


DAMAGES = [
    _truncate_packs,
    _remove_objects,
    _lock_refs,
    _break_refs,
    _remove_head,
    _break_config,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("borrow", [True, False])
def test_a_damaged_cache_is_made_anew_by_the_next_store(
    remote: Remote,
    open_store: OpenStore,
    cache: Path,
    damage: Callable[[Path], None],
    borrow: bool,
) -> None:
    settings = GitSettings(cache=cache, borrow=borrow)
    first = open_store(settings=settings)
    first.commit([one("a")])
    first.commit([one("b")])
    first.snapshot()
    first.close()

    damage(cache / "troth-cache.git")

    second = open_store(settings=settings)
    second.commit([one("c")])
    assert sorted(second.snapshot().records()) == ["a", "b", "c"]
    assert remote.subjects() == ["Update a", "Update b", "Update c"]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("borrow", [True, False])
@pytest.mark.parametrize("moved", [True, False])
def test_a_cache_that_is_damaged_while_in_use_is_made_anew(
    remote: Remote, open_store: OpenStore, cache: Path, damage: Callable[[Path], None],
    borrow: bool, moved: bool,
) -> None:  # fmt: skip
    store = open_store(settings=GitSettings(cache=cache, borrow=borrow))
    store.commit([one("a")])
    if moved:
        open_store().commit([one("b")])

    damage(cache / "troth-cache.git")

    store.commit([one("c")])
    assert sorted(store.snapshot().records()) == sorted({"a", "c"} | ({"b"} if moved else set()))
    assert remote.files(RECORDS).keys() == store.snapshot().records().keys()


def test_a_new_cache_does_not_forget_what_was_seen(
    remote: Remote, open_store: OpenStore, cache: Path
) -> None:
    store = open_store(settings=GitSettings(cache=cache, borrow=False))
    store.commit([one("a")])
    store.commit([one("b")])
    remote.git("update-ref", "refs/heads/main", "main~1")
    _remove_objects(cache / "troth-cache.git")

    with pytest.raises(StoreError, match="does not descend") as caught:
        store.commit([one("c")])

    assert caught.value.reason is Reason.HISTORY_REWRITTEN


def test_packs_do_not_pile_up_and_older_snapshots_stay_readable(
    open_store: OpenStore, cache: Path
) -> None:
    store = open_store(settings=GitSettings(cache=cache))
    store.commit([one("a", content=b"first")])
    snapshot = store.snapshot()

    for number in range(60):
        store.commit([ChangeSet("b", None, {"b/f": b"%d" % number})])

    assert len(list((cache / "troth-cache.git/objects/pack").glob("*.pack"))) < 50
    assert snapshot.records()["a"][0] == b"first"
    assert snapshot.read(["a/f"]) == {"a/f": b"first"}


def test_no_variable_or_setting_of_the_machine_reaches_git(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, remote: Remote, open_store: OpenStore
) -> None:
    (tmp_path / ".gitconfig").write_text('[url "/nowhere"]\n\tinsteadOf = /\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url./nowhere.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "/")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_NAMESPACE", "nowhere")

    [receipt] = open_store().commit([one("a")])

    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_CONFIG_COUNT"):
        monkeypatch.delenv(name)
    assert receipt.revision == remote.tip()


def test_certificates_are_checked_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "true")
    monkeypatch.setenv("GIT_SSL_CAINFO", "/our/own/bundle.pem")

    seen = GitCommand(None, 10).run("-c", "alias.environment=!env", "environment").text

    assert "GIT_SSL_NO_VERIFY" not in seen
    assert f"HOME={os.devnull}" in seen.splitlines()
    assert "GIT_SSL_CAINFO=/our/own/bundle.pem" in seen


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    script = """
        from troth.errors import StoreError
        from troth_statestore.git import GitStore
        try:
            GitStore("/nowhere").probe()
        except StoreError as error:
            print(error.reason, error)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
    )

    assert found.stdout.startswith("StateStoreUnsupported A state store in Git needs the program")


VICTIM = """
    import os, signal, sys
    from pathlib import Path
    from troth_statestore import ChangeSet
    from troth_statestore.git import Author, GitSettings, GitStore

    remote, cache, when = sys.argv[1:]

    def clock():
        if when == "before the import":
            os.kill(os.getpid(), signal.SIGKILL)
        return 1_700_000_000

    Path(remote, "victim").write_text(str(os.getpid()))
    settings = GitSettings(cache=Path(cache), borrow=False, clock=clock)
    store = GitStore(remote, settings=settings)
    store.commit([ChangeSet(k, None, {f"{k}/f": b"1"}, record=b"1") for k in "abc"])
"""


@pytest.mark.parametrize("when", ["before the import", "pre-receive", "post-receive"])
def test_a_writer_that_is_killed_leaves_all_or_nothing_and_a_cache_that_works(
    remote: Remote, open_store: OpenStore, cache: Path, when: str
) -> None:
    open_store().commit([one("z")])
    if when != "before the import":
        remote.hook(when, "cat > /dev/null; kill -9 $(cat victim)")
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(VICTIM), str(remote.folder), str(cache), when],
        check=False,
        env={**os.environ},
    )
    assert killed.returncode == -signal.SIGKILL
    remote.hook("pre-receive", "exit 0")
    remote.hook("post-receive", "exit 0")

    store = open_store(settings=GitSettings(cache=cache, borrow=False))
    before = set(store.snapshot().records())
    outcomes = {receipt.outcome for receipt in store.commit([one(key) for key in "abc"])}

    # The push of the one that was killed goes on without it, and may land only now.
    assert before in [{"z"}, set("abcz")]
    assert outcomes in [{Outcome.WRITTEN}, {Outcome.STALE}]
    assert remote.files() == {f"{key}/f": "1" for key in "abcz"}
    assert remote.files(RECORDS) == dict.fromkeys("abcz", "1")


def test_a_cache_that_cannot_be_made_is_an_error_of_the_store(
    open_store: OpenStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match="cannot be worked with from its cache"):
        open_store(settings=GitSettings(cache=tmp_path / "file/cache")).snapshot()


@pytest.mark.parametrize(("attempts", "timeout"), [(0, 1.0), (1, 0.0)])
def test_settings_that_would_do_nothing_are_refused(attempts: int, timeout: float) -> None:
    with pytest.raises(ValueError, match="do nothing"):
        GitSettings(attempts=attempts, timeout=timeout)


@pytest.mark.parametrize("name", ["", " ", "a <b>", "a\nb"])
def test_an_author_that_breaks_a_commit_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="author line"):
        Author(name)
