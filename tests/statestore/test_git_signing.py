"""Signed commits: git verifies each, and without a key that can sign nothing is written."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.repositories import RECORDS, OpenStore, Remote, git, git_fails
from support.signing_keys import Key, make_key, signed_by

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet
from troth_statestore.git import GitSettings, KeyFile

BRANCHES = ("main", RECORDS)
PHRASE = "open sesame"


@dataclass(frozen=True)
class InMemory:
    content: bytes
    name = "of the test"

    def read(self) -> bytes:
        return self.content


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return make_key(tmp_path / "key")


def signing(key: Key | Path, *, whole: bool = False) -> GitSettings:
    file = key.file if isinstance(key, Key) else key
    return GitSettings(
        signing_key=KeyFile(file), one_commit_a_flush=whole, clock=lambda: 1_700_000_000
    )


def change(name: str, content: str = "1") -> ChangeSet:
    return ChangeSet(
        name,
        None,
        {f"{name}/f": content.encode()},
        record=content.encode(),
        title=f"Update {name}",
        trailers=(("Troth-Request", name),),
    )


def test_every_commit_of_both_branches_is_verified_by_git(
    remote: Remote, open_store: OpenStore, key: Key
) -> None:
    store = open_store(settings=signing(key))

    store.commit([change("a"), change("b"), change("c")])
    store.commit([change("d")])

    assert signed_by(remote, "main", key) == [True] * 4
    assert signed_by(remote, RECORDS, key) == [True] * 2


@pytest.mark.parametrize("atomic", ["true", "false"])
def test_the_note_of_files_that_no_record_went_with_is_signed_too(
    remote: Remote, open_store: OpenStore, key: Key, atomic: str
) -> None:
    remote.git("config", "receive.advertiseAtomic", atomic)

    open_store(settings=signing(key)).commit([ChangeSet("a", None, {"f": b"1"})])

    assert remote.subjects(RECORDS)[-1] == f"Note {remote.tip()[:12]}"
    assert set(signed_by(remote, RECORDS, key)) == {True}
    assert remote.files(RECORDS) == {}


def test_a_signature_is_of_no_other_key(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    open_store(settings=signing(key)).commit([change("a")])

    assert signed_by(remote, "main", make_key(tmp_path / "other")) == [False]


@pytest.mark.parametrize("whole", [False, True])
def test_commits_below_a_path_on_top_of_others_work_are_signed(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path, *, whole: bool
) -> None:
    remote.clone(tmp_path / "clone").push({"top": "x"})

    open_store(path="clusters/blue", settings=signing(key, whole=whole)).commit(
        [change("a"), change("b")]
    )

    assert signed_by(remote, "main", key) == [False, *([True] if whole else [True, True])]
    assert remote.files() == {"top": "x", "clusters/blue/a/f": "1", "clusters/blue/b/f": "1"}


@pytest.mark.parametrize("options", [(), ("-m", "PKCS8"), ("-m", "PEM")], ids=str)
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa-2048"])
def test_a_key_of_each_kind_and_spelling_signs(
    remote: Remote, open_store: OpenStore, tmp_path: Path, kind: str, options: tuple[str, ...]
) -> None:
    key = make_key(tmp_path / "key", kind, *options)

    open_store(settings=signing(key)).commit([change("a"), change("b")])

    assert signed_by(remote, "main", key) == [True, True]


def test_a_signed_commit_says_what_an_unsigned_one_says(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    plain = Remote.create(tmp_path / "plain.git")
    store = open_store(str(plain.folder), settings=GitSettings(clock=lambda: 1_700_000_000))
    changes = [change("a"), change("ä", "ö")]
    store.commit(changes)

    open_store(settings=signing(key)).commit(changes)

    told = "--format=%T%n%an <%ae> %at%n%cn <%ce> %ct%n%B"
    assert remote.git("log", told, "main") == plain.git("log", told, "main")
    # Those of the records name commits of the files, whose ids differ by the signature.
    spoken = [
        re.sub("Troth-Files: .*", "", one.git("log", told, RECORDS)) for one in (remote, plain)
    ]
    assert spoken[0] == spoken[1]


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-256", "rsa-2048"])
def test_the_same_change_sets_make_the_same_signed_commits(
    remote: Remote, open_store: OpenStore, tmp_path: Path, kind: str
) -> None:
    key = make_key(tmp_path / "key", kind)
    again = Remote.create(tmp_path / "again.git")
    for url in (str(remote.folder), str(again.folder)):
        open_store(url, settings=signing(key)).commit([change("a"), change("b")])

    assert [again.tip(branch) for branch in BRANCHES] == [remote.tip(one) for one in BRANCHES]


def test_the_last_file_can_be_removed_by_a_signed_commit(
    remote: Remote, open_store: OpenStore, key: Key
) -> None:
    store = open_store(settings=signing(key))
    store.commit([change("a")])
    version = store.snapshot().records()["a"][1]

    store.commit([ChangeSet("a", version, delete=frozenset({"a/f"}))])

    assert remote.files() == {}
    assert signed_by(remote, "main", key) == [True, True]


def test_git_finds_nothing_wrong_with_signed_commits(
    remote: Remote, open_store: OpenStore, key: Key
) -> None:
    long = ChangeSet("b", None, {"b": b"2"}, title="x" * 70_000)  # a size in three bytes

    open_store(settings=signing(key)).commit([change("a"), long])

    assert remote.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""


def test_a_signed_flush_is_built_anew_when_others_were_faster(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    store = open_store(settings=signing(key))
    store.commit([change("a")])
    remote.clone(tmp_path / "clone").push({"foreign": "x"})

    store.commit([change("b")])

    assert signed_by(remote, "main", key) == [True, False, True]


def test_a_rotated_key_is_taken_up_by_the_next_write(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    store = open_store(settings=signing(tmp_path / "link"))
    (tmp_path / "link").symlink_to(key.file)
    store.commit([change("a")])
    other = make_key(tmp_path / "other")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(other.file)

    store.commit([change("b")])

    assert signed_by(remote, "main", key) == [True, False]
    assert signed_by(remote, "main", other) == [False, True]


def missing(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def empty(file: Path) -> None:
    file.write_text("")


def cut_off(file: Path) -> None:
    file.write_text(file.read_text()[:150])


def public(file: Path) -> None:
    file.write_text(Path(f"{file}.pub").read_text())


def replaced(kind: str, *options: str, passphrase: str = "") -> Callable[[Path], None]:
    def change_to(file: Path) -> None:
        file.unlink()
        Path(f"{file}.pub").unlink()
        make_key(file, kind, *options, passphrase=passphrase)

    return change_to


def replaced_by(made: Callable[[], PrivateKeyTypes]) -> Callable[[Path], None]:
    # What ssh-keygen does not make, or not any more.
    def change_to(file: Path) -> None:
        file.write_bytes(
            made().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    return change_to


UNUSABLE = [
    pytest.param(missing, "cannot be read: .*No such file", id="missing"),
    pytest.param(a_folder, "cannot be read: .*Is a directory", id="folder"),
    pytest.param(empty, "is no private key that can be read", id="empty"),
    pytest.param(cut_off, "is no private key that can be read", id="cut off"),
    pytest.param(public, "is no private key that can be read", id="public"),
    pytest.param(replaced("ed25519", passphrase=PHRASE), "protected by a passphrase", id="locked"),
    pytest.param(
        replaced("rsa-2048", "-m", "PKCS8", passphrase=PHRASE),
        "protected by a passphrase",
        id="locked PEM",
    ),
    pytest.param(replaced("rsa-1024"), "has 1024 bits, which are too few", id="weak"),
    pytest.param(replaced_by(ed448.Ed448PrivateKey.generate), "is of another kind", id="ed448"),
    pytest.param(
        replaced_by(lambda: ec.generate_private_key(ec.SECP256K1())),
        "secp256k1, which SSH does not know",
        id="curve",
    ),
]


@pytest.mark.parametrize(("spoil", "why"), UNUSABLE)
def test_without_a_key_that_can_sign_nothing_is_written(
    remote: Remote, open_store: OpenStore, key: Key, spoil: Callable[[Path], None], why: str
) -> None:
    store = open_store(settings=signing(key))
    store.commit([change("a")])
    before = [remote.tip(branch) for branch in BRANCHES]
    spoil(key.file)

    with pytest.raises(StoreError, match=why) as caught:
        store.commit([change("b")])

    assert caught.value.reason is Reason.SIGNING_KEY_UNUSABLE
    assert [remote.tip(branch) for branch in BRANCHES] == before


@pytest.mark.parametrize(("spoil", "why"), UNUSABLE)
def test_a_store_whose_key_cannot_sign_is_not_ready(
    open_store: OpenStore, key: Key, spoil: Callable[[Path], None], why: str
) -> None:
    store = open_store(settings=signing(key))
    store.probe()
    spoil(key.file)

    with pytest.raises(StoreError, match=why):
        store.probe()


def test_a_key_that_is_there_again_is_used_without_a_new_start(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    store = open_store(settings=signing(tmp_path / "later"))
    with pytest.raises(StoreError):
        store.commit([change("a")])

    (tmp_path / "later").symlink_to(key.file)
    store.commit([change("a")])

    assert signed_by(remote, "main", key) == [True]


def test_what_changes_nothing_needs_no_key(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    store = open_store(settings=signing(key))
    store.commit([change("a")])
    version = store.snapshot().records()["a"][1]
    missing(key.file)

    store.commit([ChangeSet("a", version, {"a/f": b"1"}, record=b"1")])

    assert len(remote.pushes()) == 1


def test_a_message_about_a_key_holds_nothing_of_it(
    open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    secret = key.file.read_text().splitlines()[1]
    cut_off(key.file)

    with pytest.raises(StoreError) as caught:
        open_store(settings=signing(key)).commit([change("a")])

    chain = [caught.value, caught.value.__cause__]
    assert secret[:20] not in "".join(map(repr, chain))
    assert caught.value.__suppress_context__


def test_a_key_is_left_in_no_file(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    content = key.file.read_bytes()
    settings = GitSettings(signing_key=InMemory(content), cache=cache)

    open_store(settings=settings).commit([change("a")])

    found = [
        Path(folder, name)
        for top in (cache, remote.folder)
        for folder, _, names in os.walk(top)
        for name in names
    ]
    assert found
    assert not any(content.splitlines()[1] in file.read_bytes() for file in found)


def test_an_interrupted_cache_is_no_reason_to_sign_worse(
    remote: Remote, open_store: OpenStore, key: Key, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    content = key.file.read_bytes()
    settings = GitSettings(signing_key=InMemory(content), cache=cache, borrow=False)
    store = open_store(settings=settings)
    store.commit([change("a")])
    for pack in (cache / "troth-cache.git/objects/pack").iterdir():
        pack.unlink()

    store.commit([change("b")])

    assert signed_by(remote, "main", key) == [True, True]
    assert not git_fails("--git-dir", remote.folder, "fsck", "--strict")
    assert git("--git-dir", remote.folder, "rev-list", "--count", "main") == "2"
