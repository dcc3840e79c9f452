"""The bare file contract: no troth.json, a clock and randomness that differ, only the status."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.generated_secrets import Folder, opened, variables
from support.sealing import certificate_pem, private_key

from troth.api import Fields, Json, load_object
from troth.errors import InvalidInputError


def test_ten_runs_in_a_row_write_the_same_bytes_and_leave_the_same_status(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first, status = folder.run(), None
    for _ in range(10):
        status = status or dict(folder.status)
        assert folder.run() == first
        assert folder.status == status

    assert len(opened(first)["password"]) == 32


def test_two_requests_get_two_passwords(tmp_path: Path) -> None:
    first = Folder(tmp_path / "1").run()
    second = Folder(tmp_path / "2").run()

    assert opened(first) != opened(second)


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        ({"type": "password", "key": "DB"}, {"DB"}),
        ({"type": "token"}, {"token"}),
        ({"type": "ssh-key"}, {"ssh-privatekey", "ssh-publickey"}),
        ({"type": "basic-auth", "username": "me"}, {"username", "password"}),
    ],
)
def test_each_type_is_sealed_with_its_keys_and_nothing_of_it_stands_elsewhere(
    tmp_path: Path, spec: dict[str, Json], keys: set[str]
) -> None:
    folder = Folder(tmp_path)
    values = opened(folder.run(**spec))

    assert set(values) == keys
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    secret = [value for key, value in values.items() if key not in {"username", "ssh-publickey"}]
    assert [value for value in secret if value in written] == []


def test_the_public_key_of_a_pair_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    values = opened(folder.run(type="ssh-key", username="me"))

    assert values["ssh-publickey"].decode().strip() in json.dumps(folder.status)


def test_the_sealed_secret_says_for_whom_it_is(tmp_path: Path) -> None:
    manifest = load_object(Folder(tmp_path).run().decode(), "sealed-secret.yaml")

    assert manifest["metadata"] == {
        "name": "orders",
        "namespace": "shop",
        "annotations": {"troth.dev/sealed-for": "west"},
        "labels": {"app.kubernetes.io/managed-by": "troth"},
    }


def test_a_renewed_certificate_and_a_lost_sealing_key_change_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    folder.environ = variables("renewed")
    del folder.environ["TROTH_SEALING_KEY"]

    assert folder.run() == first


def test_an_expired_certificate_stops_only_what_is_to_be_sealed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    ended = certificate_pem(private_key(), end=datetime(2020, 1, 2, tzinfo=UTC))
    folder.environ["TROTH_SEALING_CERTIFICATE"] = ended.decode()

    assert folder.run() == first
    with pytest.raises(InvalidInputError, match="has expired"):
        folder.run(rotation={"request": "now"})


def test_another_epoch_rotates_exactly_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    folder.environ = {**variables("new"), "TROTH_SEALING_EPOCH": "2"}
    second = folder.run()

    assert folder.run() == second
    assert opened(second, key="new") != opened(first)


def test_another_destination_rotates_exactly_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.run()
    folder.environ = {**variables("east"), "TROTH_SEALING_DESTINATION": "east"}
    second = folder.run()

    assert folder.run() == second
    assert opened(second, key="east")


def test_a_status_that_was_wiped_costs_one_rotation(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run()
    folder.status = {}
    second = folder.run()

    assert second != first
    assert folder.run() == second


def test_a_schedule_that_is_over_rotates_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = folder.run(rotation={"every": "1h"})
    (credential,) = Fields(folder.status).items("credentials")
    folder.status["credentials"] = [{**credential.raw, "issued": "2026-01-01T00:00:00Z"}]
    second = folder.run(rotation={"every": "1h"})

    assert opened(second) != opened(first)
    assert folder.run(rotation={"every": "1h"}) == second
