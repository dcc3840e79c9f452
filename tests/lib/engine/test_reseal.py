"""Sealing anew: found wherever a stage keeps it, and written only where nothing else differs."""

import base64
from collections.abc import Callable, Mapping

import pytest
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Destination, Fields, Json, JsonObject, dump_documents
from troth.engine import Change, Engine, Intake, Item, Ledger, Moment, Renderer, View, World
from troth.engine.reseal import (
    Aged,
    Renewed,
    judge,
    look_for_aged,
    renew,
    why_not_now,
    with_renewed,
)
from troth.engine.sealed_values import find_sealed, sealed_files
from troth.errors import InvalidInputError, PermanentError
from troth.runners import StageJob, StageResult

OLD, NEW = (base64.b64encode(text * 30).decode() for text in (b"old", b"new"))


def value(ciphertext: str = OLD, certificate: str = "SHA256:old", **more: Json) -> JsonObject:
    return {
        "ciphertext": ciphertext,
        "label": "team/db",
        "destination": "cluster",
        "epoch": "",
        "generation": 1,
        "certificate": certificate,
        **more,
    }


def sealed(ciphertext: str, name: str = "db") -> JsonObject:
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"encryptedData": {"password": ciphertext}},
    }


def kept(job: StageJob) -> JsonObject:
    """Return what a stage finds in its status, or what it seals at first."""
    found = Fields(job.object).mapping("status").get("deep")
    inside = found[0] if isinstance(found, list) else None
    return Fields(inside).mapping("password") if isinstance(inside, dict) else value()


def result(manifest: JsonObject, *others: JsonObject, status: Json) -> StageResult:
    content = {"objects.yaml": dump_documents([manifest, *others])}
    return StageResult(content, {"status.yaml": dump_documents([{"deep": [{"password": status}]}])})


def good(job: StageJob) -> StageResult:
    """A stage that writes again what its status holds, and a text of the request."""
    state, text = kept(job), Fields(job.object).section("spec").text("value", "")
    return result(sealed(str(state["ciphertext"])), config_map("x", text=text), status=state)


def deaf(job: StageJob) -> StageResult:
    """A stage that writes the ciphertext it sealed at first, whatever its status holds."""
    return result(sealed(OLD), status=kept(job))


def forgetful(job: StageJob) -> StageResult:
    """A stage that goes by its status, and puts something else there once that is new."""
    state = kept(job)
    renewed = state["certificate"] != "SHA256:old"
    return result(
        sealed(str(state["ciphertext"])), status={**state, "seen": True} if renewed else state
    )


def talkative(job: StageJob) -> StageResult:
    """A stage that writes the fingerprint of its certificate too."""
    state = kept(job)
    manifest = config_map("x", certificate=str(state["certificate"]))
    return result(sealed(str(state["ciphertext"])), manifest, status=state)


def elsewhere(job: StageJob) -> StageResult:
    """A stage that writes another file once the certificate is new."""
    state = kept(job)
    found = result(sealed(str(state["ciphertext"])), status=state)
    if state["certificate"] == "SHA256:old":
        return found
    return StageResult(
        {**found.files, "more.yaml": dump_documents([config_map("x")])}, found.metadata
    )


def platform_of(stage: Callable[[StageJob], StageResult], text: str = "") -> Platform:
    platform = Platform({"configure": stage})
    assert platform.sync(request(value=text))["one"].state == "Written"
    return platform


def world(platform: Platform) -> World:
    return World(
        {one.name: one for one in platform.promises},
        {one.name: one for one in platform.destinations},
    )


def ledger_of(platform: Platform) -> Ledger:
    return Ledger.read(View.of(platform.store.snapshot()))


def aged(platform: Platform) -> tuple[Ledger, Aged]:
    ledger = ledger_of(platform)
    [entry] = (one for key, one in ledger.entries.items() if key.name)
    files = sealed_files(ledger, [entry]).get(entry.record.key, [])
    found = look_for_aged(entry, files, world(platform), lambda _: "SHA256:new")
    assert found is not None
    return ledger, found


def answered(_: str, manifest: JsonObject) -> Mapping[str, str]:
    assert Fields(manifest).section("spec").mapping("encryptedData") == {"password": OLD}
    return {"password": NEW}


def renewed(found: Aged) -> Renewed:
    return renew(found, answered, lambda _: "SHA256:new")


def judged(platform: Platform, text: str = "") -> Change | Item:
    """Seal anew what a platform holds, and have it judged."""
    ledger, found = aged(platform)
    one = renewed(found)
    renderer = Renderer(platform.runner, lambda: Moment(platform.now, b"seed"))
    engine = Engine(world(platform), renderer, platform.settings)
    intake = Intake([request(value=text)], lambda _: False, complete=False)
    return judge(engine.plan(intake, with_renewed(ledger, [one])), one)


