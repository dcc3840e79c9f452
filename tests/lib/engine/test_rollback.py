"""Rolling back on purpose: what comes back, what stays, and every refusal."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.git_platform import GitPlatform, two_stores
from support.platform import config_map, destination, follows_spec, request, writes

from troth.api import JsonObject, Layout, RequestKey, dump_documents
from troth.engine import Spot, State
from troth.engine.rollback import Rollback, roll_back
from troth.errors import HeldError, InvalidInputError, PermanentError, Reason
from troth.runners import StageJob, StageResult
from troth_statestore.git import GitStore

ONE = RequestKey("team", "thing", "one")
FILE = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


def written(git: GitPlatform, *values: str) -> list[str]:
    """Write the request with one value after the other; return the commits."""
    commits: list[str] = []
    for value in values:
        git.platform.sync(request(value=value))
        commits.append(git.tip())
    return commits


def rolled(git: GitPlatform, *commits: str, key: RequestKey = ONE) -> Rollback:
    """Roll back, and write it."""
    found = roll_back(git.past, key, commits)
    git.hand_over(found.change)
    return found


def refused(git: GitPlatform, *commits: str) -> PermanentError:
    with pytest.raises(PermanentError) as error:
        roll_back(git.past, ONE, commits)
    return error.value


def test_the_files_are_what_they_were_and_the_next_sync_keeps_them(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    before = git.remotes[""].git("show", f"{first}:{FILE}")

    rolled(git, first)
    item = git.platform.sync(request(value="b"))["one"]

    assert git.remotes[""].files()[FILE] == before
    assert (item.state, item.reason) == (State.UNCHANGED, Reason.REVERTED)


def test_a_rollback_ends_when_the_request_changes(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    rolled(git, first)

    item = git.platform.sync(request(value="c"))["one"]

    assert item.state is State.WRITTEN


def test_the_commit_says_what_it_is_and_carries_the_receipt_of_what_comes_back(
    git: GitPlatform,
) -> None:
    first, _ = written(git, "a", "b")

    rolled(git, first)

    *_, earlier, _, message = ["", *git.remotes[""].messages()]
    assert message.startswith("Roll back team/one (thing)\n\nTroth-Request: team/thing/one\n")
    assert message.endswith(f"\nTroth-Rollback: {first}")
    output = next(line for line in earlier.splitlines() if line.startswith("Troth-Output"))
    assert output in message


def test_a_store_that_is_looked_at_anew_takes_the_commit_for_what_it_is(
    git: GitPlatform, exits: ExitStack
) -> None:
    first, _ = written(git, "a", "b")
    rolled(git, first)
    git.platform.store = GitStore(str(git.remotes[""].folder))
    exits.callback(git.platform.store.close)

    item = git.platform.sync(request(value="b"))["one"]

    assert item.reason == Reason.REVERTED


def test_the_record_is_left_as_it_is(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    before = git.platform.records

    rolled(git, first)

    assert git.platform.records == before


def test_before_it_is_written_it_tells_how_each_file_changes(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    tip = git.tip()

    [change] = roll_back(git.past, ONE, [first]).files

    assert change.spot == Spot("", FILE)
    assert b"value: b" in (change.before or b"")
    assert b"value: a" in (change.after or b"")
    assert git.tip() == tip


def test_files_that_were_not_there_yet_go(git: GitPlatform) -> None:
    written(git, "a")
    first = git.tip()
    git.platform.stages["configure"] = lambda job: StageResult(
        {**follows_spec(job).files, "more.yaml": dump_documents([config_map("more")])}
    )
    written(git, "b")

    rolled(git, first)

    assert list(git.remotes[""].files()) == [FILE]


def test_what_is_so_already_changes_nothing(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    rolled(git, first)

    assert roll_back(git.past, ONE, [first]).files == ()


def test_the_way_back_to_the_newest_output_is_open(git: GitPlatform) -> None:
    first, second = written(git, "a", "b")
    rolled(git, first)
    git.platform.sync(request(value="b"))

    rolled(git, second)
    item = git.platform.sync(request(value="b"))["one"]

    assert item.state is State.UNCHANGED
    assert b"value: b" in git.platform.files[FILE]


def test_an_edit_by_hand_gives_way(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    git.push({FILE: "edited: true\n", FILE.replace("objects", "more"): "a: b\n"})

    rolled(git, first)

    assert list(git.remotes[""].files()) == [FILE]
    assert git.platform.sync(request(value="b"))["one"].reason == Reason.REVERTED


def test_other_requests_are_left_alone(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    git.platform.sync(request(value="b"), request("one-more", value="x"))
    others = {path: c for path, c in git.remotes[""].files().items() if path != FILE}

    rolled(git, first)

    assert {path: c for path, c in git.remotes[""].files().items() if path != FILE} == others


def test_an_edit_by_hand_is_no_output_to_go_back_to(git: GitPlatform) -> None:
    written(git, "a")
    edit = git.push({FILE: "edited: true\n"})
    git.platform.sync(request(value="b"))

    error = refused(git, edit)

    assert error.reason is Reason.UNKNOWN_OUTPUT
    assert edit[:12] in error.message


def test_an_output_that_the_record_forgot_is_refused(git: GitPlatform) -> None:
    commits = written(git, *(f"v{number}" for number in range(22)))

    assert refused(git, commits[1]).reason is Reason.UNKNOWN_OUTPUT
    assert roll_back(git.past, ONE, [commits[2]]).files


def test_an_unknown_commit_is_refused(git: GitPlatform) -> None:
    written(git, "a")

    with pytest.raises(InvalidInputError, match="names no commit"):
        roll_back(git.past, ONE, ["0123abcd"])


def test_a_commit_of_another_request_is_refused(git: GitPlatform) -> None:
    written(git, "a")
    git.platform.sync(request(value="a"), request("two", value="a"))

    with pytest.raises(InvalidInputError, match="changed no file of"):
        roll_back(git.past, ONE, [git.tip()])


def test_a_request_without_a_record_is_refused(git: GitPlatform) -> None:
    first, *_ = written(git, "a")
    git.platform.sync()

    with pytest.raises(InvalidInputError, match="holds no record"):
        roll_back(git.past, ONE, [first])


def test_a_paused_request_is_refused(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    git.platform.sync(request(value="b", labels={"kratix.io/paused": "true"}))

    assert refused(git, first).reason is Reason.PAUSED


def test_a_suspended_request_is_refused(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    git.platform.stages["configure"] = writes(control={"suspend": True, "message": "wait."})
    git.platform.sync(request(value="c"))

    error = refused(git, first)

    assert error.reason is Reason.WORKFLOW_SUSPENDED
    assert "wait." in error.message


def test_a_request_that_was_never_written_is_refused(git: GitPlatform) -> None:
    commit = git.push({FILE: "a: b\n"})
    git.platform.destinations = [destination("elsewhere", role="none")]
    git.platform.promises = [type(git.platform.promises[0]).parse(
        {**git.platform.promises[0].raw, "spec": {
            **_spec(git), "destinationSelectors": [{"matchLabels": {"role": "some"}}]}}
    )]  # fmt: skip
    git.platform.sync(request(value="a"))

    assert refused(git, commit).reason is Reason.UNKNOWN_OUTPUT


def _spec(git: GitPlatform) -> JsonObject:
    spec = git.platform.promises[0].raw["spec"]
    assert isinstance(spec, dict)
    return spec


def sealing(job: StageJob) -> StageResult:
    spec = job.object["spec"]
    assert isinstance(spec, Mapping)
    secret: JsonObject = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "team"},
        "spec": {"encryptedData": {"password": str(spec["colour"])}},
    }
    return StageResult({**follows_spec(job).files, "secret.yaml": dump_documents([secret])})


def test_a_sealed_value_is_not_brought_back(git: GitPlatform) -> None:
    git.platform.stages["configure"] = sealing
    git.platform.sync(request(value="a", colour="old"))
    first = git.tip()
    git.platform.sync(request(value="b", colour="new"))

    error = refused(git, first)

    assert error.reason is Reason.SEALED_VALUE
    assert first[:12] in error.message


def test_beside_a_sealed_value_that_stays_the_rest_comes_back(git: GitPlatform) -> None:
    git.platform.stages["configure"] = sealing
    git.platform.sync(request(value="a", colour="new"))
    first = git.tip()
    git.platform.sync(request(value="b", colour="new"))

    rolled(git, first)

    item = git.platform.sync(request(value="b", colour="new"))["one"]
    assert (item.state, item.reason) == (State.UNCHANGED, Reason.REVERTED)


def named_by_value(job: StageJob) -> StageResult:
    spec = job.object["spec"]
    assert isinstance(spec, Mapping)
    return StageResult({"objects.yaml": dump_documents([config_map(str(spec["value"]))])})


def test_an_object_that_another_has_taken_meanwhile_is_refused(git: GitPlatform) -> None:
    git.platform.stages["configure"] = named_by_value
    first, _ = written(git, "a", "b")
    git.platform.sync(request(value="b"), request("two", value="a"))

    error = refused(git, first)

    assert isinstance(error, HeldError)
    assert (error.reason, error.holder) == (Reason.OBJECT_HELD, ("team", "thing", "two"))


def flat(job: StageJob) -> StageResult:
    spec, name = job.object["spec"], job.environ["KRATIX_OBJECT_NAME"]
    assert isinstance(spec, Mapping)
    manifest = config_map(f"{name}-{spec['value']}")
    return StageResult({f"{spec['value']}.yaml": dump_documents([manifest])})


@pytest.fixture
def loose(git: GitPlatform) -> GitPlatform:
    """Files named after spec.value, in a Destination without folders."""
    git.platform.stages["configure"] = flat
    git.platform.destinations = [destination("cluster", layout=Layout.NONE)]
    return git


def test_files_in_no_folder_come_back_too(loose: GitPlatform) -> None:
    first, _ = written(loose, "a", "b")

    rolled(loose, first)

    assert list(loose.remotes[""].files()) == ["cluster/a.yaml"]


def test_a_file_that_another_has_taken_meanwhile_is_refused(loose: GitPlatform) -> None:
    first, _ = written(loose, "a", "b")
    loose.platform.sync(request(value="b"), request("two", value="a"))

    error = refused(loose, first)

    assert error.reason is Reason.PATH_HELD
    assert "team/two" in error.message


def test_a_file_that_somebody_put_there_meanwhile_is_refused(loose: GitPlatform) -> None:
    first, _ = written(loose, "a", "b")
    loose.push({"cluster/a.yaml": "mine: true\n"})

    assert "somebody else" in refused(loose, first).message


@pytest.fixture
def two(tmp_path: Path, exits: ExitStack) -> GitPlatform:
    return two_stores(tmp_path, exits)


def in_both(two: GitPlatform) -> tuple[str, str]:
    """Write a request twice, in both stores; return the first commit of each."""
    two.platform.sync(request(value="a", colour="a"))
    first = two.tip("main"), two.tip("other")
    two.platform.sync(request(value="b", colour="b"))
    return first


def test_of_several_stores_each_is_given_its_commit(two: GitPlatform) -> None:
    first = in_both(two)

    rolled(two, *first)

    item = two.platform.sync(request(value="b", colour="b"))["one"]
    assert (item.state, item.reason) == (State.UNCHANGED, Reason.REVERTED)


def test_half_of_an_output_is_refused_and_what_is_missing_is_said(two: GitPlatform) -> None:
    first = in_both(two)

    error = refused(two, first[0])

    assert error.reason is Reason.UNKNOWN_OUTPUT
    assert "It has files in other too: give a commit of that as well." in error.message


def test_a_store_that_did_not_change_needs_no_commit(two: GitPlatform) -> None:
    two.platform.sync(request(value="a", colour="same"))
    first = two.tip("main")
    two.platform.sync(request(value="b", colour="same"))

    rolled(two, first)

    item = two.platform.sync(request(value="b", colour="same"))["one"]
    assert item.reason == Reason.REVERTED


def test_two_commits_of_one_store_are_refused(two: GitPlatform) -> None:
    first = in_both(two)

    with pytest.raises(InvalidInputError, match="one commit for each state store"):
        roll_back(two.past, ONE, [first[0], two.tip("main")])


def test_a_record_that_moved_meanwhile_stops_it(git: GitPlatform) -> None:
    first, _ = written(git, "a", "b")
    found = roll_back(git.past, ONE, [first])
    git.platform.sync(request(value="c"))
    tip = git.tip()

    with pytest.raises(AssertionError, match="changed by somebody else"):
        git.hand_over(found.change)

    assert git.tip() == tip


def test_a_promise_is_rolled_back_like_a_request(git: GitPlatform) -> None:
    def with_base(value: str) -> None:
        raw = git.platform.promises[0].raw
        spec = {**_spec(git), "dependencies": [config_map("base", value=value)]}
        git.platform.promises = [type(git.platform.promises[0]).parse({**raw, "spec": spec})]
        git.platform.sync()

    with_base("a")
    first = git.tip()
    with_base("b")

    rolled(git, first, key=RequestKey.of_promise("thing"))

    assert any("value: a" in content for content in git.remotes[""].files().values())
    assert git.platform.sync()["thing"].reason == Reason.REVERTED


def test_a_part_of_a_shared_file_goes_back_and_the_parts_of_others_stay(git: GitPlatform) -> None:
    git.platform.destinations = [destination("cluster", layout=Layout.AGGREGATED)]
    git.platform.sync(request(value="a"), request("two", value="x"))
    first = git.tip()
    git.platform.sync(request(value="b"), request("two", value="x"))
    git.platform.sync(request(value="b"), request("two", value="new"))

    rolled(git, first)
    items = git.platform.sync(request(value="b"), request("two", value="new"))

    content = git.remotes[""].files()["cluster/aggregated.yaml"]
    assert items["one"].reason == Reason.REVERTED
    assert items["two"].state is State.UNCHANGED
    assert ("value: a" in str(content), "value: new" in str(content)) == (True, True)


def test_the_history_of_a_part_leaves_out_the_commits_of_others(git: GitPlatform) -> None:
    git.platform.destinations = [destination("cluster", layout=Layout.AGGREGATED)]
    git.platform.sync(request(value="a"), request("two", value="x"))
    git.platform.sync(request(value="a"), request("two", value="new"))
    git.platform.sync(request(value="b"), request("two", value="new"))

    steps = git.past.of(ONE)

    assert [step.commit.subject for step in steps] == [
        "Update team/one (thing)",
        "Create 2 requests",
    ]
    assert git.past.step(ONE, steps[1].commit.revision) == steps[1]
