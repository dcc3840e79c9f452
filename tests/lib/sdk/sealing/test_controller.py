"""The controller's own endpoint: what is asked of it, and what of its answers is taken."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.fake_controller import FakeController, serve_controller
from support.git_http import Answer, Cut, Fault
from support.sealing import NOW, certificate, private_key, unseal
from support.web import free_port

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError, PermanentError, Reason, TransientError, TrothError
from troth.sdk.sealing import Controller, HttpAccess, InProcessSealer, Scope, Target, sealed_secret

TARGET = Target("shop", "login")
VALUES = {"password": b"correct horse\n", "empty": b"", "bytes": bytes(range(256))}
TOKEN = "header.payload.signature"  # noqa: S105  (a token of a test)


def sealed(target: Target = TARGET) -> JsonObject:
    sealer = InProcessSealer(certificate())
    found = {key: sealer.seal(value, target) for key, value in VALUES.items()}
    return sealed_secret(target, "west", found)


@pytest.mark.parametrize("scope", list(Scope))
def test_what_is_sealed_anew_is_the_same_under_the_newest_key(tmp_path: Path, scope: Scope) -> None:
    target = Target("shop", "login", scope)
    fake = FakeController(["ours", "renewed"])
    with serve_controller(tmp_path, fake) as host:
        found = Controller.at(host.url(""), HttpAccess()).reencrypt(sealed(target))

    key = private_key("renewed")
    assert {name: unseal(text, target.label, key) for name, text in found.items()} == VALUES


def test_its_certificate_is_the_newest(tmp_path: Path) -> None:
    with serve_controller(tmp_path, FakeController(["ours", "renewed"])) as host:
        found = Controller.at(host.url(""), HttpAccess()).certificate(NOW)

    assert found.fingerprint == certificate("renewed").fingerprint


def test_behind_an_api_server_it_wants_token_and_authority(tmp_path: Path) -> None:
    tls = Certificates.make(tmp_path / "tls")
    prefix = "/api/v1/namespaces/kube-system/services/http:sealed-secrets:/proxy"
    fake = FakeController(["ours"], prefix, TOKEN)
    with serve_controller(tmp_path, fake, tls.good) as host:
        address = host.url(prefix.removeprefix("/"))
        access = HttpAccess(tls.bundle, TOKEN)
        given = Controller.at(address, access)
        behind = Controller.behind(f"{address}/v1/cert.pem", access)

        assert behind == given
        assert given.reencrypt(sealed()).keys() == VALUES.keys()
        with pytest.raises(InvalidInputError) as untrusted:
            Controller.at(address, HttpAccess(token=TOKEN)).reencrypt(sealed())
        with pytest.raises(PermanentError) as refused:
            Controller.at(address, HttpAccess(tls.bundle)).reencrypt(sealed())

    assert untrusted.value.reason is Reason.HOST_NOT_TRUSTED
    assert refused.value.reason is Reason.INVALID_CREDENTIALS
    assert "create services/proxy" in refused.value.message


def test_a_controller_elsewhere_is_not_asked_over_plain_http() -> None:
    with pytest.raises(InvalidInputError) as caught:
        Controller.at("http://controller.example.com", HttpAccess()).reencrypt(sealed())

    assert caught.value.reason is Reason.HOST_NOT_TRUSTED


@pytest.mark.parametrize(
    "address",
    ["west", "west.pem", "", "https://h/v1/cert.pem?sig=hidden", "-----BEGIN x", "ftp:/x"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError, match="is no address of a controller") as caught:
        Controller.at(address, HttpAccess())

    assert "hidden" not in caught.value.message


@pytest.mark.parametrize("certificate", ["west.pem", "https://pki.example.com/west.pem", "-----BE"])
def test_a_certificate_from_elsewhere_leads_to_no_controller(certificate: str) -> None:
    assert Controller.behind(certificate, HttpAccess()) is None


@pytest.mark.parametrize("path", ["", "/", "/v1/cert.pem", "/proxy/v1/cert.pem"])
def test_a_certificate_that_is_a_controllers_leads_there(path: str) -> None:
    found = Controller.behind(f"https://west.example.com{path}", HttpAccess())

    assert found is not None
    base = path.removesuffix("/v1/cert.pem").rstrip("/")
    assert found.base == f"https://west.example.com{base}"


def error_of(tmp_path: Path, fake: FakeController, limit: float = 10) -> TrothError:
    with serve_controller(tmp_path, fake) as host, pytest.raises(TrothError) as caught:
        Controller(host.url("").rstrip("/"), HttpAccess(limit=limit), lambda _: None).reencrypt(
            sealed()
        )
    return caught.value


def at(*path: str, to: Json) -> Callable[[dict[str, Json]], Json]:
    """Return what changes an answer."""

    def change(answer: dict[str, Json]) -> Json:
        part = answer
        for name in path[:-1]:
            inside = part[name]
            assert isinstance(inside, dict)
            part = inside
        part[path[-1]] = to
        return answer

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda _: [], "it is no object in JSON"),
        (lambda _: {}, "it is no SealedSecret"),
        (at("kind", to="Secret"), "it is another object"),
        (at("metadata", "name", to="other"), "it is another object"),
        (at("metadata", "namespace", to="other"), "it is another object"),
        (at("spec", "encryptedData", to={}), "its keys are others"),
        (at("spec", "encryptedData", to=None), "its keys are others"),
        (at("spec", "encryptedData", "more", to="AgA="), "its keys are others"),
        (at("spec", "encryptedData", "password", to=1), "it is no SealedSecret"),
        (at("spec", "encryptedData", "password", to="no base64"), "'password' is no base64"),
        (at("spec", "encryptedData", "password", to=""), "has not the length that it should"),
        (at("spec", "encryptedData", "password", to="AgA="), "has not the length that it should"),
    ],
)
def test_another_answer_is_not_taken(
    tmp_path: Path, change: Callable[[dict[str, Json]], Json], text: str
) -> None:
    error = error_of(tmp_path, FakeController(change=change))

    assert error.reason is Reason.SEALER_FAILED
    assert "SealedSecret shop/login: the answer of the controller at" in error.message
    assert text in error.message


def test_a_value_of_another_length_is_not_taken(tmp_path: Path) -> None:
    other = InProcessSealer(certificate()).seal(b"one byte more!!\n", TARGET)
    change = at("spec", "encryptedData", "password", to=other)

    error = error_of(tmp_path, FakeController(change=change))

    assert "'password' has not the length that it should" in error.message


def test_the_old_ciphertext_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    asked = sealed()
    spec = asked["spec"]
    assert isinstance(spec, dict)
    fake = FakeController(change=at("spec", "encryptedData", to=spec["encryptedData"]))
    with serve_controller(tmp_path, fake) as host, pytest.raises(TrothError) as caught:
        Controller.at(host.url(""), HttpAccess()).reencrypt(asked)

    assert "is the old one" in caught.value.message


@pytest.mark.parametrize("body", [b"", b"\xff", b"hunter2", b"[" * 900_000, b" " * 5_000_000])
def test_an_answer_that_is_no_json_is_said_and_not_quoted(tmp_path: Path, body: bytes) -> None:
    fault = Fault(answer=Answer(200, {}, body))

    error = error_of(tmp_path, FakeController(fault=lambda _: fault))

    assert "it is no object in JSON" in error.message
    assert "hunter2" not in error.message


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (301, PermanentError, Reason.SEALER_FAILED),
        (403, PermanentError, Reason.INVALID_CREDENTIALS),
        (404, PermanentError, Reason.SEALER_FAILED),
        (500, PermanentError, Reason.SEALER_FAILED),
        (503, TransientError, Reason.SEALER_FAILED),
    ],
)
def test_a_refusal_is_said_by_who_must_act(
    tmp_path: Path, status: int, kind: type[TrothError], reason: Reason
) -> None:
    fault = Fault(answer=Answer(status, {"Location": "http://127.0.0.1:1/"}, b"hunter2"))

    error = error_of(tmp_path, FakeController(fault=lambda _: fault))

    assert isinstance(error, kind)
    assert error.reason is reason
    assert f"status {status}" in error.message
    assert "hunter2" not in error.message


def test_what_it_cannot_open_is_refused(tmp_path: Path) -> None:
    error = error_of(tmp_path, FakeController(["another"]))

    assert isinstance(error, PermanentError)
    assert "as a rule it can open it no more" in error.message


def test_it_is_asked_again_where_it_lets_no_more_through(tmp_path: Path) -> None:
    answers = iter([Fault(answer=Answer(429))] * 3)
    waits: list[float] = []
    fake = FakeController(fault=lambda _: next(answers, None))
    with serve_controller(tmp_path, fake) as host:
        controller = Controller(host.url("").rstrip("/"), HttpAccess(), waits.append)

        assert controller.reencrypt(sealed()).keys() == VALUES.keys()
    assert len(waits) == 3


def test_it_is_not_asked_for_ever(tmp_path: Path) -> None:
    fake = FakeController(fault=lambda _: Fault(answer=Answer(429)))

    assert isinstance(error_of(tmp_path, fake), TransientError)
    assert len(fake.asked) == 61


@pytest.mark.parametrize(
    "fault", [Fault(cut=Cut.BEFORE), Fault(cut=Cut.HALFWAY, answer=Answer(200, {}, b"{}")),
              Fault(wait=2, answer=Answer(200))]
)  # fmt: skip
def test_one_that_does_not_answer_is_a_matter_of_time(tmp_path: Path, fault: Fault) -> None:
    error = error_of(tmp_path, FakeController(fault=lambda _: fault), limit=1)

    assert isinstance(error, TransientError)


def test_one_that_is_not_there_is_a_matter_of_time() -> None:
    with pytest.raises(TransientError):
        Controller.at(f"http://127.0.0.1:{free_port()}", HttpAccess()).reencrypt(sealed())
