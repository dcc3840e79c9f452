"""Which login a command takes to which store, and what it says when there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from troth.api import AuthMethod, GitStateStore, SecretRef
from troth.errors import InvalidInputError, Reason, StoreError
from troth.local import SecretsFolder, WaysIn
from troth.local.stores import choose
from troth_statestore.git import BasicLogin, Login, SshLogin

GONE = Path("/nowhere/gone")
FROM_ENVIRONMENT = "given"
HTTPS, SSH = "https://host/fleet.git", "git@host:fleet.git"


def store(method: AuthMethod = AuthMethod.BASIC) -> GitStateStore:
    secret = SecretRef("platform", "fleet")
    return GitStateStore("main", HTTPS, "main", "", "kratix", "", method, secret)


def login(ways: WaysIn, url: str) -> Login | None:
    credentials = ways.to(url)
    return None if credentials is None else credentials.read()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("a key")
    return tmp_path / "key"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("t0ken\n")
    return tmp_path / "token"


def test_a_password_comes_from_a_file_without_its_line_end(token: Path) -> None:
    assert login(WaysIn(password_file=token, username="team"), HTTPS) == BasicLogin("t0ken", "team")


def test_a_token_needs_no_user(token: Path) -> None:
    assert login(WaysIn(password_file=token), HTTPS) == BasicLogin("t0ken", "x-access-token")


def test_a_password_comes_from_the_environment_unless_a_file_is_given(token: Path) -> None:
    given = WaysIn(password=FROM_ENVIRONMENT)

    assert login(given, HTTPS) == BasicLogin(FROM_ENVIRONMENT)
    assert login(replace(given, password_file=token), HTTPS) == BasicLogin("t0ken")


def test_a_file_is_read_anew_each_time(token: Path) -> None:
    credentials = WaysIn(password_file=token).to(HTTPS)
    assert credentials is not None
    credentials.read()
    token.write_text("newer")

    assert credentials.read() == BasicLogin("newer")


def test_the_address_says_which_login_is_meant(key: Path, token: Path) -> None:
    ways = WaysIn(password_file=token, ssh_key=key)

    assert login(ways, HTTPS) == BasicLogin("t0ken")
    assert login(ways, SSH) == SshLogin("a key")
    assert login(ways, "build/fleet.git") is None


def test_known_hosts_go_with_the_key(key: Path, token: Path) -> None:
    assert login(WaysIn(ssh_key=key, known_hosts=token), SSH) == SshLogin("a key", "t0ken\n")


@pytest.mark.parametrize(
    ("ways", "url"),
    [
        (WaysIn(password_file=GONE), HTTPS),
        (WaysIn(ssh_key=GONE), SSH),
        (WaysIn(ssh_key=Path(__file__), known_hosts=GONE), SSH),
    ],
)
def test_a_file_that_cannot_be_read_is_named(ways: WaysIn, url: str) -> None:
    credentials = ways.to(url)
    assert credentials is not None

    with pytest.raises(StoreError, match=f"{GONE} cannot be read: No such file") as caught:
        credentials.read()

    assert caught.value.reason is Reason.INVALID_CREDENTIALS


def test_a_login_for_one_place_is_not_for_whatever_place_the_files_name(token: Path) -> None:
    with pytest.raises(InvalidInputError, match="is for --state-store, which was not"):
        choose(None, None, [], {"main": store()}, WaysIn(password_file=token))


def written(folder: Path, **keys: str) -> WaysIn:
    for key, value in keys.items():
        path = folder / "platform" / "fleet" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    return WaysIn(secrets=SecretsFolder(folder))


@pytest.mark.parametrize(
    ("method", "keys", "expected"),
    [
        (
            AuthMethod.BASIC,
            {"username": "team", "password": "pass\n"},
            BasicLogin("pass", "team"),
        ),
        (AuthMethod.BASIC, {"password": "t0ken"}, BasicLogin("t0ken", "x-access-token")),
        (AuthMethod.SSH, {"sshPrivateKey": "k\n", "knownHosts": "h\n"}, SshLogin("k", "h")),
    ],
)
def test_a_secret_is_read_by_kratixs_keys(
    tmp_path: Path, method: AuthMethod, keys: dict[str, str], expected: Login
) -> None:
    credentials = written(tmp_path, **keys).to_store(store(method))

    assert credentials is not None
    assert credentials.read() == expected
    assert credentials.name == "Secret platform/fleet of GitStateStore main"


@pytest.mark.parametrize(
    ("method", "keys", "missing"),
    [
        (AuthMethod.BASIC, {"username": "team"}, "password"),
        (AuthMethod.SSH, {"knownHosts": "h"}, "sshPrivateKey"),
        (AuthMethod.SSH, {"sshPrivateKey": "k"}, "knownHosts"),
    ],
)
def test_a_key_that_is_missing_is_told_in_kratixs_words(
    tmp_path: Path, method: AuthMethod, keys: dict[str, str], missing: str
) -> None:
    credentials = written(tmp_path, **keys).to_store(store(method))
    assert credentials is not None

    with pytest.raises(StoreError) as caught:
        credentials.read()

    assert caught.value.reason is Reason.INVALID_CREDENTIALS
    assert f"{missing} not found in secret platform/fleet" in caught.value.message
    assert "GitStateStore main" in caught.value.message


def test_a_secret_that_is_missing_is_told_with_the_store_that_refers_to_it(tmp_path: Path) -> None:
    credentials = WaysIn(secrets=SecretsFolder(tmp_path)).to_store(store())
    assert credentials is not None

    with pytest.raises(StoreError, match="Secret fleet not found in namespace platform") as caught:
        credentials.read()

    assert caught.value.reason is Reason.SECRET_NOT_FOUND
    assert "GitStateStore main" in caught.value.message


@pytest.mark.parametrize(
    ("ways", "url", "missing"),
    [
        (WaysIn(known_hosts=Path("hosts")), "git@git.example.com:fleet.git", "--git-ssh-key"),
        (WaysIn(username="team"), "https://git.example.com/fleet.git", "--git-password-file"),
    ],
    ids=["known hosts", "user"],
)
def test_half_of_a_login_is_refused_and_its_other_half_is_named(
    ways: WaysIn, url: str, missing: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        ways.to(url)

    assert missing in caught.value.message
    assert ways.to("fleet.git") is None
