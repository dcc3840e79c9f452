"""``troth seal``: what goes in on standard input comes out sealed, and is shown nowhere."""

import base64
import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.fake_controller import FakeController, serve_controller
from support.sealing import certificate_pem, private_key, unseal
from support.tools import require
from support.workspace import TROTH

from troth.api import Fields, JsonObject, load_object

VALUE = b"correct horse"
HERE = ("--name", "db", "-n", "shop", "--certificate", "west.pem")
ONE = (*HERE, "--key", "password")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "west.pem").write_bytes(certificate_pem(private_key()))
    return tmp_path


def seal(
    folder: Path, given: bytes, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(TROTH), "seal", *arguments],
        input=given,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )


def sealed(folder: Path, given: bytes, *arguments: str, **environ: str) -> JsonObject:
    done = seal(folder, given, *arguments, **environ)
    assert done.returncode == 0, done.stderr.decode()
    return load_object(done.stdout.decode(), "standard output")


def values(manifest: JsonObject, label: str = "shop/db", key: str = "ours") -> dict[str, bytes]:
    found = Fields(manifest).section("spec").string_map("encryptedData")
    return {name: unseal(text, label, private_key(key)) for name, text in found.items()}


@pytest.mark.parametrize("value", [VALUE, b"\n", bytes(range(256)), b"two\nlines\n", b"\x00"])
def test_a_value_is_sealed_to_the_byte(folder: Path, value: bytes) -> None:
    assert values(sealed(folder, value, *ONE)) == {"password": value}


def test_a_line_end_that_is_sealed_with_a_value_is_said(folder: Path) -> None:
    assert b"ends with a line end" in seal(folder, VALUE + b"\n", *ONE).stderr
    assert seal(folder, VALUE, *ONE).stderr == b""


def test_json_is_the_same_object(folder: Path) -> None:
    printed = json.loads(seal(folder, VALUE, *ONE, "-o", "json").stdout)

    assert values(printed) == {"password": VALUE}
    assert printed["kind"] == "SealedSecret"


@pytest.mark.parametrize(
    ("scope", "label"), [("strict", "shop/db"), ("namespace-wide", "shop"), ("cluster-wide", "")]
)
def test_the_scope_is_what_it_is_sealed_for_and_what_stands_on_it(
    folder: Path, scope: str, label: str
) -> None:
    made = sealed(folder, VALUE, *ONE, "--scope", scope)

    assert values(made, label) == {"password": VALUE}
    annotations = Fields(made).section("metadata").string_map("annotations")
    wide = {} if scope == "strict" else {f"sealedsecrets.bitnami.com/{scope}": "true"}
    assert annotations == wide


def test_type_labels_and_patch_mode_stand_in_the_template(folder: Path) -> None:
    made = sealed(folder, VALUE, *ONE, "--type", "kubernetes.io/tls", "--label", "team=shop",
                  "--patch-mode", "patch")  # fmt: skip

    template = Fields(made).section("spec").section("template")
    assert template.text("type") == "kubernetes.io/tls"
    metadata = template.section("metadata")
    assert metadata.string_map("labels") == {"team": "shop"}
    assert metadata.string_map("annotations") == {"sealedsecrets.bitnami.com/patch": "true"}


def test_an_empty_value_is_refused_unless_it_is_asked_for(folder: Path) -> None:
    refused = seal(folder, b"", *ONE)

    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"the value of password is empty" in refused.stderr
    assert values(sealed(folder, b"", *ONE, "--allow-empty")) == {"password": b""}


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "db",
        "namespace": "shop",
        "uid": "0",
        "labels": {"team": "shop"},
        "annotations": {
            "note": "ours",
            "kubectl.kubernetes.io/last-applied-configuration": "hunter2",
            "sealedsecrets.bitnami.com/namespace-wide": "true",
        },
    },
    "type": "kubernetes.io/basic-auth",
    "immutable": True,
    "data": {"password": base64.b64encode(VALUE).decode()},
    "stringData": {"username": "änna"},
}


def test_a_secret_is_sealed_whole_and_what_the_api_server_adds_is_left_out(folder: Path) -> None:
    made = sealed(folder, json.dumps(SECRET).encode(), "--certificate", "west.pem")

    assert values(made, "shop") == {"password": VALUE, "username": "änna".encode()}
    assert "hunter2" not in str(made)
    template = Fields(made).section("spec").mapping("template")
    wide = {"sealedsecrets.bitnami.com/namespace-wide": "true"}
    assert template == {
        "metadata": {"annotations": {"note": "ours", **wide}, "labels": {"team": "shop"}},
        "type": "kubernetes.io/basic-auth",
        "immutable": True,
    }


