"""Where a certificate is had from: text, files, hosts, the controller; and what is refused."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.git_http import Answer, Cut, Fault, serve_git
from support.proxy import serve_proxy
from support.sealing import END, NOW, certificate_pem, private_key, private_pem
from support.web import dripping, free_port

from troth.errors import InvalidInputError, PermanentError, Reason, TransientError, TrothError
from troth.sdk.sealing import (
    Certificate,
    CertificateCache,
    CertificateSource,
    ControllerService,
    HttpAccess,
    key_fingerprint,
    load_certificate,
)

PEM = certificate_pem(private_key())
FINGERPRINT = key_fingerprint(private_key().public_key())
SERVICE = "/api/v1/namespaces/kube-system/services"
TOKEN = "header.payload.signature"  # noqa: S105  (a token of a test)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("tls"))


def answering(answers: Mapping[str, bytes | Answer]) -> Callable[[object], Fault]:
    def answer(request: object) -> Fault:
        found = answers.get(getattr(request, "path"), Answer(404))  # noqa: B009
        return Fault(answer=Answer(200, {}, found) if isinstance(found, bytes) else found)

    return answer


def error_of(
    source: CertificateSource,
    access: HttpAccess | None = None,
    kind: type[TrothError] = InvalidInputError,
) -> TrothError:
    with pytest.raises(kind) as caught:
        load_certificate(source, NOW, access)
    return caught.value


def test_a_text_with_a_block_is_the_certificate() -> None:
    certificate = load_certificate(PEM.decode(), NOW)

    assert (certificate.fingerprint, certificate.source) == (FINGERPRINT, "given as text")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_and_named(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    path = tmp_path / "prod.pem"
    path.write_bytes(PEM)

    certificate = load_certificate(kind(path), NOW)

    assert (certificate.fingerprint, certificate.source) == (FINGERPRINT, str(path))


@pytest.mark.parametrize(
    ("name", "why"), [("absent.pem", "No such file"), (".", "Is a directory"), ("a\0b", "no path")]
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, name: str, why: str) -> None:
    error = error_of(f"{tmp_path}/{name}")

    assert error.reason is Reason.CERTIFICATE_UNUSABLE
    assert why in error.message
    assert "Give PEM, a file, an https URL, or a controller's address." in error.message


def test_a_url_is_asked_over_tls_with_an_authority_of_ones_own(
    tmp_path: Path, certificates: Certificates
) -> None:
    fault = answering({"/certs/prod.pem?sig=hidden": PEM})
    with serve_git(tmp_path, tls=certificates.good, fault=fault) as host:
        url = host.url("certs/prod.pem")
        for ca in (certificates.bundle, certificates.bundle.read_bytes()):
            certificate = load_certificate(f"{url}?sig=hidden", NOW, HttpAccess(ca=ca))

            assert (certificate.fingerprint, certificate.source) == (FINGERPRINT, url)


@pytest.mark.parametrize("served", ["expired", "other_host", "other_authority"])
def test_a_host_that_is_not_trusted_is_not_believed(
    tmp_path: Path, certificates: Certificates, served: str
) -> None:
    fault = answering({"/c": PEM})
    with serve_git(tmp_path, tls=getattr(certificates, served), fault=fault) as host:
        error = error_of(host.url("c"), HttpAccess(ca=certificates.bundle))

        assert error.reason is Reason.HOST_NOT_TRUSTED
        assert f"{host.url('c')} is not trusted: " in error.message
        assert host.requests == []


def test_without_an_authority_the_machines_own_are_trusted_and_no_other(
    tmp_path: Path, certificates: Certificates
) -> None:
    with serve_git(tmp_path, tls=certificates.good, fault=answering({"/c": PEM})) as host:
        assert error_of(host.url("c")).reason is Reason.HOST_NOT_TRUSTED


@pytest.mark.parametrize("ca", [Path("/nowhere/ca.pem"), b"nonsense", b"\xff"])
def test_a_bundle_of_authorities_that_cannot_be_used_is_said(ca: Path | bytes) -> None:
    error = error_of("https://127.0.0.1/c", HttpAccess(ca=ca))

    assert "the bundle of certificate authorities" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "http://certs.example.com/prod.pem",
        "http://sealed-secrets-controller.kube-system:8080",
        "http://10.0.0.1:8080/v1/cert.pem",
        "HTTP://127.0.0.1.example.com/",
    ],
)
def test_plain_http_is_refused_with_the_reason_and_the_ways_out(url: str) -> None:
    error = error_of(url)

    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert "a certificate of his own in its place" in error.message
    assert "go through the API server's service proxy, or forward the port" in error.message


@pytest.mark.parametrize("path", ["", "/", "/v1/cert.pem"])
def test_the_controllers_own_endpoint_is_asked_over_a_forwarded_port(
    tmp_path: Path, path: str
) -> None:
    with serve_git(tmp_path, fault=answering({"/v1/cert.pem": PEM})) as host:
        certificate = load_certificate(f"http://127.0.0.1:{host.port}{path}", NOW)

        assert certificate.fingerprint == FINGERPRINT
        assert certificate.source == f"http://127.0.0.1:{host.port}/v1/cert.pem"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://somebody:hunter2@example.com/c", Reason.INVALID_CREDENTIALS),
        ("https://token-hunter2@example.com/c", Reason.INVALID_CREDENTIALS),
        ("https:///c", Reason.CERTIFICATE_UNUSABLE),
        ("https://[::1/c", Reason.CERTIFICATE_UNUSABLE),
        ("https://example.com:port/c", Reason.CERTIFICATE_UNUSABLE),
        ("https://example.com:99999/", Reason.CERTIFICATE_UNUSABLE),
        ("https://example.com/\x00", Reason.CERTIFICATE_UNUSABLE),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_and_tells_no_login(
    url: str, reason: Reason
) -> None:
    error = error_of(url)

    assert error.reason is reason
    assert "hunter2" not in error.message


@pytest.mark.parametrize(
    ("status", "kind", "reason", "text"),
    [
        (301, InvalidInputError, Reason.CERTIFICATE_UNUSABLE, "leads elsewhere (status 301)"),
        (401, InvalidInputError, Reason.INVALID_CREDENTIALS, "refuses (status 401)"),
        (403, InvalidInputError, Reason.INVALID_CREDENTIALS, "get services/proxy"),
        (404, InvalidInputError, Reason.CERTIFICATE_UNUSABLE, "there is no certificate"),
        (429, TransientError, Reason.CERTIFICATE_UNREACHABLE, "it is tried again"),
        (503, TransientError, Reason.CERTIFICATE_UNREACHABLE, "the status 503"),
    ],
)
def test_another_answer_than_a_certificate_is_said_by_who_must_act(
    tmp_path: Path, status: int, kind: type[TrothError], reason: Reason, text: str
) -> None:
    headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    fault = answering({"/c": Answer(status, headers, b"hunter2")})
    with serve_git(tmp_path, fault=fault) as host:
        error = error_of(host.url("c"), kind=kind)

        assert error.reason is reason
        assert text in error.message
        assert "hunter2" not in error.message
        assert len(host.requests) == 1


def test_a_host_that_is_not_there_is_a_matter_of_time() -> None:
    error = error_of(f"http://127.0.0.1:{free_port()}/c", kind=TransientError)

    assert error.reason is Reason.CERTIFICATE_UNREACHABLE
    assert "cannot be reached" in error.message


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.HALFWAY])
def test_a_connection_that_is_cut_is_a_matter_of_time(tmp_path: Path, cut: Cut) -> None:
    fault = Fault(answer=Answer(200, {}, PEM), cut=cut)
    with serve_git(tmp_path, fault=lambda _: fault) as host:
        error = error_of(host.url("c"), kind=TransientError)

        assert error.reason is Reason.CERTIFICATE_UNREACHABLE


@pytest.mark.parametrize("in_head", [True, False])
def test_a_host_that_drips_its_answer_does_not_hold_anybody_up(*, in_head: bool) -> None:
    with dripping(in_head=in_head) as url:
        error = error_of(url, HttpAccess(limit=0.5), TransientError)

    assert error.message == f"{url} did not answer within 0.5 s."


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    with serve_git(tmp_path, fault=answering({"/c": b"x" * 300_000})) as host:
        error = error_of(host.url("c"))

        assert "more than 262144 bytes" in error.message


def test_a_controller_is_asked_through_the_api_server_with_a_token(
    tmp_path: Path, certificates: Certificates
) -> None:
    service = json.dumps({"spec": {"ports": [{"name": "http", "port": 8080}]}}).encode()
    answers = {
        f"/base{SERVICE}/sealed-secrets-controller": service,
        f"/base{SERVICE}/http:sealed-secrets-controller:http/proxy/v1/cert.pem": PEM,
    }
    with serve_git(tmp_path, tls=certificates.good, fault=answering(answers)) as host:
        source = ControllerService(host.url("base/"))
        access = HttpAccess(ca=certificates.bundle, token=TOKEN)
        certificate = load_certificate(source, NOW, access)

        assert certificate.fingerprint == FINGERPRINT
        assert certificate.source == (
            f"kube-system/sealed-secrets-controller through {host.url('base/')}"
        )
        assert [one.headers["Authorization"] for one in host.requests] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize("port", ["", "8080", "http"])
def test_a_port_that_is_given_is_not_asked_for(tmp_path: Path, port: str) -> None:
    path = f"/api/v1/namespaces/infra/services/http:sealed-secrets:{port}/proxy/v1/cert.pem"
    with serve_git(tmp_path, fault=answering({path: PEM})) as host:
        source = ControllerService(host.url("").rstrip("/"), "infra", "sealed-secrets", port)

        assert load_certificate(source, NOW).fingerprint == FINGERPRINT
        assert len(host.requests) == 1


def test_a_port_without_a_name_is_asked_as_kubeseal_does(tmp_path: Path) -> None:
    answers = {
        f"{SERVICE}/sealed-secrets-controller": b'{"spec": {"ports": [{"port": 8080}]}}',
        f"{SERVICE}/http:sealed-secrets-controller:/proxy/v1/cert.pem": PEM,
    }
    with serve_git(tmp_path, fault=answering(answers)) as host:
        assert load_certificate(ControllerService(host.url("")), NOW).fingerprint == FINGERPRINT


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"null",
        b'{"spec": {}}',
        b'{"spec": {"ports": []}}',
        b'{"spec":{"ports":[{"name":1}]}}',
    ],
)
def test_an_answer_that_names_no_port_is_said(tmp_path: Path, answer: bytes) -> None:
    fault = answering({f"{SERVICE}/sealed-secrets-controller": answer})
    with serve_git(tmp_path, fault=fault) as host:
        error = error_of(ControllerService(host.url("")))

        assert "names no port" in error.message


@pytest.mark.parametrize(
    "source",
    [
        ControllerService("https://127.0.0.1", namespace="../x"),
        ControllerService("https://127.0.0.1", name="a/b"),
        ControllerService("https://127.0.0.1", port="80/../.."),
    ],
)
def test_a_service_that_could_be_none_is_refused_before_anybody_is_asked(
    source: ControllerService,
) -> None:
    assert error_of(source).reason is Reason.INVALID_NAME


@pytest.mark.parametrize("token", ["", "two words", "line\nend", "\x00", "ü"])
def test_a_token_that_is_none_is_refused_and_not_told(token: str) -> None:
    error = error_of(ControllerService("https://127.0.0.1:1"), HttpAccess(token=token))

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert not token or token not in error.message


def test_a_token_never_goes_over_plain_http(tmp_path: Path) -> None:
    with serve_git(tmp_path, fault=answering({})) as host:
        error = error_of(ControllerService(host.url("")), HttpAccess(token=TOKEN))

        assert error.reason is Reason.HOST_NOT_TRUSTED
        assert host.requests == []


def test_a_token_is_in_no_text_of_what_holds_it() -> None:
    assert TOKEN not in repr(HttpAccess(token=TOKEN))


def test_a_forwarded_port_is_not_asked_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with serve_git(tmp_path, fault=answering({"/v1/cert.pem": PEM})) as host:
        assert load_certificate(host.url(""), NOW).fingerprint == FINGERPRINT


def test_a_host_elsewhere_is_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error_of("https://certs.invalid/c", kind=TransientError)

    assert proxy.asked == ["certs.invalid:443"]


@pytest.mark.parametrize("kind", ["file", "host", "service"])
def test_what_is_wrong_with_a_certificate_names_where_it_was_had(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "secrets" / "c.pem"
    path.parent.mkdir()
    path.write_bytes(private_pem(private_key()))
    fault = Fault(answer=Answer(200, {}, path.read_bytes()))
    with serve_git(tmp_path, fault=lambda _: fault) as host:
        sources: dict[str, CertificateSource] = {
            "file": path,
            "host": host.url("secrets/c.pem"),
            "service": ControllerService(host.url(""), port=""),
        }
        error = error_of(sources[kind])

        assert str(sources[kind]) in error.message
        assert "holds a private key" in error.message


def test_a_cache_asks_each_source_once_in_a_run(tmp_path: Path) -> None:
    with serve_git(tmp_path, fault=answering({"/a": PEM, "/b": PEM})) as host:
        cache = CertificateCache(NOW)
        loaded = [cache.load(host.url(path)) for path in ("a", "b", "a", "b", "a")]

        assert {one.fingerprint for one in loaded} == {FINGERPRINT}
        assert [one.path for one in host.requests] == ["/a", "/b"]


def test_a_cache_asks_no_host_again_that_failed(tmp_path: Path) -> None:
    with serve_git(tmp_path, fault=answering({"/c": Answer(503)})) as host:
        cache = CertificateCache(NOW)
        messages = set()
        for _ in range(3):
            with pytest.raises(TransientError) as caught:
                cache.load(host.url("c"))
            messages.add(caught.value.message)

        assert len(messages) == 1
        assert len(host.requests) == 1


def test_a_cache_goes_by_the_moment_of_its_run(tmp_path: Path) -> None:
    path = tmp_path / "c.pem"
    path.write_bytes(PEM)

    assert isinstance(CertificateCache(NOW).load(path), Certificate)
    with pytest.raises(PermanentError, match="expired"):
        CertificateCache(END + timedelta(days=1)).load(path)
