"""The leak hunt finds what it looks for: secrets that were planted, each in one place."""

import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.month.leaks import Left, command_lines, hunt
from support.nats_system import raw_key
from support.repositories import RECORDS, Remote, git

from troth_pipelines.nats.nkeys import KeyKind, KeyPair

SEED = KeyPair.from_bytes(KeyKind.USER, raw_key("planted")).seed
SECRETS = {"the seed": SEED}


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    for folder in ("tmp", "site/platform"):
        (tmp_path / folder).mkdir(parents=True)
    remote = Remote.create(tmp_path / "store.git")
    remote.clone(tmp_path / "site" / "clone-0").push({"orders.yaml": "sealed"})
    return remote


def left(remote: Remote, lines: set[bytes] | None = None, **texts: list[str]) -> Left:
    folder = remote.folder.parent
    return Left(remote.folder, folder / "site", folder / "tmp", lines or set(), texts)


def in_a_file_that_was_removed_again(remote: Remote) -> None:
    clone = remote.clone(remote.folder.parent / "by-hand")
    clone.push({"creds": f"x{SEED}"})
    clone.push({"creds": "nothing"})


def in_a_record(remote: Remote) -> None:
    clone = remote.clone(remote.folder.parent / "by-hand").folder
    (clone / "record.yaml").write_text(f'{{"status": {{"seed": "{SEED}"}}}}')
    git("-C", clone, "add", "-A")
    git("-C", clone, "commit", "-q", "-m", "Record")
    git("-C", clone, "push", "-q", "origin", f"HEAD:{RECORDS}")


def in_a_message_of_a_commit(remote: Remote) -> None:
    remote.clone(remote.folder.parent / "by-hand").push({}, f"Update {SEED}")


def in_an_object_that_nothing_leads_to(remote: Remote) -> None:
    remote.git("hash-object", "-w", _file(remote, "loose", SEED))


def in_a_plain_secret(remote: Remote) -> None:
    creds = base64.b64encode(f"-----\n{SEED}\n-----".encode()).decode()
    remote.clone(remote.folder.parent / "by-hand").push({"secret.yaml": f"data: {creds}"})


def _file(remote: Remote, name: str, content: str) -> str:
    path = remote.folder.parent / name
    path.write_text(content)
    return str(path)


@pytest.mark.parametrize(
    "plant",
    [
        in_a_file_that_was_removed_again,
        in_a_record,
        in_a_message_of_a_commit,
        in_an_object_that_nothing_leads_to,
        in_a_plain_secret,
    ],
)
def test_what_was_planted_in_the_store_is_found(
    remote: Remote, plant: Callable[[Remote], None]
) -> None:
    assert hunt(SECRETS, left(remote)) == []

    plant(remote)

    assert hunt(SECRETS, left(remote)) == ["the seed in the store's objects"]


def test_what_was_planted_in_a_clone_is_found(remote: Remote) -> None:
    clone = remote.folder.parent / "site" / "clone-0"
    git("-C", clone, "hash-object", "-w", _file(remote, "loose", SEED))

    assert hunt(SECRETS, left(remote)) == ["the seed in the clones' objects"]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tmp/deep/left.part", "temporary files"),
        ("site/platform/request.yaml", "the platform's files"),
        ("site/clone-0/notes", "the clones' other files"),
        ("store.git/pushes", "the store's other files"),
    ],
)
@pytest.mark.parametrize("spell", [str, lambda seed: seed.encode().hex()], ids=["plain", "hex"])
def test_what_was_planted_in_a_file_is_found(
    remote: Remote, path: str, place: str, spell: Callable[[str], str]
) -> None:
    file = remote.folder.parent / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"a {spell(SEED)} b")

    assert hunt(SECRETS, left(remote)) == [f"the seed in {place}"]


@pytest.mark.parametrize("before", range(3))
def test_base64_is_found_wherever_the_secret_begins(remote: Remote, before: int) -> None:
    spelled = base64.b64encode(b"-" * before + SEED.encode() + b"\nmore").decode()

    assert hunt(SECRETS, left(remote, log=[spelled])) == ["the seed in log"]


def test_what_was_planted_in_an_error_is_found(remote: Remote) -> None:
    assert hunt(SECRETS, left(remote, errors=[f"no creds: {SEED!r}"])) == ["the seed in errors"]


def test_a_key_of_several_lines_is_found_in_json(remote: Remote) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n"

    found = hunt({"the key": key}, left(remote, log=[repr(key)]))

    assert found == ["the key in log"]


def test_what_was_planted_in_a_command_line_is_found(remote: Remote) -> None:
    wait = "import sys; sys.stdin.read()"
    with command_lines() as lines:
        process = subprocess.Popen([sys.executable, "-c", wait, SEED], stdin=subprocess.PIPE)
        try:
            for _ in range(1000):
                if any(SEED.encode() in line for line in set(lines)):
                    break
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.communicate(timeout=30)

    assert hunt(SECRETS, left(remote, lines)) == ["the seed in command lines"]
