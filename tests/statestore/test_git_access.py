"""The ways in to a host: real servers with TLS and with ssh on loopback, good logins and bad."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from support.certificates import Certificates
from support.git_http import Answer, Fault, GitHost, Request, serve_git
from support.git_ssh import SshHost, make_key, serve_ssh
from support.proxy import serve_proxy
from support.repositories import OpenStore, Remote

from troth.errors import Reason, StoreError, TransientError, TrothError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.directory import DirectoryStore
from troth_statestore.git import BasicLogin, GitSettings, GitStore, Login, SshLogin
from troth_statestore.git._access import Access
from troth_statestore.git._command import GitCommand
from troth_statestore.git._location import Location

ONE = ChangeSet("a", None, {"f": b"1"}, record=b"x")
# Everything that a shell or a URL would trip over.
PASSWORD = "correct \"horse\" $(battery) 'staple'"  # noqa: S105  (of a server of these tests)


@dataclass
class Given:
    """Credentials that a test changes."""

    login: Login
    name: str = "Secret platform/fleet"
    asked: int = field(default=0)

    def read(self) -> Login:
        self.asked += 1
        return self.login


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def host(remote: Remote, certificates: Certificates) -> Iterator[GitHost]:
    users = {"team": PASSWORD, "x-access-token": "t0ken"}
    with serve_git(remote.folder.parent, tls=certificates.good, users=users) as serving:
        yield serving


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshHost]:
    with serve_ssh(tmp_path / "ssh") as serving:
        yield serving


class Opener:
    """Opens stores on the host over https."""

    def __init__(self, host: GitHost, certificates: Certificates, open_store: OpenStore) -> None:
        self.host = host
        self.certificates = certificates
        self.open_store = open_store

    def __call__(self, login: Login | Given | None, *, url: str | None = None) -> GitStore:
        given = Given(login) if isinstance(login, BasicLogin | SshLogin) else login
        settings = GitSettings(credentials=given, ca_file=self.certificates.bundle, timeout=30)
        return self.open_store(url or self.host.url("remote.git"), settings=settings)


@pytest.fixture
def over_https(host: GitHost, certificates: Certificates, open_store: OpenStore) -> Opener:
    return Opener(host, certificates, open_store)


def over_ssh(open_store: OpenStore, remote: Remote, sshd: SshHost, login: Login) -> GitStore:
    settings = GitSettings(credentials=Given(login), timeout=30)
    return open_store(sshd.url(remote.folder), settings=settings)


def ssh_login(sshd: SshHost) -> SshLogin:
    return SshLogin(sshd.key.read_text(), sshd.known_hosts.read_text())


def error_of(store: GitStore) -> TrothError:
    with pytest.raises(TrothError) as caught:
        store.probe()
    return caught.value


@pytest.mark.parametrize("login", [BasicLogin(PASSWORD, "team"), BasicLogin("t0ken")])
def test_a_store_is_written_over_https_with_a_password_or_a_token(
    remote: Remote, over_https: Opener, login: Login
) -> None:
    store = over_https(login)

    [receipt] = store.commit([ONE])

    assert receipt.outcome is Outcome.WRITTEN
    assert remote.files() == {"f": "1"}
    assert store.probe().refusal is None


def test_a_store_is_written_over_ssh_with_a_key(
    remote: Remote, open_store: OpenStore, sshd: SshHost
) -> None:
    store = over_ssh(open_store, remote, sshd, ssh_login(sshd))

    [receipt] = store.commit([ONE])

    assert receipt.outcome is Outcome.WRITTEN
    assert store.snapshot().read(["f"]) == {"f": b"1"}
    assert store.probe().refusal is None


@pytest.mark.parametrize("spoil", [lambda key: key.rstrip(), lambda key: key.replace("\n", "\r\n")])
def test_a_key_may_have_lost_its_line_ends(
    remote: Remote, open_store: OpenStore, sshd: SshHost, spoil: Callable[[str], str]
) -> None:
    login = SshLogin(spoil(sshd.key.read_text()), spoil(sshd.known_hosts.read_text()))

    over_ssh(open_store, remote, sshd, login).probe()


def test_a_changed_password_is_taken_up_without_opening_the_store_anew(over_https: Opener) -> None:
    given = Given(BasicLogin(PASSWORD, "team"))
    store = over_https(given)
    store.probe()
    over_https.host.users = {"team": "another"}
    refused = error_of(store)

    given.login = BasicLogin("another", "team")

    assert refused.reason is Reason.INVALID_CREDENTIALS
    assert store.commit([ONE])[0].outcome is Outcome.WRITTEN


def test_a_login_is_read_for_commands_that_speak_to_the_host_and_for_no_other(
    remote: Remote,
) -> None:
    given = Given(BasicLogin(PASSWORD, "team"))
    url = "https://127.0.0.1:1/x.git"
    git = GitCommand(remote.folder, 30, Access(Location.parse(url), given))
    git.run("rev-parse", "--git-dir")
    before = given.asked

    git.run("ls-remote", url)

    assert (before, given.asked) == (0, 1)


def test_a_wrong_password_is_named_with_where_it_comes_from(over_https: Opener) -> None:
    error = error_of(over_https(BasicLogin("wrong", "team")))

    assert (type(error), error.reason) == (StoreError, Reason.INVALID_CREDENTIALS)
    assert over_https.host.url("remote.git") in error.message
    assert "does not take this user name and password" in error.message
    assert "Secret platform/fleet" in error.message


def test_a_host_that_wants_a_login_is_told_apart_from_one_that_refuses_it(
    over_https: Opener,
) -> None:
    error = error_of(over_https(None))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert "there is none for it" in error.message


def test_a_user_name_or_password_with_a_line_end_is_refused_unshown(over_https: Opener) -> None:
    error = error_of(over_https(BasicLogin("canary\ncanary", "team")))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert "line end" in error.message
    assert "canary" not in error.message


def test_an_empty_password_is_no_login(over_https: Opener) -> None:
    assert "the password is empty" in error_of(over_https(BasicLogin(""))).message


@pytest.mark.parametrize("asks_first", [True, False])
def test_a_password_does_not_follow_a_redirect_to_another_host(
    over_https: Opener, remote: Remote, certificates: Certificates, asks_first: bool
) -> None:
    if not asks_first:
        over_https.host.users = None
    with serve_git(remote.folder.parent, tls=certificates.good) as elsewhere:

        def moved(request: Request) -> Fault:
            target = elsewhere.url(request.path.lstrip("/"), "localhost")
            return Fault(answer=Answer(301, {"Location": target}))

        def wants_a_login(request: Request) -> Fault:
            return Fault(answer=Answer(401, {"WWW-Authenticate": 'Basic realm="x"'}))

        over_https.host.fault = moved
        elsewhere.fault = wants_a_login
        error = error_of(over_https(BasicLogin(PASSWORD, "team")))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert elsewhere.requests
    assert [one for one in elsewhere.requests if "Authorization" in one.headers] == []


def test_a_redirect_may_not_leave_tls(over_https: Opener, remote: Remote) -> None:
    with serve_git(remote.folder.parent) as plain:
        over_https.host.fault = lambda request: Fault(
            answer=Answer(301, {"Location": plain.url(request.path.lstrip("/"))})
        )
        error = error_of(over_https(BasicLogin(PASSWORD, "team")))

    assert plain.requests == []
    assert isinstance(error, TrothError)


@pytest.mark.parametrize(
    ("kind", "why"),
    [("expired", "has expired"), ("other_host", "mismatch"), ("other_authority", "issuer")],
)
def test_a_bad_certificate_is_refused_with_what_is_wrong_with_it(
    over_https: Opener, kind: str, why: str, remote: Remote
) -> None:
    bad = getattr(over_https.certificates, kind)
    with serve_git(remote.folder.parent, tls=bad) as host:
        error = error_of(over_https(None, url=host.url("remote.git")))

    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert why in error.message.rpartition("The certificate: ")[2]


@pytest.mark.parametrize("kind", ["expired", "other_host", "other_authority"])
@pytest.mark.parametrize("careless", [False, True])
def test_a_bad_certificate_is_never_accepted_whatever_the_environment_says(
    remote: Remote,
    certificates: Certificates,
    open_store: OpenStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    careless: bool,
) -> None:
    if careless:
        (tmp_path / ".gitconfig").write_text("[http]\n\tsslVerify = false\n")
        for name, value in CARELESS.items():
            monkeypatch.setenv(name, value.format(home=tmp_path))
    certificate = getattr(certificates, kind)
    with serve_git(remote.folder.parent, tls=certificate, users={"team": PASSWORD}) as host:
        settings = GitSettings(
            credentials=Given(BasicLogin(PASSWORD, "team")), ca_file=certificates.bundle
        )
        error = error_of(open_store(host.url("remote.git"), settings=settings))

    assert (type(error), error.reason) == (StoreError, Reason.HOST_NOT_TRUSTED)
    assert host.requests == []


CARELESS = {
    "HOME": "{home}",
    "XDG_CONFIG_HOME": "{home}",
    "GIT_CONFIG_GLOBAL": "{home}/.gitconfig",
    "GIT_CONFIG_SYSTEM": "{home}/.gitconfig",
    "GIT_SSL_NO_VERIFY": "true",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "http.sslVerify",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_PARAMETERS": "'http.sslverify'='false'",
}


def test_a_certificate_of_ones_own_authority_needs_its_bundle(
    over_https: Opener, open_store: OpenStore
) -> None:
    settings = GitSettings(credentials=Given(BasicLogin(PASSWORD, "team")))

    error = error_of(open_store(over_https.host.url("remote.git"), settings=settings))

    assert error.reason is Reason.HOST_NOT_TRUSTED


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("nothing", "holds no certificate")]
)
def test_a_bundle_that_cannot_be_used_is_named(
    open_store: OpenStore, tmp_path: Path, content: str | None, words: str
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)

    error = error_of(open_store("https://127.0.0.1:1/x.git", settings=GitSettings(ca_file=bundle)))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert str(bundle) in error.message
    assert words in error.message


def test_a_proxy_by_the_usual_variable_carries_it(
    over_https: Opener, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_proxy("me:proxy-pass") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:proxy-pass@127.0.0.1:{proxy.port}")
        over_https(BasicLogin(PASSWORD, "team")).commit([ONE])

    assert set(proxy.asked) == {f"127.0.0.1:{over_https.host.port}"}
    assert remote.files() == {"f": "1"}


def test_a_proxy_that_is_told_to_stay_out_is_left_out(
    over_https: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        over_https(BasicLogin(PASSWORD, "team")).probe()

    assert proxy.asked == []


def test_a_proxy_that_wants_another_login_says_so_without_it(
    over_https: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_proxy("me:proxy-pass") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:proxy-wrong@127.0.0.1:{proxy.port}")
        error = error_of(over_https(BasicLogin(PASSWORD, "team")))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert "HTTPS_PROXY" in error.message
    assert "proxy-wrong" not in error.message


def test_a_host_that_nobody_knows_is_refused(
    remote: Remote, open_store: OpenStore, sshd: SshHost
) -> None:
    login = SshLogin(sshd.key.read_text(), "elsewhere.example.com ssh-ed25519 AAAA\n")

    error = error_of(over_ssh(open_store, remote, sshd, login))

    assert (type(error), error.reason) == (StoreError, Reason.HOST_NOT_TRUSTED)
    assert "have no key for this host" in error.message
    assert "Secret platform/fleet" in error.message


def test_a_host_that_shows_another_key_is_refused(
    remote: Remote, open_store: OpenStore, sshd: SshHost, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    login = SshLogin(sshd.key.read_text(), f"[127.0.0.1]:{sshd.port} {other}")

    error = error_of(over_ssh(open_store, remote, sshd, login))

    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert "shows another key" in error.message


def test_without_a_key_of_ours_an_unknown_host_is_refused_as_well(
    remote: Remote, open_store: OpenStore, sshd: SshHost
) -> None:
    error = error_of(open_store(sshd.url(remote.folder)))

    assert error.reason is Reason.HOST_NOT_TRUSTED


def test_a_key_that_the_host_does_not_know_is_refused_and_no_other_is_tried(
    remote: Remote,
    open_store: OpenStore,
    sshd: SshHost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Both would let us in, if they were asked.
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -i {sshd.key}")
    monkeypatch.setenv("GIT_SSH", "/bin/false")
    login = SshLogin(make_key(tmp_path / "other").read_text(), sshd.known_hosts.read_text())

    error = error_of(over_ssh(open_store, remote, sshd, login))

    assert (type(error), error.reason) == (StoreError, Reason.INVALID_CREDENTIALS)
    assert "does not take this key" in error.message


def pem_key(encrypted: bool) -> str:
    marks = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" if encrypted else ""
    return f"-----BEGIN RSA PRIVATE KEY-----\n{marks}AAAA\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("openssh", "it has a passphrase"),
        (pem_key(encrypted=True), "it has a passphrase"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "it has a passphrase",
        ),
        ("ssh-ed25519 AAAA me", "it is a public key"),
        ("secret-stuff", "it is no private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_before_anybody_is_asked(
    open_store: OpenStore, tmp_path: Path, key: str, words: str
) -> None:
    if key == "openssh":
        key = make_key(tmp_path / "key", "passphrase").read_text()
    settings = GitSettings(credentials=Given(SshLogin(key, "host ssh-ed25519 AAAA")))

    error = error_of(open_store("git@host.invalid:x.git", settings=settings))

    assert (type(error), error.reason) == (StoreError, Reason.INVALID_CREDENTIALS)
    assert f"Secret platform/fleet cannot be used: of the private key: {words}" in error.message
    assert "secret-stuff" not in error.message


def test_empty_known_hosts_are_told_before_anybody_is_asked(
    open_store: OpenStore, sshd: SshHost, remote: Remote
) -> None:
    login = SshLogin(sshd.key.read_text(), "\n")

    assert "known hosts are empty" in error_of(over_ssh(open_store, remote, sshd, login)).message


@pytest.mark.parametrize(
    ("url", "login", "words"),
    [
        ("https://host/x.git", SshLogin("k", "h"), "invalid URL for SSH auth method: https://host"),
        ("git@host:x.git", BasicLogin("p"), "invalid URL for HTTPS auth method: git@host:x.git"),
        ("http://host/x.git", BasicLogin("p"), "invalid URL for HTTPS auth method: http://host"),
        ("/a/path", BasicLogin("p"), "invalid URL for HTTPS auth method: /a/path"),
    ],
)
def test_an_address_that_does_not_fit_the_login_is_refused_in_kratixs_words(
    open_store: OpenStore, url: str, login: Login, words: str
) -> None:
    error = error_of(open_store(url, settings=GitSettings(credentials=Given(login))))

    assert (type(error), error.reason) == (StoreError, Reason.INVALID_CREDENTIALS)
    assert words in error.message


def test_a_probe_tells_that_reading_is_allowed_and_writing_is_not(
    over_https: Opener, remote: Remote, tmp_path: Path
) -> None:
    tip = remote.clone(tmp_path / "clone").push({"f": "0"})
    over_https.host.fault = lambda request: (
        Fault(answer=Answer(403)) if "git-receive-pack" in request.path else None
    )

    probe = over_https(BasicLogin(PASSWORD, "team")).probe()

    assert probe.revision == tip
    assert isinstance(probe.refusal, StoreError)
    assert probe.refusal.reason is Reason.STATE_STORE_REFUSED
    assert "Secret platform/fleet" in probe.refusal.message


def test_an_empty_repository_may_be_written(
    over_https: Opener, remote: Remote, open_store: OpenStore, sshd: SshHost
) -> None:
    stores = (
        over_https(BasicLogin(PASSWORD, "team")),
        over_ssh(open_store, remote, sshd, ssh_login(sshd)),
        open_store(),
    )

    assert [store.probe().refusal for store in stores] == [None, None, None]


def test_a_folder_that_this_user_may_not_write_is_told_by_a_probe(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("platform: root may write everywhere")
    remote = Remote.create(tmp_path / "closed.git")
    plain = tmp_path / "closed"
    plain.mkdir()
    closed = (remote.folder / "objects", plain)
    for folder in closed:
        folder.chmod(0o555)
    git = GitStore(str(remote.folder))
    refusals = (git.probe().refusal, DirectoryStore(plain).probe().refusal)
    git.close()
    for folder in closed:
        folder.chmod(0o755)

    assert [str(one).rpartition("write to ")[2] for one in refusals] == [f"{f}." for f in closed]


def test_a_probe_writes_nothing(over_https: Opener, remote: Remote) -> None:
    over_https(BasicLogin(PASSWORD, "team")).probe()

    assert [one for one in over_https.host.requests if one.is_push] == []
    assert remote.git("for-each-ref") == ""


@pytest.mark.parametrize("ours", [True, False])
def test_ssh_is_told_to_give_up_a_host_that_falls_silent(
    open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    told = tmp_path / "told"
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}; exit 255\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    login = SshLogin(make_key(tmp_path / "key").read_text(), "host ssh-ed25519 AAAA")
    settings = GitSettings(credentials=Given(login) if ours else None)

    error_of(open_store("ssh://git@host/fleet.git", settings=settings))

    assert "ServerAliveInterval=15 -o ServerAliveCountMax=4" in told.read_text()


def test_a_host_that_hangs_up_in_the_handshake_may_be_back_later(open_store: OpenStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with suppress(OSError):  # the end
                while True:
                    connection, _ = server.accept()
                    connection.recv(1)
                    connection.shutdown(socket.SHUT_RDWR)
                    connection.close()

        thread = Thread(target=hang_up)
        thread.start()
        error = error_of(open_store(f"https://127.0.0.1:{server.getsockname()[1]}/x.git"))
        server.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert (type(error), error.reason) == (TransientError, Reason.STATE_STORE_UNREACHABLE)


def test_no_login_is_held_when_nobody_is_spoken_to(over_https: Opener) -> None:
    held: list[str] = []
    over_https.host.fault = lambda _: held.extend(logins_held())

    over_https(BasicLogin(PASSWORD, "team")).probe()

    assert held
    assert logins_held() == []


def logins_held() -> list[str]:
    found: list[str] = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # other threads close theirs
            found.append(str(one.readlink()))
    return [name for name in found if "troth-login" in name]
