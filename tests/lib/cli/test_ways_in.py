"""``troth`` on hosts that want a login: it gets in, says why not, and never shows the login.

Real hosts over https and ssh. A canary stands in place of each secret, and is looked for wherever a
secret may turn up while the commands run and afterwards.
"""

import base64
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from traceback import TracebackException

import pytest
from support.certificates import Certificates
from support.git_http import Answer, Fault, GitHost, Request, serve_git
from support.git_ssh import SshHost, make_key, serve_ssh
from support.repositories import Remote
from support.workspace import Run, Workspace

from troth.errors import StoreError
from troth.local import WaysIn, open_store
from troth.local.stores import named

CANARY = "c4n4ry/Passw0rd+%"
KEY = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"
LOGIN = base64.b64encode(f"team:{CANARY}".encode()).decode()

STORE = """\
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: fleet}}
spec: {{url: "{url}", authMethod: {method}, secretRef: {{name: login, namespace: platform}}}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {{name: worker}}
spec: {{path: worker, stateStoreRef: {{kind: GitStateStore, name: fleet}}}}
"""


@dataclass
class Watch:
    """Looks for secrets in all that can be seen of the machine's processes and of one folder."""

    secrets: tuple[str, ...]
    folder: Path
    found: set[str] = field(default_factory=set[str])
    looks: int = 0

    def look(self) -> None:
        """Look at every process and every file now."""
        self.looks += 1
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it is over
                words = (process / "cmdline").read_bytes()
                self._search(words, f"arguments {words!r}")
                if b"git" in words.split(b"\0")[0]:
                    self._search((process / "environ").read_bytes(), f"environment of {words!r}")
        for path in self.folder.rglob("*"):
            with suppress(OSError):  # it is gone
                if stat.S_ISREG(path.lstat().st_mode):
                    self._search(path.read_bytes(), str(path))

    def _search(self, content: bytes, where: str) -> None:
        if any(secret.encode() in content for secret in self.secrets):
            self.found.add(where)

    def said(self, run: Run) -> None:
        """Look at what a command said."""
        self._search(run.out.encode(), "standard output")
        self._search(run.err.encode(), f"standard error: {run.err}")


