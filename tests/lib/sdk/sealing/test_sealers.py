"""What every sealer does: seal for one target and one key, so that the controller can open it."""

import base64
import logging
from pathlib import Path

import pytest
from support.sealing import (
    CannotOpenError,
    certificate,
    private_key,
    private_pem,
    recovery_unseal,
    unseal,
)

from troth.sdk.sealing import Scope, Sealer, Target, sealed_secret

STRICT = Target("team", "creds")
VALUES = [b"", b"s3cret", b"line\n", b"\x00\xff\r\n\x1a", b"-----BEGIN NATS USER JWT-----\n" * 9]
SCOPES = [Target("team", "creds", scope) for scope in Scope]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_sealed_opens_to_the_very_bytes(sealer: Sealer, value: bytes) -> None:
    assert unseal(sealer.seal(value, STRICT), "team/creds") == value


def test_a_value_of_a_megabyte_is_no_obstacle(sealer: Sealer) -> None:
    value = bytes(range(256)) * 4096

    assert unseal(sealer.seal(value, STRICT), "team/creds") == value


@pytest.mark.parametrize("target", SCOPES, ids=str)
def test_what_is_sealed_opens_under_the_label_of_its_scope(sealer: Sealer, target: Target) -> None:
    assert unseal(sealer.seal(b"s3cret", target), target.label) == b"s3cret"


@pytest.mark.parametrize("label", ["team/other", "other/creds", "team", "", "team/creds/"])
def test_what_is_sealed_opens_under_no_other_label(sealer: Sealer, label: str) -> None:
    sealed = sealer.seal(b"s3cret", STRICT)

    with pytest.raises(CannotOpenError):
        unseal(sealed, label)


def test_what_is_sealed_opens_with_no_other_key(sealer: Sealer) -> None:
    sealed = sealer.seal(b"s3cret", STRICT)

    with pytest.raises(CannotOpenError):
        unseal(sealed, STRICT.label, private_key("other"))


def test_the_layout_is_the_controllers(sealer: Sealer) -> None:
    sealed = base64.b64decode(sealer.seal(b"12345", STRICT), validate=True)

    assert sealed[:2] == b"\x01\x00"  # the 256 bytes of a key of 2048 bits
    assert len(sealed) == 2 + 256 + 5 + 16


def test_no_part_of_two_ciphertexts_of_a_value_is_the_same(sealer: Sealer) -> None:
    one, two = (base64.b64decode(sealer.seal(b"s3cret", STRICT)) for _ in range(2))

    assert one[2:258] != two[2:258]
    assert one[258:] != two[258:]  # or the session key would be the same


def test_a_sealer_tells_what_it_seals_with(sealer: Sealer) -> None:
    assert sealer.certificate == certificate()


def given_key(folder: Path) -> Path:
    """Write the cluster's key where what is given lies; see the leak hunt."""
    key = folder / "secrets" / "key.pem"
    key.parent.mkdir()
    key.write_bytes(private_pem(private_key()))
    return key


@pytest.mark.parametrize("target", SCOPES, ids=str)
def test_kubeseal_opens_what_is_sealed(
    sealer: Sealer, target: Target, kubeseal: Path, tmp_path: Path
) -> None:
    key = given_key(tmp_path)
    sealed = {f"key-{place}": sealer.seal(value, target) for place, value in enumerate(VALUES)}

    opened = recovery_unseal(kubeseal, sealed_secret(target, "prod", sealed), key)

    assert opened == {f"key-{place}": value for place, value in enumerate(VALUES)}


def test_kubeseal_opens_nothing_that_was_carried_to_another_name(
    sealer: Sealer, kubeseal: Path, tmp_path: Path
) -> None:
    key = given_key(tmp_path)
    sealed = {"key": sealer.seal(b"s3cret", STRICT)}

    with pytest.raises(CannotOpenError, match="no key could decrypt"):
        recovery_unseal(kubeseal, sealed_secret(Target("team", "other"), "prod", sealed), key)


def test_no_log_holds_a_value_however_much_is_logged(
    sealer: Sealer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        sealer.seal(b"tr1cky-s3cret", STRICT)

    assert "tr1cky" not in caplog.text


def test_nothing_is_left_open(sealer: Sealer) -> None:
    sealer.seal(b"s3cret", STRICT)
    before = sorted(Path("/proc/self/fd").iterdir())
    sealer.seal(b"s3cret", STRICT)

    assert sorted(Path("/proc/self/fd").iterdir()) == before
