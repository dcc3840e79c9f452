"""What a Git store says when the remote will not: real git, real refusals, the remote's words."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from support.repositories import OpenStore, Remote, git

from troth.errors import (
    FOREIGN_TEXT_LIMIT,
    InvalidInputError,
    Reason,
    StoreError,
    TransientError,
    TrothError,
    WriteRefusedError,
)
from troth_statestore import ChangeSet
from troth_statestore.git import GitSettings, GitStore, local_folder
from troth_statestore.git._errors import ROWS
from troth_statestore.git._location import Location, scrub

ONE = ChangeSet("a", None, {"f": b"1"}, record=b"x")


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve HTTP on a port of this machine, giving every request the same status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def probe_error(url: str) -> TrothError:
    store = GitStore(url, settings=GitSettings(timeout=20))
    try:
        with pytest.raises(TrothError) as caught:
            store.probe()
    finally:
        store.close()
    return caught.value


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (401, StoreError, Reason.INVALID_CREDENTIALS),
        (403, StoreError, Reason.STATE_STORE_REFUSED),
        (404, StoreError, Reason.STATE_STORE_UNREACHABLE),
        (429, TransientError, Reason.STATE_STORE_UNREACHABLE),
        (500, TransientError, Reason.STATE_STORE_UNREACHABLE),
        (503, TransientError, Reason.STATE_STORE_UNREACHABLE),
    ],
)
def test_what_a_host_answers_over_http_says_who_must_act(
    status: int, error: type[TrothError], reason: Reason
) -> None:
    with answering(status) as port:
        caught = probe_error(f"http://127.0.0.1:{port}/team/repo.git")

    assert (type(caught), caught.reason) == (error, reason)
    assert f"http://127.0.0.1:{port}/team/repo.git" in caught.message


def test_a_host_without_a_good_certificate_is_refused() -> None:
    with answering(200) as port:
        caught = probe_error(f"https://127.0.0.1:{port}/repo.git")

    assert (type(caught), caught.reason) == (StoreError, Reason.HOST_NOT_TRUSTED)
    assert "never left unverified" in caught.message


def test_a_host_that_does_not_listen_may_be_back_later() -> None:
    caught = probe_error(f"git://127.0.0.1:{closed_port()}/repo.git")

    assert (type(caught), caught.reason) == (TransientError, Reason.STATE_STORE_UNREACHABLE)


def test_a_host_that_has_no_address_may_have_one_later() -> None:
    caught = probe_error("http://host.invalid/repo.git")

    assert (type(caught), caught.reason) == (TransientError, Reason.STATE_STORE_UNREACHABLE)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("git@host: Permission denied (publickey).", Reason.INVALID_CREDENTIALS),
        ("Host key verification failed.", Reason.HOST_NOT_TRUSTED),
    ],
)
def test_ssh_that_is_not_let_in_is_for_a_person_to_mend(
    monkeypatch: pytest.MonkeyPatch, words: str, reason: Reason
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", f"echo '{words}' >&2; exit 255; :")

    caught = probe_error("git@host:team/repo.git")

    assert (type(caught), caught.reason) == (StoreError, reason)
    assert words in caught.message


def test_a_path_without_a_repository_is_for_a_person_to_mend(tmp_path: Path) -> None:
    caught = probe_error(str(tmp_path / "nothing"))

    assert (type(caught), caught.reason) == (StoreError, Reason.STATE_STORE_UNREACHABLE)
    assert "create the repository" in caught.message


def test_a_repository_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("platform: only root can give a folder to another user")
    remote = Remote.create(tmp_path / "theirs.git")
    os.chown(remote.folder, 12345, 12345)

    caught = probe_error(str(remote.folder))

    assert (type(caught), caught.reason) == (StoreError, Reason.STATE_STORE_REFUSED)


def test_nothing_that_runs_a_program_is_taken_for_a_transport() -> None:
    # Whatever slips through the reading of the URL is stopped by git itself.
    store = GitStore("ssh://host/x")
    store._target = type(store._target)(
        Location("ext::true", "ext::true", None), store._target.branches, ""
    )
    try:
        with pytest.raises(StoreError, match="transport 'ext' not allowed") as caught:
            store.probe()
    finally:
        store.close()
    assert caught.value.reason is Reason.STATE_STORE_UNSUPPORTED


@pytest.mark.parametrize("borrow", [True, False])
@pytest.mark.parametrize("filled", [True, False])
def test_a_sha256_repository_is_refused_clearly(
    tmp_path: Path, open_store: OpenStore, borrow: bool, filled: bool
) -> None:
    git("init", "-q", "--bare", "-b", "main", "--object-format=sha256", tmp_path / "r.git")
    if filled:
        remote = Remote(tmp_path / "r.git")
        tree = remote.git("hash-object", "-t", "tree", "-w", os.devnull)
        remote.git("update-ref", "refs/heads/main", remote.git("commit-tree", "-m", "One", tree))
    store = open_store(str(tmp_path / "r.git"), settings=GitSettings(borrow=borrow))

    with pytest.raises(StoreError, match="SHA-256") as caught:
        store.commit([ONE])

    assert caught.value.reason is Reason.STATE_STORE_UNSUPPORTED


def test_an_empty_sha256_repository_of_this_machine_is_refused_before_anything_is_written(
    tmp_path: Path, open_store: OpenStore
) -> None:
    git("init", "-q", "--bare", "--object-format=sha256", tmp_path / "r.git")

    with pytest.raises(StoreError, match="SHA-256"):
        open_store(str(tmp_path / "r.git")).probe()


HOOKS: dict[str, tuple[str, str]] = {
    "before anything": ("pre-receive", "cat > /dev/null; echo 'GH006: no.' >&2; exit 1"),
    "for one branch": ("update", "echo 'GH006: no.' >&2; exit 1"),
    "in words that git uses for a race": (
        "pre-receive",
        "cat > /dev/null; echo 'GH006: no. fetch first (stale info)' >&2; exit 1",
    ),
}


@pytest.mark.parametrize(("name", "script"), HOOKS.values(), ids=HOOKS)
def test_a_hook_that_refuses_is_quoted(
    remote: Remote, open_store: OpenStore, name: str, script: str
) -> None:
    remote.hook(name, script)

    with pytest.raises(
        WriteRefusedError, match=r"(?s)refused the push: GH006: no\..*hook declined"
    ) as caught:
        open_store().commit([ONE])

    assert caught.value.reason is Reason.STATE_STORE_REFUSED
    assert remote.pushes() == []


def test_a_talkative_hook_is_cut_short(remote: Remote, open_store: OpenStore) -> None:
    remote.hook("pre-receive", "cat > /dev/null; yes 'no no no' | head -5000 >&2; exit 1")

    with pytest.raises(StoreError) as caught:
        open_store().commit([ONE])

    assert len(caught.value.message) < FOREIGN_TEXT_LIMIT + 500


def test_a_branch_that_is_checked_out_is_refused_in_gits_words(
    tmp_path: Path, open_store: OpenStore
) -> None:
    git("init", "-q", "-b", "main", tmp_path / "worktree")
    git("-C", tmp_path / "worktree", "commit", "-q", "--allow-empty", "-m", "Begin")

    with pytest.raises(StoreError, match="refusing to update checked out branch") as caught:
        open_store(str(tmp_path / "worktree")).commit([ONE])

    assert caught.value.reason is Reason.STATE_STORE_REFUSED


def test_a_branch_in_the_way_of_the_records_is_named(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    remote.clone(tmp_path / "clone").push({"f": "0"})
    remote.git("branch", "troth", "main")

    with pytest.raises(StoreError, match="'refs/heads/troth' exists; cannot create") as caught:
        open_store().commit([ONE])

    assert caught.value.reason is Reason.STATE_STORE_REFUSED


def test_a_remote_that_never_answers_is_given_up(remote: Remote, open_store: OpenStore) -> None:
    remote.hook("pre-receive", "exec sleep 60")
    store = open_store(settings=GitSettings(timeout=2))

    with pytest.raises(TransientError, match="took longer than 2 seconds") as caught:
        store.commit([ONE])

    assert caught.value.reason is Reason.STATE_STORE_UNREACHABLE


def test_after_a_refusal_the_same_change_sets_can_be_handed_in_again(
    remote: Remote, open_store: OpenStore
) -> None:
    remote.hook("pre-receive", "exit 1")
    store = open_store()
    with pytest.raises(StoreError):
        store.commit([ONE])
    remote.hook("pre-receive", "exit 0")

    store.commit([ONE])

    assert remote.files() == {"f": "1"}


WORDS: dict[str, str] = {
    "fatal: mismatched algorithms: client sha1; server sha256": Reason.STATE_STORE_UNSUPPORTED,
    "fatal: transport 'ext' not allowed": Reason.STATE_STORE_UNSUPPORTED,
    "fatal: detected dubious ownership in repository at '/x'": Reason.STATE_STORE_REFUSED,
    "error: RPC failed; HTTP 429 curl 22 The requested URL returned error: 429": (
        Reason.STATE_STORE_UNREACHABLE
    ),
    "remote: Permission to a/b denied to c.\nfatal: unable to access 'https://x/': "
    "The requested URL returned error: 403": Reason.STATE_STORE_REFUSED,
    "fatal: unable to access 'https://x/': CONNECT tunnel failed, response 407": (
        Reason.INVALID_CREDENTIALS
    ),
    "fatal: could not read Username for 'https://x': terminal prompts disabled": (
        Reason.INVALID_CREDENTIALS
    ),
    "fatal: Authentication failed for 'https://x/'": Reason.INVALID_CREDENTIALS,
    "git@x: Permission denied (publickey).": Reason.INVALID_CREDENTIALS,
    "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.": (
        Reason.HOST_NOT_TRUSTED
    ),
    "No ED25519 host key is known for x.\nHost key verification failed.": (Reason.HOST_NOT_TRUSTED),
    "fatal: unable to access 'https://x/': gnutls_handshake() failed: The TLS connection was "
    "non-properly terminated.": Reason.STATE_STORE_UNREACHABLE,
    "fatal: unable to access 'https://x/': server certificate verification failed": (
        Reason.HOST_NOT_TRUSTED
    ),
    "remote: Repository not found.\nfatal: repository 'https://x/' not found": (
        Reason.STATE_STORE_UNREACHABLE
    ),
    "error: RPC failed; curl 56\nfatal: the remote end hung up unexpectedly": (
        Reason.STATE_STORE_UNREACHABLE
    ),
}


def test_the_table_has_no_row_that_no_words_lead_to() -> None:
    reached = [next(row for row in ROWS if row.pattern.search(words)) for words in WORDS]

    assert reached == list(ROWS)
    assert [row.reason for row in reached] == list(WORDS.values())


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@host/repo.git",
        "https://s3cret@host/repo.git",
        "http://user:s3cret@host/repo.git",
        "ssh://git:s3cret@host/repo.git",
        "file://user:s3cret@host/repo.git",
        "user:s3cret@host:repo.git",
        "user:s3cret@host/repo.git",
        "https//user:s3cret@host/repo.git",
        "https:/user:s3cret@host/repo.git",
        "HTTPS:/s3cret@host/repo.git",
        "htps//s3cret@host/repo.git",
        "https:///s3cret@host/repo.git",
        "host:repo.git?token=s3cret",
        "https:/host/repo.git#s3cret",
        "ext::sh -c s3cret",
        "ftp://host/s3cret",
        "--upload-pack=s3cret",
        "https://[s3cret/",
        "s3cret\n",
        "",
    ],
)
def test_a_url_that_is_refused_is_not_repeated(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        GitStore(url)

    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("https://host/team/repo.git", "https://host/team/repo.git"),
        ("ssh://git@host:22/repo.git", "ssh://host:22/repo.git"),
        ("git@host:team/repo.git", "git@host:team/repo.git"),
        ("host:repo", "host:repo"),
    ],
)
def test_a_host_is_described_without_who_asks(url: str, description: str) -> None:
    assert Location.parse(url).description == description
    assert local_folder(url) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a/repo.git", "/a/repo.git"),
        ("/a:b/repo", "/a:b/repo"),
        ("./a:b", f"{Path.cwd()}/a:b"),
        ("file:///a/with%20space", "/a/with space"),
    ],
)
def test_a_path_is_a_folder_of_this_machine(url: str, expected: str) -> None:
    assert local_folder(url) == Path(expected)


def test_user_info_is_taken_out_of_what_git_says() -> None:
    said = "fatal: unable to access 'https://user:s3cret@host/repo/': no"

    assert scrub(said) == "fatal: unable to access 'https://host/repo/': no"


def test_a_password_that_holds_an_at_sign_is_taken_out_whole() -> None:
    assert scrub("'https://me@home:s3c@ret@host/repo/'") == "'https://host/repo/'"


@pytest.mark.parametrize(
    "branch",
    ["", "-x", "a b", "a..b", "a~b", "a^", "a:b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock",
     "a.lock/b", "a@{b", "@", "a\\b", "a\n", "troth/records/main"],
)  # fmt: skip
def test_what_can_be_no_branch_is_refused(branch: str) -> None:
    with pytest.raises(InvalidInputError, match="branch"):
        GitStore("/x", branch)


@pytest.mark.parametrize("path", ["..", "a/../b", ".git", "a//b", ".troth"])
def test_a_path_that_is_not_safe_is_refused(path: str) -> None:
    with pytest.raises(InvalidInputError, match="is not safe") as caught:
        GitStore("/x", path=path)

    assert caught.value.reason is Reason.UNSAFE_PATH