def password_file(folder: Path) -> Path:
    """Write the password where what is given lies."""
    path = folder / "secrets" / "password"
    path.parent.mkdir()
    path.write_text(CANARY)
    return path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote.create(tmp_path / "watched" / "fleet.git")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder whose secrets lie elsewhere, in ``tmp_path/secrets``."""
    for folder in ("work", "watched/temporary"):
        (tmp_path / folder).mkdir(parents=True)
    made = Workspace(tmp_path / "work")
    made.environ |= {
        "TMPDIR": str(tmp_path / "watched/temporary"),
        "HOME": str(tmp_path / "watched"),
        "TROTH_SECRETS_DIR": str(tmp_path / "secrets"),
    }
    made.ask("shop")
    return made


def put_secret(tmp_path: Path, **keys: str) -> None:
    folder = tmp_path / "secrets/platform/login"
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in keys.items():
        (folder / key).write_text(value)


@pytest.fixture
def host(remote: Remote, certificates: Certificates, workspace: Workspace) -> Iterator[GitHost]:
    users = {"team": CANARY}
    workspace.environ["TROTH_GIT_CA_FILE"] = str(certificates.bundle)
    with serve_git(remote.folder.parent, tls=certificates.good, users=users) as serving:
        yield serving


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshHost]:
    with serve_ssh(tmp_path / "ssh") as serving:
        yield serving


def sync(workspace: Workspace, *arguments: str) -> Run:
    return workspace.troth("--debug", "sync", "promise.yaml", "requests", *arguments)


def over_https(workspace: Workspace, host: GitHost) -> None:
    workspace.write(
        "requests/store.yaml", STORE.format(url=host.url("fleet.git"), method="basicAuth")
    )


def over_ssh(workspace: Workspace, sshd: SshHost, remote: Remote) -> None:
    workspace.write("requests/store.yaml", STORE.format(url=sshd.url(remote.folder), method="ssh"))


def test_nothing_secret_shows_over_https_in_success_and_failure(
    tmp_path: Path, workspace: Workspace, host: GitHost, remote: Remote
) -> None:
    watch = Watch((CANARY, LOGIN), tmp_path / "watched")
    put_secret(tmp_path, username="team", password=CANARY)
    over_https(workspace, host)
    host.fault = lambda _: watch.look()

    written = sync(workspace)
    watch.said(written)
    host.fault = echo
    watch.said(refused := sync(workspace))
    host.fault = lambda _: watch.look()
    host.users = {"team": "another"}
    watch.said(wrong := sync(workspace))
    watch.look()

    assert written.code == 0, written.err
    assert remote.subjects() == ["Create default/shop (namespace)"]
    assert watch.looks > 4
    assert "no access with Basic ***" in refused.err
    assert "InvalidCredentials" in wrong.err
    assert watch.found == set()


def echo(request: Request) -> Fault | None:
    """A host that sends back what it was shown."""
    login = request.headers.get("Authorization", "")
    return Fault(
        answer=Answer(403, {"Content-Type": "text/plain"}, f"no access with {login}".encode())
    )


def watch_push(ready: Path, watch: Watch) -> None:
    """Look while the push waits for its hook, which waits for this."""
    with ready.open("w") as gate:  # opens when the hook does
        watch.look()
        gate.write("go\n")


def test_nothing_secret_shows_over_ssh_in_success_and_failure(
    tmp_path: Path, workspace: Workspace, sshd: SshHost, remote: Remote
) -> None:
    key, other = sshd.key.read_text(), make_key(tmp_path / "ssh/other").read_text()
    bodies = tuple(line for text in (key, other) for line in text.splitlines()[1:-1])
    watch = Watch(bodies, tmp_path / "watched")
    remote.hook("pre-receive", "exec 3< ready; read -r _ <&3; cat > /dev/null")
    ready = remote.folder / "ready"
    os.mkfifo(ready)
    put_secret(tmp_path, sshPrivateKey=key, knownHosts=sshd.known_hosts.read_text())
    over_ssh(workspace, sshd, remote)
    # A daemon, for it waits for ever if there is no push.
    watching = Thread(target=watch_push, args=(ready, watch), daemon=True)
    watching.start()

    watch.said(written := sync(workspace))
    watching.join(timeout=60)
    put_secret(tmp_path, sshPrivateKey=other)
    watch.said(refused := sync(workspace))
    watch.look()

    assert written.code == 0, written.err
    assert watch.looks == 2
    assert "InvalidCredentials" in refused.err
    assert watch.found == set()


def test_no_error_in_the_chain_of_an_error_holds_the_password(
    host: GitHost, certificates: Certificates, tmp_path: Path
) -> None:
    token = password_file(tmp_path)
    ways = WaysIn(username="team", password_file=token, ca_file=certificates.bundle)
    host.fault = echo
    store = open_store(named(host.url("fleet.git"), None, ways), create=False)
    try:
        with pytest.raises(StoreError) as caught:
            store.probe()
    finally:
        store.close()

    everything = "".join(
        TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "no access with Basic ***" in everything
    assert CANARY not in repr(ways)
    assert {secret for secret in (CANARY, LOGIN) if secret in str(caught.value)} == set()


TROUBLE: dict[str, tuple[str, dict[str, str], str, str]] = {
    "a missing Secret": ("basicAuth", {}, "SecretNotFound",
                         "Secret login not found in namespace platform"),
    "a missing password": ("basicAuth", {"username": "team"}, "InvalidCredentials",
                           "password not found in secret platform/login"),
    "a wrong password": ("basicAuth", {"username": "team", "password": "wr0ng-canary"},
                         "InvalidCredentials", "Secret platform/login of GitStateStore fleet"),
    "a key for https": ("ssh", {"sshPrivateKey": KEY, "knownHosts": "h ssh-ed25519 A"},
                        "InvalidCredentials", "invalid URL for SSH auth method: https://"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "keys", "reason", "words"), TROUBLE.values(), ids=TROUBLE)
def test_a_sync_that_is_not_let_in_says_what_is_wrong_with_which_secret(
    tmp_path: Path,
    workspace: Workspace,
    host: GitHost,
    method: str,
    keys: dict[str, str],
    reason: str,
    words: str,
) -> None:
    if keys:
        put_secret(tmp_path, **keys)
    url = host.url("fleet.git")
    workspace.write("requests/store.yaml", STORE.format(url=url, method=method))

    run = sync(workspace)

    assert run.code == 1
    assert f"[{reason}]" in run.err
    assert words in run.err
    assert url in run.err
    assert "fleet" in run.err
    assert "canary" not in run.out + run.err


def test_a_login_for_the_store_that_the_command_names_comes_from_options_or_the_environment(
    tmp_path: Path, workspace: Workspace, host: GitHost
) -> None:
    token = password_file(tmp_path)
    by_file = ("--git-username", "team", "--git-password-file", str(token))

    first = sync(workspace, "-s", host.url("fleet.git"), *by_file)
    workspace.environ |= {"TROTH_GIT_USERNAME": "team", "TROTH_GIT_PASSWORD": CANARY}
    second = sync(workspace, "-s", host.url("fleet.git"))

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "1 unchanged" in second.out


def test_an_ssh_key_comes_from_options(workspace: Workspace, sshd: SshHost, remote: Remote) -> None:
    options = ("--git-ssh-key", str(sshd.key), "--git-known-hosts", str(sshd.known_hosts))

    run = sync(workspace, "-s", sshd.url(remote.folder), *options)

    assert run.code == 0, run.err
    assert remote.subjects() == ["Create default/shop (namespace)"]


def test_the_password_in_the_environment_goes_no_further(
    tmp_path: Path, workspace: Workspace, host: GitHost
) -> None:
    watch = Watch((CANARY,), tmp_path / "watched")
    host.fault = lambda _: watch.look()
    workspace.environ |= {"TROTH_GIT_USERNAME": "team", "TROTH_GIT_PASSWORD": CANARY}

    run = sync(workspace, "-s", host.url("fleet.git"))

    assert run.code == 0, run.err
    assert watch.looks > 0
    assert watch.found == set()


def test_stores_tries_each_and_says_why_one_is_not_ready(
    tmp_path: Path, workspace: Workspace, host: GitHost, remote: Remote
) -> None:
    tip = remote.clone(tmp_path / "clone").push({"f": "0"})
    over_https(workspace, host)
    away = STORE.format(url=host.url("other.git"), method="githubApp").replace("fleet", "away")
    workspace.write("requests/away.yaml", away.replace("worker", "far"))
    put_secret(tmp_path, username="team", password=CANARY)

    run = workspace.troth("stores", "requests", "-o", "json")

    assert run.code == 1
    assert run.items == {
        "fleet": {
            "name": "fleet",
            "place": host.url("fleet.git"),
            "branch": "main",
            "ready": "True",
            "reason": "StateStoreReady",
            "message": "State store is ready",
            "revision": tip,
        },
        "away": {
            "name": "away",
            "place": "",
            "branch": "",
            "ready": "False",
            "reason": "ErrorInitialisingWriter",
            "message": "GitStateStore away has the authMethod githubApp, which comes later; use "
            "basicAuth with a token, or ssh with a deploy key.",
            "revision": None,
        },
    }


def test_stores_tells_of_a_login_that_may_read_and_not_write(
    tmp_path: Path, workspace: Workspace, host: GitHost
) -> None:
    over_https(workspace, host)
    put_secret(tmp_path, username="team", password=CANARY)
    host.fault = lambda request: Fault(answer=Answer(403)) if "receive" in request.path else None

    run = workspace.troth("stores", "requests")

    assert run.code == 1
    assert "ErrorValidatingPermissions" in run.out
    assert "0 of 1 ready." in run.out


def test_stores_is_content_when_all_are_ready(
    tmp_path: Path, workspace: Workspace, remote: Remote
) -> None:
    run = workspace.troth("stores", "-s", str(remote.folder))

    assert (run.code, run.out.splitlines()[-1]) == (0, "1 of 1 ready.")


def test_stores_writes_nothing_and_makes_nothing(workspace: Workspace) -> None:
    run = workspace.troth("stores", "-s", "new.git")

    assert run.code == 1
    assert "troth sync makes it" in run.out
    assert not (workspace.path / "new.git").exists()
