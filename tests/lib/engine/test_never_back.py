"""Sealed values are never brought back: neither by a revert nor by a rollback."""

from collections.abc import Mapping

import pytest
from support.platform import Platform, config_map, request

from troth.api import JsonObject, dump_documents
from troth.engine import Record, Spot, State, View, survey
from troth.engine.ledger import Ledger
from troth.engine.never_back import sealed_digest
from troth.errors import Reason
from troth.runners import StageJob, StageResult


def sealed(value: str, name: str = "db") -> JsonObject:
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"encryptedData": {"password": value}},
    }


def digest(*manifests: JsonObject, path: str = "a.yaml", store: str = "") -> str | None:
    return sealed_digest({Spot(store, path): dump_documents(manifests)})


def test_what_holds_nothing_sealed_has_no_digest() -> None:
    assert digest(config_map("one")) is None
    assert digest(config_map("one", text="SealedSecret")) is None


def test_the_digest_is_of_what_is_sealed_and_nothing_else() -> None:
    assert digest(sealed("x"), config_map("one")) == digest(config_map("two"), sealed("x"))
    assert digest(sealed("x")) == digest(sealed("x"), store="other")


@pytest.mark.parametrize("others", [[sealed("y")], [sealed("x", "other")], [], [sealed("x")] * 2])
def test_another_value_another_name_or_another_number_has_another_digest(
    others: list[JsonObject],
) -> None:
    assert digest(sealed("x")) != digest(*others)


def test_the_spelling_of_the_file_does_not_matter() -> None:
    block = dump_documents([sealed("x")])
    flow = b"{kind: SealedSecret, apiVersion: bitnami.com/v1alpha1, metadata: {namespace: team, "
    flow += b"name: db}, spec: {encryptedData: {password: x}}}"

    assert sealed_digest({Spot("", "a"): block}) == sealed_digest({Spot("", "a"): flow})


def test_what_is_sealed_in_a_list_is_seen() -> None:
    def listed(value: str) -> JsonObject:
        return {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), sealed(value)]}

    assert digest(listed("x")) not in {None, digest(listed("y"))}


def test_a_file_that_cannot_be_read_counts_as_a_whole() -> None:
    texts = [b"SealedSecret: [", b"SealedSecret: {", b"\xffSealedSecret"]

    assert len({sealed_digest({Spot("", "a"): text}) for text in texts}) == 3


def with_secret(job: StageJob) -> StageResult:
    """Renders spec.value into a ConfigMap, and spec.colour into what is sealed."""
    spec = job.object["spec"]
    assert isinstance(spec, Mapping)
    secret = sealed(str(spec["colour"]))
    files = {"config.yaml": dump_documents([config_map("c", value=str(spec["value"]))])}
    return StageResult({**files, "secret.yaml": dump_documents([secret])})


def reverted(value: str, colour: str) -> Platform:
    """A request that was written so, then with value b and colour new, then reverted."""
    platform = Platform(stages={"configure": with_secret})
    platform.sync(request(value=value, colour=colour))
    before = platform.files
    platform.sync(request(value="b", colour="new"))
    platform.tamper(before)
    return platform


def test_a_revert_that_leaves_what_is_sealed_is_kept() -> None:
    platform = reverted("a", "new")

    item = platform.sync(request(value="b", colour="new"))["one"]

    assert (item.state, item.reason) == (State.UNCHANGED, Reason.REVERTED)


def test_a_revert_to_another_sealed_value_is_put_back_and_says_why() -> None:
    platform = reverted("a", "old")

    item = platform.sync(request(value="b", colour="new"))["one"]

    assert (item.state, item.reason) == (State.WRITTEN, Reason.DRIFT_PUT_BACK)
    assert "rolled back, and put back" in item.message
    assert "SealedSecret" in item.message
    assert any(b"new" in content for content in platform.files.values())
    again = platform.sync(request(value="b", colour="new"))["one"]
    assert (again.state, again.reason) == (State.UNCHANGED, Reason.UP_TO_DATE)


def test_the_status_says_that_such_a_revert_will_be_put_back() -> None:
    platform = reverted("a", "old")

    [item] = survey(Ledger.read(View.of(platform.store.snapshot())))

    assert (item.state, item.reason) == (State.WAITING, Reason.DRIFTED)
    assert "SealedSecret" in item.message


def test_a_revert_of_what_was_noticed_once_does_not_bring_a_value_back_later() -> None:
    platform = Platform(stages={"configure": with_secret})
    platform.sync(request(value="a", colour="old"))
    oldest = platform.files
    platform.sync(request(value="a", colour="new"))
    middle = platform.files
    platform.sync(request(value="b", colour="new"))
    platform.tamper(middle)
    kept = platform.sync(request(value="b", colour="new"))["one"]
    platform.tamper(oldest)

    item = platform.sync(request(value="b", colour="new"))["one"]

    assert kept.reason == Reason.REVERTED
    assert item.reason == Reason.DRIFT_PUT_BACK


def test_the_record_of_what_holds_nothing_sealed_does_not_speak_of_it() -> None:
    platform = Platform()
    platform.sync(request(value="a"))

    [content] = platform.records.values()

    assert b"sealed" not in content


def test_a_record_keeps_the_digest_through_a_pass_that_renders_nothing() -> None:
    platform = Platform(stages={"configure": with_secret})
    platform.sync(request(value="a", colour="new"))
    [(key, before)] = platform.records.items()
    platform.sync(request(value="a", colour="new", root="elsewhere"))

    record = Record.decode(platform.records[key], key)

    assert platform.records[key] != before
    assert record.sealed == Record.decode(before, key).sealed
    assert record.sealed is not None


def counting(job: StageJob) -> StageResult:
    """Keeps in its status how often the spec has changed, as if it made something outside."""
    spec, status = job.object["spec"], job.object.get("status", {})
    assert isinstance(spec, Mapping)
    assert isinstance(status, Mapping)
    made = status.get("made")
    seen = list(made) if isinstance(made, list) else []
    if spec["value"] not in seen:
        seen.append(spec["value"])
    files = {"config.yaml": dump_documents([config_map("c", value=str(spec["value"]))])}
    return StageResult(files, {"status.yaml": dump_documents([{"made": seen}])})


def test_a_revert_brings_no_state_of_the_stages_back() -> None:
    platform = Platform(stages={"configure": counting})
    platform.sync(request(value="a"))
    before = platform.files
    platform.sync(request(value="b"))
    platform.tamper(before)

    item = platform.sync(request(value="b"))["one"]

    [(key, content)] = platform.records.items()
    assert item.reason == Reason.REVERTED
    assert Record.decode(content, key).status == {"made": ["a", "b"]}
