"""The layout ``aggregatedYAML``: one file for a whole Destination, in which each has a part."""

from dataclasses import replace

import pytest
from support.platform import Platform, config_map, destination, promise, request, writes

from troth.api import Layout, Reader, dump_documents, load_documents
from troth.engine import Settings, State
from troth.engine.check import OutputLimits
from troth.engine.ledger import Ledger
from troth.engine.preview import preview
from troth.engine.proof import Flaw, Verdict
from troth.engine.survey import survey
from troth.engine.values import World
from troth.engine.verify import verify
from troth.engine.view import View
from troth.errors import Reason
from troth.runners import StageResult

FILE = "cluster/aggregated.yaml"
ONE = "resources/team/thing/one/configure/5058f/objects.yaml"


def platform(filename: str = "aggregated.yaml") -> Platform:
    shared = replace(destination("cluster", layout=Layout.AGGREGATED), filename=filename)
    return Platform(destinations=[shared])


def names(found: Platform, file: str = FILE) -> list[str]:
    """The names of the objects in the file, in its order."""
    documents = load_documents(found.files[file].decode(), file)
    metadata = [document.data["metadata"] for document in documents]
    return [str(one["name"]) for one in metadata if isinstance(one, dict)]


def prove(found: Platform) -> dict[str, list[Flaw]]:
    view = View.of(found.store.snapshot())
    proofs = verify(Ledger.read(view), World({}, {one.name: one for one in found.destinations}))
    return {
        proof.key.name or proof.key.promise: [problem.flaw for problem in proof.problems]
        for proof in proofs
        if proof.verdict is not Verdict.NOTED
    }


def test_everything_of_a_destination_stands_in_one_file_in_the_order_of_owners() -> None:
    found = platform()
    found.promises = [promise(dependencies=[config_map("operator", "system")])]

    found.sync(request("b"), request("a", "zeta"), request("a"))

    assert list(found.files) == [FILE]
    assert names(found) == ["operator", "a", "b", "a"]


@pytest.mark.parametrize(
    ("path", "filename", "file"),
    [("", "all.yml", "all.yml"), ("c", "x/all.yaml", "c/x/all.yaml")],
)
def test_the_file_has_the_name_that_the_destination_gives_it(
    path: str, filename: str, file: str
) -> None:
    found = platform(filename)
    found.destinations = [replace(found.destinations[0], path=path)]

    found.sync(request("one"))

    assert list(found.files) == [file]


def test_a_second_run_changes_nothing() -> None:
    found = platform()
    found.sync(request("one"), request("two"))

    items = found.sync(request("two"), request("one"))

    assert {item.state for item in items.values()} == {State.UNCHANGED}
    assert found.handed_in == []


def test_a_removed_request_takes_its_part_and_the_last_one_the_file() -> None:
    found = platform()
    found.sync(request("one"), request("two"))

    found.sync(request("two"))
    left = names(found)
    found.sync()

    assert left == ["two"]
    assert found.files == {}


def test_two_files_of_a_request_stand_one_after_the_other() -> None:
    found = platform()
    files = {f"{name}.yaml": b"---\n" + dump_documents([config_map(name)]) for name in ("b", "a")}
    found.stages["configure"] = lambda _: StageResult(files)

    items = found.sync(request("one"))

    assert items["one"].state is State.WRITTEN
    assert names(found) == ["a", "b"]


def test_a_hand_edit_is_put_back_and_told_of_the_request_it_touches() -> None:
    found = platform()
    found.sync(request("one", value="x"), request("two", value="y"))
    before = found.files
    found.tamper({FILE: before[FILE].replace(b"'x'", b"by hand").replace(b": x", b": edited")})

    items = found.sync(request("one", value="x"), request("two", value="y"))

    assert items["one"].reason == Reason.DRIFT_PUT_BACK
    assert items["two"].state is State.UNCHANGED
    assert found.files == before


@pytest.mark.parametrize(
    ("above", "below", "whose"),
    [(b"by: hand\n---\n", b"", "one"), (b"", b"---\nby: hand\n", "two")],
)
def test_what_is_added_by_hand_goes_and_is_told_of_the_request_above_it(
    above: bytes, below: bytes, whose: str
) -> None:
    found = platform()
    found.sync(request("one"), request("two"))
    before = found.files
    found.tamper({FILE: above + before[FILE] + below})

    items = found.sync(request("one"), request("two"))

    assert [n for n, item in items.items() if item.reason == Reason.DRIFT_PUT_BACK] == [whose]
    assert found.files == before


