"""The gates: what no output may be, with the reason and the words that tell how to mend it."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.api import Json, JsonObject, dump_documents
from troth.engine import State
from troth.errors import Reason, StageError
from troth.runners import StageJob, StageResult

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def nats_seed() -> str:
    """A user's seed as nats-io/nkeys spells it: two prefix bytes, 32 bytes, CRC, in base32."""
    seed, user = 18 << 3, 20 << 3
    raw = bytes([seed | user >> 5, (user & 31) << 3]) + b"k" * 32
    crc = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + crc).decode().rstrip("=")


def secret(**fields: Json) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "team"},
        **fields,
    }


def stage_of(files: dict[str, bytes]) -> Platform:
    def stage(_: StageJob) -> StageResult:
        return StageResult(files)

    return Platform(stages={"configure": stage})


GOOD = dump_documents([config_map("a")])

REFUSED: list[tuple[str, dict[str, bytes], Reason, str]] = [
    ("text", {"a.yaml": b"just text"}, Reason.NOT_AN_OBJECT, "a.yaml:1"),
    ("broken", {"a.yaml": b"a: [1"}, Reason.NOT_AN_OBJECT, "a.yaml:"),
    ("empty", {"a.yaml": b"# nothing\n"}, Reason.NOT_AN_OBJECT, "no object"),
    ("binary", {"a.yaml": b"\xff\xfe"}, Reason.NOT_AN_OBJECT, "UTF-8"),
    ("no kind", {"a.yaml": b"apiVersion: v1\nmetadata: {name: a}\n"}, Reason.NOT_AN_OBJECT, "kind"),
    ("no name", {"a.yaml": b"apiVersion: v1\nkind: A\n"}, Reason.NOT_AN_OBJECT, "metadata.name"),
    ("list", {"a.yaml": b"apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: []\n"},
     Reason.NOT_AN_OBJECT, "items of a list"),
    ("readme", {"README.md": b"# hello"}, Reason.NOT_AN_OBJECT, ".yaml"),
    ("kustomization", {"kustomization.yaml": GOOD}, Reason.NOT_AN_OBJECT, "Flux"),
    ("twice", {"a.yaml": GOOD, "b.yaml": GOOD}, Reason.DUPLICATE_OBJECT, "first in a.yaml"),
    ("name", {"a.yaml": dump_documents([config_map("Not_Valid")])}, Reason.INVALID_NAME, "a-z"),
    ("long", {"a.yaml": dump_documents([config_map("a" * 254)])}, Reason.INVALID_NAME, "254"),
    ("parent", {"../x.yaml": GOOD}, Reason.UNSAFE_PATH, "../x.yaml"),
    ("absolute", {"/x.yaml": GOOD}, Reason.UNSAFE_PATH, "/x.yaml"),
    ("git", {".git/config": GOOD}, Reason.UNSAFE_PATH, "is taken for it"),
    ("git case", {"a/.GIT/config.yaml": GOOD}, Reason.UNSAFE_PATH, "is taken for it"),
    ("newline", {"a\nb.yaml": GOOD}, Reason.UNSAFE_PATH, "control character"),
    ("large", {"a.yaml": b"#" * (1024 * 1024 + 1)}, Reason.TOO_LARGE, "1048577 bytes"),
    ("many", {f"{n}.yaml": b"" for n in range(2001)}, Reason.TOO_LARGE, "2001 files"),
    ("data", {"a.yaml": dump_documents([secret(data={"k": "eA=="})])}, Reason.PLAIN_SECRET,
     "a.yaml:7"),
    ("stringData", {"a.yaml": dump_documents([secret(stringData={"k": "v"})])},
     Reason.PLAIN_SECRET, "plain text"),
    ("pem", {"a.yaml": dump_documents([config_map("a", key=PEM)])}, Reason.PLAIN_SECRET,
     "private key"),
    ("pem64", {"a.yaml": dump_documents([config_map("a", k=base64.b64encode(PEM.encode()).decode())
                                         ])}, Reason.PLAIN_SECRET, "base64"),
    ("label", {"a.yaml": b"apiVersion: v1\nkind: A\nmetadata: {name: a, labels: {x: 'a b'}}\n"},
     Reason.INVALID_NAME, "metadata.labels.x"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "reason", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_bad_output_is_refused_with_its_reason_and_nothing_is_written(
    files: dict[str, bytes], reason: Reason, words: str
) -> None:
    platform = stage_of(files)

    items = platform.sync(request())

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, reason)
    assert words in items["one"].message
    assert platform.files == {}


def test_the_old_files_stay_when_the_new_output_is_refused() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    files = platform.files
    platform.runner.stages["configure"] = writes(secret(stringData={"password": "hunter2"}))

    items = platform.sync(request(value="y"), request("two", value="y"))

    assert items["one"].reason == Reason.PLAIN_SECRET
    assert "hunter2" not in items["one"].message
    assert platform.files == files


@pytest.mark.parametrize("fields", [{}, {"data": {}}, {"data": {"k": ""}}, {"type": "Opaque"}])
def test_a_secret_without_values_is_no_secret(fields: dict[str, Json]) -> None:
    platform = Platform(stages={"configure": writes(secret(**fields))})

    assert platform.sync(request())["one"].state is State.WRITTEN


def test_a_certificate_is_no_secret() -> None:
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIE\n").decode()
    platform = Platform(stages={"configure": writes(config_map("a", certificate=certificate))})

    assert platform.sync(request())["one"].state is State.WRITTEN


def test_a_key_behind_a_certificate_is_found() -> None:
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIE\n").decode()
    key = base64.b64encode(PEM.encode()).decode()
    manifest = config_map("a", **{"tls.crt": certificate, "tls.key": key})
    platform = Platform(stages={"configure": writes(manifest)})

    assert platform.sync(request())["one"].reason == Reason.PLAIN_SECRET


def test_a_path_that_only_its_whole_length_makes_unsafe_is_refused_for_its_request_alone() -> None:
    platform = Platform(
        stages={"configure": follows_spec}, destinations=[destination("cluster", ".troth/x")]
    )

    items = platform.sync(request())

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.UNSAFE_PATH)


