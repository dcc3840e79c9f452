"""What kopf remembers of an object is a digest of what counts of it."""

from typing import Any, cast

import kopf
import pytest

from troth.controller.seen import SeenStorage

BODY: dict[str, Any] = {
    "apiVersion": "test.example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "namespace": "team", "labels": {"a": "b"}, "generation": 1},
    "spec": {"value": "x"},
}


def made(raw: dict[str, Any]) -> kopf.Body:
    return kopf.Body(cast("kopf.RawBody", raw))


def body(**parts: Any) -> kopf.Body:  # noqa: ANN401
    return made({**BODY, **parts})


def remembered(given: kopf.Body) -> kopf.Body:
    """Return the object after it was served, as the API server has it then."""
    storage, patch = SeenStorage(), kopf.Patch()
    storage.store(body=given, patch=patch, essence=storage.build(body=given))
    return made({**given, "status": {**dict(given.get("status", {})), **patch["status"]}})


def test_an_object_that_was_never_served_is_new() -> None:
    assert SeenStorage().fetch(body=body()) is None


@pytest.mark.parametrize("status", [{"troth": None}, {"troth": {"seen": 5}}, {"troth": "seen"}])
def test_a_status_that_somebody_else_wrote_is_no_memory(status: dict[str, Any]) -> None:
    assert SeenStorage().fetch(body=body(status=status)) is None


def test_one_that_was_served_is_what_it_was() -> None:
    storage, after = SeenStorage(), remembered(body())

    assert storage.fetch(body=after) == storage.build(body=after)


def test_a_status_changes_nothing_that_counts() -> None:
    after = remembered(body())
    told = made({**after, "status": {**after["status"], "message": "all is well"}})

    assert SeenStorage().fetch(body=told) == SeenStorage().build(body=told)


def test_a_status_that_handlers_look_at_counts_no_more_than_the_rest_of_it() -> None:
    essence = SeenStorage().build(
        body=body(status={"message": "all is well"}), extra_fields=[("status", "message")]
    )

    assert "status" not in essence


def test_what_the_server_counts_is_no_change() -> None:
    after = remembered(body())
    later = made({**after, "metadata": {**BODY["metadata"], "resourceVersion": "7"}})

    assert SeenStorage().fetch(body=later) == SeenStorage().build(body=later)


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"value": "y"}},
        {"spec": {}},
        {"metadata": {**BODY["metadata"], "labels": {"a": "c"}}},
        {"metadata": {**BODY["metadata"], "annotations": {"a": "c"}}},
    ],
)
def test_a_change_of_what_was_asked_for_is_seen(change: dict[str, Any]) -> None:
    changed = made({**remembered(body()), **change})

    assert SeenStorage().fetch(body=changed) != SeenStorage().build(body=changed)


def test_the_object_itself_is_not_kept() -> None:
    seen = remembered(body(spec={"value": "x" * 10_000}))["status"]["troth"]["seen"]

    assert len(seen) == 16


def test_nothing_is_written_when_nothing_has_changed() -> None:
    storage, patch, after = SeenStorage(), kopf.Patch(), remembered(body())

    storage.store(body=after, patch=patch, essence=storage.build(body=after))

    assert dict(patch) == {}