def test_a_file_without_its_comments_is_taken_over_like_kratixs() -> None:
    found = platform()
    found.sync(request("one"), request("two"))
    before = found.files
    bare = b"\n".join(line for line in before[FILE].split(b"\n") if not line.startswith(b"#"))
    found.tamper({FILE: bare})

    items = found.sync(request("one"), request("two"))

    assert {item.reason for item in items.values()} == {Reason.DRIFT_PUT_BACK}
    assert found.files == before


def test_a_file_that_is_gone_comes_back() -> None:
    found = platform()
    found.sync(request("one"), request("two"))
    before = found.files
    found.tamper({}, delete=[FILE])

    found.sync(request("one"), request("two"))

    assert found.files == before


def test_a_revert_of_one_requests_part_is_a_rollback_of_that_request() -> None:
    found = platform()
    found.sync(request("one", value="x"), request("two"))
    earlier = found.files[FILE]
    found.sync(request("one", value="y"), request("two"))
    found.tamper({FILE: earlier})

    items = found.sync(request("one", value="y"), request("two"))

    assert items["one"].reason == Reason.REVERTED
    assert items["two"].state is State.UNCHANGED
    assert found.files[FILE] == earlier


def test_an_object_that_another_holds_is_refused_as_in_any_destination() -> None:
    found = platform()
    found.stages["configure"] = writes(config_map("same"))

    items = found.sync(request("one"), request("two"))

    assert items["two"].reason == Reason.OBJECT_HELD
    assert names(found) == ["same"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: 1\n# troth.dev/piece: resources/team/thing/two/x\n", "told apart"),
        (b"%YAML 1.2\n---\na: 1\n", "directive"),
    ],
)
def test_what_cannot_stand_beside_the_files_of_others_is_refused(
    content: bytes, words: str
) -> None:
    found = platform()
    found.destinations = [replace(found.destinations[0], reader=Reader.FILES)]
    found.stages["configure"] = lambda _: StageResult({"x.yaml": content})

    items = found.sync(request("one"))

    assert items["one"].state is State.REFUSED
    assert words in items["one"].message
    assert found.files == {}


def test_a_file_larger_than_agents_read_is_refused_by_name() -> None:
    found = platform()
    found.settings = Settings(limits=OutputLimits(shared_bytes=400))

    items = found.sync(*(request(name) for name in "abcd"))
    again = found.sync(*(request(name, value="longer than it was") for name in "abcd"))

    assert [n for n, item in items.items() if item.reason == Reason.TOO_LARGE] == ["c", "d"]
    assert FILE in items["d"].message
    assert again["c"].reason == Reason.TOO_LARGE
    assert len(found.files[FILE]) <= 400


def test_what_shrinks_is_let_through_although_the_file_is_too_large() -> None:
    found = platform()
    found.sync(*(request(name, value="longer than it was") for name in "ab"))
    found.settings = Settings(limits=OutputLimits(shared_bytes=10))

    items = found.sync(request("a", value=""), request("b", value="longer than it was"))

    assert items["a"].state is State.WRITTEN


def test_verify_proves_such_files() -> None:
    found = platform()
    found.promises = [promise(dependencies=[config_map("operator", "system")])]
    found.sync(request("one"), request("two"))

    assert prove(found) == {"one": [], "two": [], "thing": []}


def test_verify_names_the_request_whose_part_was_edited() -> None:
    found = platform()
    found.sync(request("one", value="x"), request("two"))
    found.tamper({FILE: found.files[FILE].replace(b": x", b": edited")})

    assert prove(found) == {"one": [Flaw.DRIFTED], "two": []}


def test_verify_names_documents_that_nobody_owns_and_parts_without_a_record() -> None:
    found = platform()
    found.tamper({FILE: b"by: hand\n"})
    found.sync(request("one"))
    marked = f"---\n# troth.dev/piece: {ONE.replace('/one/', '/ghost/')}\na: 1\n".encode()
    found.tamper({FILE: found.files[FILE] + marked})

    assert prove(found) == {"": [Flaw.UNOWNED_FILE], "ghost": [Flaw.UNOWNED_FILE], "one": []}


def test_a_preview_shows_the_parts_that_change() -> None:
    found = platform()
    found.sync(request("one", value="x"), request("two"))

    previews = {one.item.name: one for one in preview(found.plan(request("one", value="y")))}

    [change] = previews["one"].files
    assert change.spot.path == f"{FILE}//{ONE}"
    assert change.before != change.after


def test_a_survey_tells_of_an_edit_from_the_store_alone() -> None:
    found = platform()
    found.sync(request("one", value="x"), request("two"))
    found.tamper({FILE: found.files[FILE].replace(b": x", b": edited")})

    items = {item.name: item for item in survey(Ledger.read(View.of(found.store.snapshot())))}

    assert (items["one"].reason, items["two"].reason) == (Reason.DRIFTED, Reason.UP_TO_DATE)