def test_what_the_command_line_says_of_a_secret_counts(folder: Path) -> None:
    given = json.dumps(SECRET).encode()
    made = sealed(folder, given, *HERE[:-2], "--name", "other", "--scope", "strict",
                  "--certificate", "west.pem")  # fmt: skip

    assert Fields(made).section("metadata").text("name") == "other"
    assert values(made, "shop/other")["password"] == VALUE


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (b"hunter2", b"it is no YAML or JSON of one object"),
        (b"\xff", b"it is no YAML or JSON of one object"),
        (b"password: hunter2: no", b"it is no YAML or JSON of one object"),
        (b"kind: ConfigMap\napiVersion: v1\ndata: {a: hunter2}", b"it is no Secret"),
        (b"kind: Secret\napiVersion: v1\ndata: {a: hunter2!}", b"data.a is not"),
        (b"kind: Secret\napiVersion: v1\ndata: hunter2", b"data is not"),
        (b"kind: Secret\napiVersion: v1\nstringData: {a: 5}", b"stringData.a is not"),
        (b"kind: Secret\napiVersion: v1\nmetadata: {name: db, namespace: shop}", b"nothing is to"),
        (b"kind: Secret\napiVersion: v1\nstringData: {a: hunter2}", b"has no name"),
        (
            b"kind: Secret\napiVersion: v1\nmetadata: {name: db}\nstringData: {a: hunter2}",
            b"has no namespace",
        ),
        (
            (
                b"kind: Secret\napiVersion: v1\nstringData: {a: hunter2}\nmetadata:\n  name: db\n"
                b"  namespace: shop\n  annotations: {sealedsecrets.bitnami.com/patch: 'no'}"
            ),
            b"give --patch-mode",
        ),
    ],
)
def test_what_is_no_secret_is_refused_and_not_quoted(
    folder: Path, given: bytes, text: bytes
) -> None:
    done = seal(folder, given, "--certificate", "west.pem")

    assert (done.returncode, done.stdout) == (2, b"")
    assert text in done.stderr
    assert b"hunter2" not in done.stderr


def test_more_than_a_secret_may_have_is_refused(folder: Path) -> None:
    done = seal(folder, b"x" * (1024 * 1024 + 1), *ONE)

    assert done.returncode == 2
    assert b"[TooLarge]" in done.stderr


def destination(folder: Path, **annotations: str) -> None:
    (folder / "platform").mkdir()
    (folder / "platform/west.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "platform.kratix.io/v1alpha1",
                "kind": "Destination",
                "metadata": {
                    "name": "west",
                    "annotations": {f"troth.dev/{k}": v for k, v in annotations.items()},
                },
                "spec": {"path": "west", "stateStoreRef": {"kind": "GitStateStore", "name": "f"}},
            }
        )
    )


def test_what_is_sealed_for_a_destination_says_so(folder: Path) -> None:
    destination(folder, **{"sealing-certificate": "../west.pem"})

    made = sealed(folder, VALUE, "platform", "-d", "west", "--name", "db", "-n", "shop", "-k", "p")

    assert values(made) == {"p": VALUE}
    annotations = Fields(made).section("metadata").string_map("annotations")
    assert annotations == {"troth.dev/sealed-for": "west"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), b"give --certificate, or --destination with PATH"),
        (("--destination", "west"), b"give --certificate, or --destination with PATH"),
        (("platform", "--destination", "weste"), b"Destination weste is not among those given"),
        (("platform", "--destination", "west"), b"has no annotation troth.dev/sealing-certificate"),
        (("--certificate", "nowhere.pem"), b"cannot be read"),
        (("--certificate", "http://certs.example.com"), b"over https alone"),
    ],
)
def test_without_a_certificate_nothing_is_sealed(
    folder: Path, arguments: tuple[str, ...], text: bytes
) -> None:
    destination(folder)
    done = seal(folder, VALUE, "--name", "db", "-n", "shop", "-k", "p", *arguments)

    assert (done.returncode, done.stdout) == (2, b"")
    assert text in done.stderr


def test_the_certificate_may_be_had_from_the_controller(folder: Path) -> None:
    with serve_controller(folder, FakeController(["ours", "renewed"])) as host:
        made = sealed(folder, VALUE, *ONE[:-4], "--certificate", host.url(""), "-k", "p")

    assert values(made, key="renewed") == {"p": VALUE}


@pytest.mark.parametrize("chosen", ["option", "variable"])
def test_kubeseal_seals_where_it_is_chosen(folder: Path, chosen: str) -> None:
    environ = {"PATH": f"{require('kubeseal').parent}:{os.environ['PATH']}"}
    option = ("--sealer", "kubeseal") if chosen == "option" else ()
    if chosen == "variable":
        environ["TROTH_SEALER"] = "kubeseal"

    assert values(sealed(folder, VALUE, *ONE, *option, **environ)) == {"password": VALUE}


def test_a_kubeseal_that_is_not_there_is_said(folder: Path) -> None:
    done = seal(folder, VALUE, *ONE, "--sealer", "kubeseal", PATH="/nowhere")

    assert done.returncode == 1
    assert b"the program kubeseal that is to seal was not found" in done.stderr


def at_a_terminal(folder: Path, typed: bytes, *arguments: str) -> tuple[int, bytes, bytes]:
    """Run it at a terminal; return how it ended, what it printed, and what the terminal showed."""
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [str(TROTH), "seal", *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=folder,
        start_new_session=True,  # no other terminal than this
    ) as process:
        os.close(theirs)
        while b"Value" not in shown and b"Error" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, typed)
        printed, _ = process.communicate(timeout=60)
    with suppress(OSError):  # as Linux says that the other side is closed
        while more := os.read(ours, 1024):
            shown += more
    os.close(ours)
    return process.returncode, printed, shown


def test_at_a_terminal_a_value_is_asked_for_and_not_shown(folder: Path) -> None:
    code, printed, shown = at_a_terminal(folder, VALUE + b"\n", *ONE)

    assert code == 0
    assert values(load_object(printed.decode(), "printed")) == {"password": VALUE}
    assert VALUE not in shown


def test_at_a_terminal_nothing_typed_is_refused(folder: Path) -> None:
    code, printed, shown = at_a_terminal(folder, b"\n", *ONE)

    assert (code, printed) == (2, b"")
    assert b"the value of password is empty" in shown


def test_at_a_terminal_no_secret_is_waited_for(folder: Path) -> None:
    code, _, shown = at_a_terminal(folder, b"", *HERE)

    assert code == 2
    assert b"give a Secret on standard input" in shown
