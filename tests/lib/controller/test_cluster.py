"""The API server's refusals mean something here, and what is no answer of its is told."""

from pathlib import Path

import pytest
from support.api_server import Asked, run_api_server, said
from support.certificates import Certificates
from support.loopback import Answer

from troth.controller.cluster import Cluster, Place
from troth.errors import InvalidInputError, PermanentError, Reason, TransientError, TrothError

THINGS = Place("test.example.com", "v1", "things", "team")


def refused_with(folder: Path, answer: Answer) -> TrothError:
    with run_api_server(folder, lambda _: answer) as server:
        cluster = Cluster.connect(server.kubeconfig)
        with pytest.raises(TrothError) as caught:
            cluster.patch_status(THINGS, "one", {"message": "hello"})
    return caught.value


def test_an_object_is_read(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: Answer(200, body=b'{"kind": "Thing"}')) as server:
        found = Cluster.connect(server.kubeconfig).read(THINGS, "one")

    assert found == {"kind": "Thing"}
    path = "/apis/test.example.com/v1/namespaces/team/things/one"
    assert server.asked == [Asked("GET", path, None)]


def test_a_status_is_merged_below_its_own_path(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: Answer(200, body=b"{}")) as server:
        assert Cluster.connect(server.kubeconfig).patch_status(THINGS, "one", {"a": None})

    [asked] = server.asked
    assert asked.path.endswith("/things/one/status")
    assert (asked.method, asked.body) == ("PATCH", {"status": {"a": None}})


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: said(404, "no such thing")) as server:
        cluster = Cluster.connect(server.kubeconfig)

        assert cluster.read(THINGS, "one") is None
        assert cluster.list(THINGS) == []
        assert not cluster.patch_status(THINGS, "one", {})
        cluster.delete(THINGS, "one")


def test_what_cannot_be_applied_since_nothing_is_there_is_refused(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: said(404, "no such kind")) as server:
        cluster = Cluster.connect(server.kubeconfig)
        with pytest.raises(PermanentError, match="no such kind"):
            cluster.apply(THINGS, {"metadata": {"name": "one"}})


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_go_better_later_is_tried_again(tmp_path: Path, status: int) -> None:
    error = refused_with(tmp_path, said(status, "not now"))

    assert isinstance(error, TransientError)
    assert error.reason == Reason.CLUSTER_UNREACHABLE
    assert f"({status}): not now" in error.message


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_what_is_refused_is_not_tried_again(tmp_path: Path, status: int) -> None:
    error = refused_with(tmp_path, said(status, "you may not"))

    assert isinstance(error, PermanentError)
    assert error.reason == Reason.CLUSTER_REFUSED
    assert "things/one/status" in error.message
    assert f"({status}): you may not" in error.message


def test_a_refusal_that_is_no_status_object_is_cut_short(tmp_path: Path) -> None:
    error = refused_with(tmp_path, Answer(502, body=b"<html>" + b"x" * 10_000))

    assert isinstance(error, TransientError)
    assert len(error.message) < 5000


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"", b"[1]", b"\xff"])
def test_an_answer_that_is_none_of_its_own_is_no_success(tmp_path: Path, body: bytes) -> None:
    error = refused_with(tmp_path, Answer(200, body=body))

    assert isinstance(error, TransientError)
    assert "something in between" in error.message


def test_nobody_who_listens_is_told_with_what_was_asked(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: said(500)) as server:
        cluster = Cluster.connect(server.kubeconfig)

    with pytest.raises(TransientError, match=r"does not answer .*GET /apis/test\.example"):
        cluster.read(THINGS, "one")


def test_a_certificate_that_nobody_vouches_for_is_named_as_the_reason(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path)
    with run_api_server(tmp_path, lambda _: Answer(200), certificates.good) as server:
        cluster = Cluster.connect(server.kubeconfig)
        with pytest.raises(TransientError, match="certificate is not trusted"):
            cluster.read(THINGS, "one")

    assert server.asked == []


@pytest.mark.parametrize("text", ["", "{}", "kind: Config\n", "not: [a"])
def test_a_kubeconfig_that_leads_nowhere_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubeconfig").write_text(text)

    with pytest.raises(InvalidInputError, match="--kubeconfig"):
        Cluster.connect(tmp_path / "kubeconfig")