@given(st.text(min_size=1, max_size=30))
def test_what_the_gates_let_through_a_store_takes(path: str) -> None:
    platform = stage_of({f"{path}.yaml": GOOD})

    items = platform.sync(request())

    assert items["one"].state in {State.WRITTEN, State.REFUSED}


@pytest.mark.parametrize(
    "value", [PEM, nats_seed(), base64.b64encode(PEM.encode()).decode(), PEM[:60]]
)
def test_a_secret_that_a_stage_raises_reaches_no_report(value: str) -> None:
    def stage(_: StageJob) -> StageResult:
        raise StageError(Reason.STAGE_FAILED, f"cannot use {value} here")

    platform = Platform(stages={"configure": stage})

    message = platform.sync(request())["one"].message

    assert value.strip() not in message
    assert "cannot use [a " in message


def test_an_exempt_promise_may_write_a_secret_and_every_report_says_so() -> None:
    exempt = promise(annotations={"troth.dev/allow-plain-secrets": "true"})
    platform = Platform(
        stages={"configure": writes(secret(stringData={"k": "v"}))}, promises=[exempt]
    )

    first, second = platform.sync(request())["one"], platform.sync(request())["one"]

    assert first.state is State.WRITTEN
    assert "plain secrets" in first.message
    assert "plain secrets" in second.message


@pytest.mark.parametrize("value", [PEM, nats_seed()])
def test_a_secret_in_the_status_reaches_no_record(value: str) -> None:
    platform = Platform(stages={"configure": writes(config_map("a"), status={"key": value})})

    items = platform.sync(request())

    assert items["one"].reason == Reason.PLAIN_SECRET
    assert platform.records == {}


def test_a_secret_in_the_words_of_a_suspension_reaches_no_record() -> None:
    control: JsonObject = {"suspend": True, "message": PEM}
    platform = Platform(stages={"configure": writes(control=control)})

    item = platform.sync(request())["one"]

    assert item.reason == Reason.PLAIN_SECRET
    assert "MIIE" not in item.message
    assert platform.records == {}


@pytest.mark.parametrize("before", ["", "x", "xy", "\n"])
def test_a_key_anywhere_in_base64_is_found(before: str) -> None:
    blob = base64.b64encode((before + PEM).encode()).decode()
    platform = Platform(stages={"configure": writes(config_map("a", blob=blob))})

    assert platform.sync(request())["one"].reason == Reason.PLAIN_SECRET


def test_much_base64_is_looked_through_in_one_go() -> None:
    """Looking from each letter on would take hours, and no other thread would run meanwhile."""
    blob = base64.b64encode(bytes(range(256)) * 2000).decode()
    platform = Platform(stages={"configure": writes(config_map("a", blob=blob))})

    assert platform.sync(request())["one"].reason == Reason.CREATED


def test_an_exemption_that_is_withdrawn_counts_at_once() -> None:
    exempt = promise(annotations={"troth.dev/allow-plain-secrets": "true"})
    platform = Platform(
        stages={"configure": writes(secret(stringData={"k": "v"}))}, promises=[exempt]
    )
    platform.sync(request())
    platform.promises = [promise()]

    assert platform.sync(request())["one"].reason == Reason.PLAIN_SECRET


def test_a_secret_in_the_request_reaches_no_record() -> None:
    platform = Platform()

    items = platform.sync(request(annotations={}, value="x", colour=PEM))

    assert items["one"].reason == Reason.PLAIN_SECRET
    assert platform.records == {}


@pytest.mark.parametrize(
    ("selectors", "words"),
    [
        ([{"directory": "a"}], "entry with index 0 has no selectors"),
        ([{"directory": "a/b", "matchLabels": {"x": "y"}}], "sub-directories are not allowed"),
        ([{"directory": "gone", "matchLabels": {"x": "y"}}], "nothing was written"),
        ([{"matchLabels": {"x": "y"}}, {"directory": ".", "matchLabels": {"x": "z"}}],
         "duplicate entries"),
        ("text", "a list is needed"),
    ],
)  # fmt: skip
def test_destination_selectors_are_refused_in_kratix_words(selectors: Json, words: str) -> None:
    platform = Platform(stages={"configure": writes(config_map("a"), selectors=selectors)})

    items = platform.sync(request())

    assert items["one"].reason == Reason.INVALID_DESTINATION_SELECTORS
    assert words in items["one"].message
