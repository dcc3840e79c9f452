"""Running kubeseal: what it is told and what not, and what is said when it fails."""

import os
from pathlib import Path

import pytest
from support.sealing import certificate

from troth.errors import NotServedError, PermanentError, Reason, TransientError, TrothError
from troth.sdk.sealing import KubesealSealer, Scope, Target

VALUE = b"tr1cky-s3cret"
TARGET = Target("team", "creds")


def script(folder: Path, text: str) -> Path:
    """Write a program that stands where kubeseal should be."""
    path = folder / "kubeseal"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def failure(program: Path, kind: type[TrothError] = PermanentError, limit: float = 30) -> str:
    with pytest.raises(kind) as caught:
        KubesealSealer(certificate(), program, limit).seal(VALUE, TARGET)
    assert caught.value.reason is Reason.SEALER_FAILED
    assert "tr1cky" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("program", ["kubeseal-that-is-not-there", "/nowhere/kubeseal", "/etc"])
def test_a_program_that_is_missing_is_said_before_anything_is_sealed(program: str) -> None:
    with pytest.raises(NotServedError) as caught:
        KubesealSealer(certificate(), program)

    assert caught.value.reason is Reason.SEALER_FAILED
    assert f"the program {program} that is to seal was not found" in caught.value.message
    assert "seal in process" in caught.value.message


def test_a_program_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "echo found >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(PermanentError, match="found"):
        KubesealSealer(certificate()).seal(VALUE, TARGET)


def test_its_own_words_say_why_it_failed(tmp_path: Path) -> None:
    program = script(tmp_path, "echo 'error: no such thing' >&2; exit 7")

    assert failure(program) == f"{program} failed with code 7: error: no such thing"


def test_of_many_words_the_end_is_kept(tmp_path: Path) -> None:
    message = failure(script(tmp_path, "seq 1000 >&2; exit 1"))

    assert message.endswith("999\n1000")
    assert len(message) < 700


def test_the_value_is_in_no_argument_and_no_variable(tmp_path: Path) -> None:
    program = script(tmp_path, 'echo "$@" $(env) $(tr "\\0" " " </proc/$$/cmdline) >&2; exit 1')

    assert "--raw" in failure(program)  # which looks for the value, too


def test_the_value_comes_by_standard_input_and_lies_on_no_disk(tmp_path: Path) -> None:
    program = script(tmp_path, "readlink /proc/$$/fd/0 >&2; wc -c >&2; exit 1")

    message = failure(program)

    assert "/memfd:" in message
    assert f"\n{len(VALUE)}" in message


def test_the_certificate_lies_on_no_disk_either(tmp_path: Path) -> None:
    program = script(tmp_path, 'cat "$3" >&2; exit 1')

    assert certificate().pem.decode().strip()[-400:] in failure(program)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope.STRICT, "--scope strict --namespace team --name creds"),
        (Scope.NAMESPACE_WIDE, "--scope namespace-wide --namespace team"),
        (Scope.CLUSTER_WIDE, "--scope cluster-wide"),
    ],
)
def test_it_is_told_the_scope_and_what_that_binds_to(
    tmp_path: Path, scope: Scope, expected: str
) -> None:
    program = script(tmp_path, 'echo "$@" >&2; exit 1')

    with pytest.raises(PermanentError) as caught:
        KubesealSealer(certificate(), program).seal(VALUE, Target("team", "creds", scope))

    assert caught.value.message.endswith(expected)


def test_no_variable_of_the_machine_has_a_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALED_SECRETS_SCOPE", "cluster-wide")

    assert "SEALED_SECRETS" not in failure(script(tmp_path, "/usr/bin/env >&2; exit 1"))


def test_the_real_one_heeds_no_variable_of_the_machine(
    kubeseal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALED_SECRETS_CERT", "/nowhere")
    monkeypatch.setenv("KUBECONFIG", "/nowhere")

    assert KubesealSealer(certificate(), kubeseal).seal(VALUE, TARGET)


def test_one_that_hangs_is_ended_and_it_is_a_matter_of_time(tmp_path: Path) -> None:
    program = script(tmp_path, "exec /bin/sleep 600")

    message = failure(program, TransientError, limit=0.2)

    assert message == f"{program} was ended: it took longer than 0.2 s."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("true", "0 bytes where there should be 287"),
        ("echo kubeseal version: 0.27.1", "24 characters that are no base64"),
        ("printf AAAA", "3 bytes where there should be 287"),
        ("/bin/cat", "13 characters that are no base64"),
        ("printf '\\377'", "bytes that are no text"),
    ],
)
def test_what_is_no_sealed_value_is_refused_and_not_told(
    tmp_path: Path, text: str, found: str
) -> None:
    assert f"printed {found}; a sealed value was expected." in failure(script(tmp_path, text))
