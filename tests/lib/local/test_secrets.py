"""Secrets as files: both layouts, what cannot be read, and no word of what is in them."""

import base64
from pathlib import Path

import pytest

from troth.api import SecretKind, SecretRef
from troth.errors import InvalidInputError, Reason
from troth.local import SecretsFolder

FLEET = SecretRef("platform", "fleet")
CANARY = "c4n4ry-v4lue"


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def secret_yaml(*lines: str) -> str:
    head = ["apiVersion: v1", "kind: Secret", "metadata: {name: fleet, namespace: platform}"]
    return "\n".join([*head, *lines]) + "\n"


def error_of(folder: Path, reference: SecretRef = FLEET) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        SecretsFolder(folder).read(reference)
    return caught.value


def test_a_folder_with_a_file_for_each_key_is_a_secret(tmp_path: Path) -> None:
    write(tmp_path / "platform/fleet/username", "team")
    write(tmp_path / "platform/fleet/password", b"\xff\n")

    assert SecretsFolder(tmp_path).read(FLEET) == {"username": b"team", "password": b"\xff\n"}


def test_a_mounted_secret_is_read_as_it_is_after_each_swap(tmp_path: Path) -> None:
    folder = tmp_path / "platform/fleet"
    write(folder / "..2026_01_01/password", "old")
    write(folder / "..2026_01_02/password", "new")
    (folder / "..data").symlink_to("..2026_01_01")
    (folder / "password").symlink_to("..data/password")
    secrets = SecretsFolder(tmp_path)
    before = secrets.read(FLEET)

    (folder / "..next").symlink_to("..2026_01_02")
    (folder / "..next").replace(folder / "..data")

    assert before == {"password": b"old"}
    assert secrets.read(FLEET) == {"password": b"new"}


def test_a_secret_object_is_read_with_plain_texts_over_encoded_ones(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"old").decode()
    text = secret_yaml(
        f"data: {{password: {encoded}, other: {encoded}}}", "stringData: {password: new}"
    )
    write(tmp_path / "platform/fleet.yaml", text)

    assert SecretsFolder(tmp_path).read(FLEET) == {"password": b"new", "other": b"old"}


def test_a_secret_object_need_not_name_its_namespace(tmp_path: Path) -> None:
    text = "kind: Secret\nmetadata: {name: fleet}\nstringData: {a: b}\n"
    write(tmp_path / "platform/fleet.yaml", text)

    assert SecretsFolder(tmp_path).read(FLEET) == {"a": b"b"}


def test_a_secret_that_is_not_there_is_told_in_kratixs_words(tmp_path: Path) -> None:
    error = error_of(tmp_path)

    assert error.reason is Reason.SECRET_NOT_FOUND
    assert error.message.startswith("Secret fleet not found in namespace platform.")
    assert str(tmp_path / "platform" / "fleet.yaml") in error.message


def test_a_secret_in_both_forms_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "platform/fleet/password", "a")
    write(tmp_path / "platform/fleet.yaml", secret_yaml("stringData: {password: b}"))

    assert "keep one" in error_of(tmp_path).message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{CANARY}: [", "no YAML of one Secret"),
        (f"- {CANARY}\n", "no YAML of one Secret"),
        (secret_yaml(f"data: {{password: [{CANARY}]}}"), "no YAML of one Secret"),
        (secret_yaml("data: {password: 2026}"), "no YAML of one Secret"),
        (secret_yaml(f"data: {{password: '{CANARY}!'}}"), "the value of password is no base64"),
        (f"kind: ConfigMap\nmetadata: {{name: fleet}}\ndata: {{a: {CANARY}}}\n", "another kind"),
        (f"kind: Secret\nmetadata: {{name: other}}\nstringData: {{a: {CANARY}}}\n", "another kind"),
    ],
)
def test_a_file_that_is_no_such_secret_is_refused_without_its_content(
    tmp_path: Path, text: str, words: str
) -> None:
    write(tmp_path / "platform/fleet.yaml", text)

    error = error_of(tmp_path)

    assert error.reason is Reason.INVALID_CREDENTIALS
    assert words in error.message
    assert "platform/fleet" in error.message
    assert CANARY not in error.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "platform/fleet.yaml", b"\xff\xfe")

    assert "no text in UTF-8" in error_of(tmp_path).message


@pytest.mark.parametrize(
    "reference",
    [SecretRef("..", "fleet"), SecretRef("platform", "../../etc"), SecretRef("a/b", "c")],
)
def test_a_reference_leads_nowhere_but_below_the_folder(
    tmp_path: Path, reference: SecretRef
) -> None:
    write(tmp_path / "etc/key", "x")

    assert "is not made of" in error_of(tmp_path / "secrets" / "deep", reference).message


CONFIG = SecretRef("platform", "fleet", SecretKind.CONFIG_MAP)


def test_a_config_map_stands_beside_a_secret_of_its_name(tmp_path: Path) -> None:
    head = "kind: ConfigMap\nmetadata: {name: fleet, namespace: platform}\n"
    encoded = base64.b64encode(b"\xff").decode()
    text = f"{head}data: {{level: high}}\nbinaryData: {{blob: {encoded}}}\n"
    write(tmp_path / "platform/fleet.configmap.yaml", text)
    write(tmp_path / "platform/fleet.yaml", secret_yaml("stringData: {level: low}"))
    secrets = SecretsFolder(tmp_path)

    assert secrets.read(CONFIG) == {"level": b"high", "blob": b"\xff"}
    assert secrets.read(FLEET) == {"level": b"low"}


def test_a_config_map_may_be_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "platform/fleet.configmap/level", "high")

    assert SecretsFolder(tmp_path).read(CONFIG) == {"level": b"high"}


def test_a_config_map_that_is_not_there_is_named_as_one(tmp_path: Path) -> None:
    error = error_of(tmp_path, CONFIG)

    assert error.reason is Reason.SECRET_NOT_FOUND
    assert error.message.startswith("ConfigMap fleet not found in namespace platform.")