def test_a_value_is_found_wherever_the_status_has_it_and_only_its_seal_is_changed() -> None:
    platform = platform_of(good)
    _, found = aged(platform)

    assert [one.at for one in found.values] == [("deep", 0, "password")]
    before = found.entry.record.status
    assert renewed(found).record.status == {
        "deep": [{"password": {**value(), "ciphertext": NEW, "certificate": "SHA256:new"}}]
    }
    assert found.entry.record.status == before


def test_fields_that_a_newer_version_added_stay() -> None:
    platform = platform_of(lambda _: result(sealed(OLD), status=value(more="kept")))
    _, found = aged(platform)

    status = renewed(found).record.status

    assert status == {"deep": [{"password": value(NEW, "SHA256:new", more="kept")}]}


def test_files_and_record_change_in_one_change_set_and_nothing_else_does() -> None:
    platform = platform_of(good, "text")
    before = platform.files

    change = judged(platform, "text")

    assert isinstance(change, Change)
    [part] = change.parts.values()
    assert (part.title, part.delete) == ("Reseal team/one (thing)", frozenset())
    assert part.record is not None
    platform.store.commit([part])
    assert platform.files == {
        path: content.replace(OLD.encode(), NEW.encode()) for path, content in before.items()
    }
    assert platform.sync(request(value="text"))["one"].state == "Unchanged"


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (deaf, "would change in more than ciphertexts"),
        (forgetful, "leave another state than the one with the new ciphertexts"),
        (talkative, "would change in more than ciphertexts"),
        (elsewhere, "would change in more than ciphertexts"),
    ],
    ids=["other_bytes-deaf", "other_state", "other_bytes-talkative", "other_bytes-more-files"],
)
def test_a_stage_that_makes_anything_else_of_it_is_refused(
    stage: Callable[[StageJob], StageResult], text: str
) -> None:
    item = judged(platform_of(stage))

    assert isinstance(item, Item)
    assert (item.state, item.reason) == ("Refused", "SyncFirst")
    assert text in item.message


def test_another_revision_of_the_promise_has_to_be_synced_first() -> None:
    platform = platform_of(good)
    platform.promises = [promise(version="v2")]

    item = judged(platform)

    assert isinstance(item, Item)
    assert "the request or its Promise is another" in item.message


def test_a_place_that_has_moved_has_to_be_synced_first() -> None:
    platform = platform_of(good)
    platform.destinations = [destination("cluster", "elsewhere")]

    item = judged(platform)

    assert isinstance(item, Item)
    assert "its files would be at another place" in item.message


def test_a_value_in_no_file_cannot_be_asked_for() -> None:
    platform = platform_of(lambda _: result(config_map("x"), status=value()))
    _, found = aged(platform)

    with pytest.raises(PermanentError, match="password stands in none of its files"):
        renewed(found)


def test_files_that_were_rolled_back_are_left_as_they_are() -> None:
    platform = platform_of(good, "first")
    first = platform.files
    platform.sync(request(value="second"))
    platform.tamper(first)
    ledger, found = aged(platform)

    item = why_not_now(ledger, found.entry)

    assert item is not None
    assert (item.state, item.reason) == ("Unchanged", "Reverted")


def test_a_value_of_which_one_of_several_is_old_leaves_the_others_alone() -> None:
    other = base64.b64encode(b"other" * 20).decode()

    def stage(_: StageJob) -> StageResult:
        both: JsonObject = {**sealed(OLD), "spec": {"encryptedData": {"password": OLD, "b": other}}}
        status: JsonObject = {
            "sealed": {"password": value(), "b": value(other, "SHA256:new")},
        }
        return StageResult(
            {"objects.yaml": dump_documents([both])}, {"status.yaml": dump_documents([status])}
        )

    _, found = aged(platform_of(stage))
    one = renew(found, lambda *_: {"password": NEW, "b": "unused"}, lambda _: "SHA256:new")

    assert one.ciphertexts == {OLD: NEW}
    assert Fields(one.record.status).section("sealed").mapping("b") == value(other, "SHA256:new")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([destination("other")], "DestinationGone"),
        ([Destination("cluster", {}, "cluster", None, sealing_epoch="new")], "KeyReplaced"),
    ],
)
def test_what_opens_nowhere_is_not_sealed_anew(given: list[Destination], reason: str) -> None:
    platform = platform_of(good)
    platform.destinations = given

    with pytest.raises(InvalidInputError) as caught:
        aged(platform)

    assert caught.value.reason == reason


def test_of_a_value_all_is_listed_that_is_known_of_it() -> None:
    [found] = find_sealed(ledger_of(platform_of(good)))

    assert found.secret == ("team", "db")
    assert (found.key, found.destination) == ("password", "cluster")
    assert found.value is not None
    assert (found.issued, found.expires, found.due, found.problem) == (None, None, None, None)


def test_a_value_that_somebody_changed_by_hand_is_listed_with_what_is_wrong() -> None:
    platform = platform_of(lambda _: result(sealed(OLD), status=value(generation="many")))

    found = find_sealed(ledger_of(platform))

    assert [one.problem.reason if one.problem else None for one in found] == ["InvalidStatus", None]
    assert found[1].value is None
