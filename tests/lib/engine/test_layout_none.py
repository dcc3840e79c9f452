"""The layout ``none``: files lie where the stage wrote them, so no two may want one place."""

import pytest
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Layout, dump_documents
from troth.engine import State
from troth.errors import Reason
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet


def flat(job: StageJob) -> StageResult:
    """Writes one file at the path that the request names."""
    metadata, spec = job.object["metadata"], job.object["spec"]
    assert isinstance(metadata, dict)
    assert isinstance(spec, dict)
    manifest = config_map(str(metadata["name"]), str(metadata["namespace"]))
    return StageResult({f"{spec.get('value', 'x')}.yaml": dump_documents([manifest])})


def platform_with(path: str = "cluster") -> Platform:
    return Platform(
        stages={"configure": flat},
        destinations=[destination("cluster", path, layout=Layout.NONE)],
    )


@pytest.mark.parametrize(("path", "where"), [("cluster", "cluster/a.yaml"), ("", "a.yaml")])
def test_a_file_lies_just_where_the_stage_wrote_it(path: str, where: str) -> None:
    platform = platform_with(path)

    platform.sync(request(value="a"))

    assert list(platform.files) == [where]


def test_a_file_that_is_no_longer_rendered_goes_and_foreign_files_stay() -> None:
    platform = platform_with()
    platform.tamper({"cluster/readme.md": b"by hand"})
    platform.sync(request(value="a"))

    platform.sync(request(value="b"))

    assert sorted(platform.files) == ["cluster/b.yaml", "cluster/readme.md"]


def test_a_second_run_changes_nothing() -> None:
    platform = platform_with()
    platform.sync(request(value="a"))

    assert platform.sync(request(value="a"))["one"].state is State.UNCHANGED
    assert platform.handed_in == []


def test_two_requests_that_want_one_file_are_decided_by_their_keys() -> None:
    platform = platform_with()

    items = platform.sync(request("two", value="a"), request("one", value="a"))

    assert items["one"].state is State.WRITTEN
    assert (items["two"].state, items["two"].reason) == (State.REFUSED, Reason.PATH_HELD)
    assert "team/one" in items["two"].message


def test_a_file_that_somebody_put_there_is_left_alone() -> None:
    platform = platform_with()
    platform.tamper({"cluster/a.yaml": b"by: hand\n"})

    items = platform.sync(request(value="a"))

    assert items["one"].reason == Reason.PATH_HELD
    assert platform.files["cluster/a.yaml"] == b"by: hand\n"


def test_a_removed_request_takes_its_files_and_no_others() -> None:
    platform = platform_with()
    platform.sync(request("one", value="a"), request("two", value="b"))

    platform.sync(request("two", value="b"))

    assert list(platform.files) == ["cluster/b.yaml"]


def test_an_edited_file_is_put_back() -> None:
    platform = platform_with()
    platform.sync(request(value="a"))
    platform.tamper({"cluster/a.yaml": b"by: hand\n"})

    items = platform.sync(request(value="a"))

    assert items["one"].reason == Reason.DRIFT_PUT_BACK
    assert b"ConfigMap" in platform.files["cluster/a.yaml"]


STATE = "cluster/.kratix/team-thing-one-configure-abcde.cluster-5058f.yaml"


def test_what_kratix_wrote_is_taken_over_with_its_list() -> None:
    platform = platform_with()
    listed = dump_documents([{"files": ["cluster/a.yaml", "cluster/old.yaml"]}])
    left = {"cluster/a.yaml": b"by: kratix\n", "cluster/old.yaml": b"by: kratix\n", STATE: listed}
    platform.tamper({**left, "cluster/.kratix/other.yaml": b"files: [cluster/else.yaml]\n"})

    items = platform.sync(request(value="a"))

    assert items["one"].state is State.WRITTEN
    assert sorted(platform.files) == ["cluster/.kratix/other.yaml", "cluster/a.yaml"]


def test_a_list_that_cannot_be_read_is_left_where_it_is() -> None:
    platform = platform_with()
    platform.store.commit([ChangeSet("requests/x", None, {STATE: b"files: {"})])

    platform.sync(request(value="a"))

    assert STATE in platform.files


def test_two_heirs_of_one_list_leave_each_others_files_and_take_the_rest_once() -> None:
    platform = platform_with()
    names = ["a", "b", "c"]
    listed = dump_documents([{"files": [f"cluster/{name}.yaml" for name in names]}])
    platform.tamper({f"cluster/{name}.yaml": b"by: kratix\n" for name in names} | {STATE: listed})

    platform.sync(request("one", value="a"), request("two", value="b"))
    again = platform.sync(request("one", value="a"), request("two", value="b"))

    assert sorted(platform.files) == ["cluster/a.yaml", "cluster/b.yaml"]
    assert {item.state for item in again.values()} == {State.UNCHANGED}


def test_no_stage_may_write_a_list_of_kratixs() -> None:
    platform = platform_with()

    items = platform.sync(request(value=".kratix/mine"))

    assert items["one"].reason == Reason.UNSAFE_PATH
    assert platform.files == {}


def test_a_list_is_believed_of_its_own_destination_and_of_files_without_an_owner_alone() -> None:
    platform = platform_with()
    platform.destinations.append(destination("nested"))
    platform.promises = [promise(selectors={"any": "none"})]
    platform.destinations = [
        destination("cluster", layout=Layout.NONE, any="none"),
        destination("nested", any="other"),
    ]
    platform.sync(request("victim", value="v"))
    foreign = "nested/resources/team/thing/x/configure/5058f/objects.yaml"
    listed = dump_documents([{"files": ["cluster/v.yaml", "cluster/a.yaml", foreign]}])
    platform.tamper({foreign: b"by: somebody\n", "cluster/a.yaml": b"old: 1\n", STATE: listed})

    platform.sync(request("victim", value="v"), request("one", value="a"))

    assert {foreign, "cluster/v.yaml", "cluster/a.yaml"} <= set(platform.files)
