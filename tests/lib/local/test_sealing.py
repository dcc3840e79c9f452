"""Certificates of a run: found where Destinations say, and no trouble of one stops anybody else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.platform import destination, promise
from support.sealing import NOW, certificate_pem, private_key

from troth.api import Destination, Json, JsonObject, Promise
from troth.engine import World
from troth.errors import InvalidInputError, Reason
from troth.local import load
from troth.local.sealing import Certificates, beside
from troth.sdk.sealing import CertificateCache

PEM = certificate_pem(private_key()).decode()
OTHER = certificate_pem(private_key("other")).decode()


def place(name: str, certificate: str | None = PEM, epoch: str = "", zone: str = "") -> Destination:
    found = destination(name, zone=zone)
    return replace(found, certificate=certificate, sealing_epoch=epoch)


def asked(selectors: dict[str, str] | None = None, seals_for: str | None = None) -> Promise:
    annotations = {"troth.dev/seals-for": seals_for} if seals_for else {}
    return promise(selectors=selectors or {}, annotations=annotations)


def found(of: Promise, *places: Destination) -> JsonObject | None:
    world = World({of.name: of}, {one.name: one for one in places}, ("",))
    return Certificates(world, CertificateCache(NOW)).of(of)


def test_the_only_destination_with_a_certificate_is_the_one() -> None:
    assert found(asked(), place("west"), place("plain", None)) == {
        "destination": "west",
        "certificate": PEM,
    }


def test_where_there_is_no_certificate_nothing_is_said() -> None:
    assert found(asked(), place("plain", None)) is None


def test_of_several_clusters_the_selectors_decide() -> None:
    places = place("west", zone="west"), place("east", OTHER, zone="east")

    assert found(asked({"zone": "east"}), *places) == {"destination": "east", "certificate": OTHER}


def test_of_several_clusters_that_match_none_is_taken_for_the_right_one() -> None:
    assert found(asked(), place("west"), place("east", OTHER)) is None
    assert found(asked(), place("west"), place("east", epoch="2")) is None


def test_of_several_clusters_the_one_counts_that_the_promise_names() -> None:
    places = place("west"), place("east", OTHER)

    assert found(asked(seals_for="west"), *places) == {"destination": "west", "certificate": PEM}
    assert found(asked(seals_for="east"), *places) == {"destination": "east", "certificate": OTHER}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("north", "Destination north (troth.dev/seals-for), which is not among those given"),
        ("plain", "Destination plain (troth.dev/seals-for), which has no annotation"),
    ],
)
def test_a_promise_that_names_one_which_cannot_be_sealed_for_is_refused(
    name: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        found(asked(seals_for=name), place("west"), place("plain", None))

    assert caught.value.reason is Reason.CERTIFICATE_UNUSABLE
    assert words in caught.value.message


def test_the_names_of_one_cluster_are_all_told() -> None:
    assert found(asked(), place("west"), place("backup"), place("plain", None)) == {
        "destination": "backup",
        "certificate": PEM,
        "same": ["backup", "west"],
    }


def test_the_epoch_of_a_clusters_keys_is_told() -> None:
    said = found(asked(), place("west", epoch="2026-11"))

    assert said is not None
    assert said["epoch"] == "2026-11"


@pytest.mark.parametrize(
    ("certificate", "reason", "words"),
    [
        (certificate_pem(private_key(), end=NOW - timedelta(days=1)).decode(),
         Reason.CERTIFICATE_UNUSABLE, "has expired on 2026-05-31"),
        ("no/such/file.pem", Reason.CERTIFICATE_UNUSABLE, "cannot be read"),
        ("http://127.0.0.1:9/cert.pem", Reason.CERTIFICATE_UNREACHABLE, "cannot be reached"),
    ],
)  # fmt: skip
def test_a_certificate_that_cannot_be_used_is_a_problem_for_who_seals_and_nobody_else(
    certificate: str, reason: Reason, words: str
) -> None:
    said = found(asked(), place("west", certificate))

    assert said is not None
    assert set(said) == {"destination", "problem"}
    problem = said["problem"]
    assert isinstance(problem, dict)
    assert problem["reason"] == reason.value
    assert str(problem["message"]).startswith("Destination west: ")
    assert words in str(problem["message"])


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (None, None),
        (PEM, PEM),
        ("https://sealed.example.com/cert.pem", "https://sealed.example.com/cert.pem"),
        ("cert.pem", "platform/cert.pem"),
        ("../keys/cert.pem", "platform/../keys/cert.pem"),
        ("/etc/cert.pem", "/etc/cert.pem"),
    ],
)
def test_a_file_is_found_beside_the_one_that_names_it(
    certificate: str | None, expected: str | None
) -> None:
    assert beside(certificate, Path("platform")) == expected


def test_a_destination_is_read_with_the_certificate_beside_it(tmp_path: Path) -> None:
    annotations: dict[str, Json] = {
        "troth.dev/sealing-certificate": "cert.pem",
        "troth.dev/sealing-epoch": "2",
    }
    lines = "\n".join(f"    {key}: '{value}'" for key, value in annotations.items())
    (tmp_path / "west.yaml").write_text(
        "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata:\n  name: west\n"
        f"  annotations:\n{lines}\nspec:\n  path: west\n"
        "  stateStoreRef: {kind: GitStateStore, name: fleet}\n"
    )

    west = load([tmp_path]).destinations["west"]

    assert west.certificate == str(tmp_path / "cert.pem")
    assert west.sealing_epoch == "2"
