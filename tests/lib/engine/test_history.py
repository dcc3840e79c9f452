"""History: the commits of one request, Troth's and others', in one store and in several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from support.git_platform import GitPlatform, two_stores
from support.kratix_repository import KratixRepository, Workload
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Layout, RequestKey, dump_documents
from troth.engine import Ledger, View
from troth.engine.history import Past, receipt_in
from troth.errors import InvalidInputError, NotServedError
from troth.runners import StageJob, StageResult
from troth_statestore import Commit, History
from troth_statestore.git import GitSettings, GitStore

ONE = RequestKey("team", "thing", "one")
FILE = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


def subjects(git: GitPlatform, key: RequestKey = ONE) -> list[str]:
    return [step.commit.subject for step in git.past.of(key)]


def test_a_step_tells_generation_version_and_what_became_of_the_files(git: GitPlatform) -> None:
    git.platform.promises = [promise(version="v1")]
    git.platform.sync(request(value="a"))
    git.platform.promises = [promise(version="v2")]
    git.platform.sync(request(value="b"))

    newest, oldest = git.past.of(ONE)

    assert (newest.generation, newest.promise_version) == (2, "v2")
    assert (oldest.generation, oldest.promise_version) == (1, "v1")
    assert newest.commit.revision == git.tip()
    assert [file.path for file in newest.commit.files] == [FILE]
    assert oldest.commit.files[0].before is None


def test_only_the_commits_of_the_request_are_told(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"), request("one-more", value="a"))
    git.platform.sync(request(value="b"), request("one-more", value="b"))

    assert subjects(git) == ["Update team/one (thing)", "Create team/one (thing)"]


def test_an_edit_by_hand_shows_as_somebody_elses(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))
    git.push({FILE: "edited: true\n"}, "Mend it\n\nin haste")

    edit, own = git.past.of(ONE)

    assert (edit.commit.subject, dict(edit.receipt), edit.generation) == ("Mend it", {}, None)
    assert edit.promise_version is None
    assert own.receipt["Troth-Request"] == "team/thing/one"


def test_a_removal_ends_the_history_and_is_part_of_it(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))
    git.platform.sync()

    assert subjects(git) == ["Remove team/one (thing)", "Create team/one (thing)"]


def test_where_a_request_was_before_its_destination_moved_is_told(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))
    git.platform.destinations = [destination("cluster", "moved")]
    git.platform.sync(request(value="a"))
    git.platform.destinations = []

    moved, first = git.past.of(ONE)

    assert {file.path.split("/")[0] for file in moved.commit.files} == {"cluster", "moved"}
    assert moved.commit.subject == "Move team/one (thing)"
    assert first.commit.subject == "Create team/one (thing)"


def test_a_promise_has_a_history_of_its_own(git: GitPlatform) -> None:
    dependency = config_map("base")
    git.platform.promises = [promise(dependencies=[dependency])]
    git.platform.sync(request(value="a"))

    [step] = git.past.of(RequestKey.of_promise("thing"))

    assert step.commit.subject == "Create Promise thing"
    assert step.generation == 1


def test_a_limit_keeps_the_newest(git: GitPlatform) -> None:
    for value in "abc":
        git.platform.sync(request(value=value))

    [step] = git.past.of(ONE, limit=1)

    assert step.generation == 3


def test_one_commit_is_found_by_the_beginning_of_its_name(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))
    first = git.tip()
    git.platform.sync(request(value="b"))

    [step] = git.past.of(ONE, until=first[:8])

    assert step.commit.revision == first


def test_a_commit_of_another_request_is_refused_and_the_one_before_is_named(
    git: GitPlatform,
) -> None:
    git.platform.sync(request(value="a"))
    first = git.tip()
    git.platform.sync(request(value="a"), request("two", value="a"))

    with pytest.raises(InvalidInputError, match=f"changed no file of .*{first}"):
        git.past.of(ONE, until=git.tip())


def test_an_unknown_commit_is_refused(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))

    with pytest.raises(InvalidInputError, match="names no commit"):
        git.past.of(ONE, until="0" * 40)


def test_a_flush_in_one_commit_belongs_to_each_of_its_requests(
    git: GitPlatform, exits: ExitStack
) -> None:
    store = GitStore(str(git.remotes[""].folder), settings=GitSettings(one_commit_a_flush=True))
    exits.callback(store.close)
    git.platform.store = store
    git.platform.sync(request(value="a"), request("two", value="a"))
    git.platform.sync(request(value="b"), request("two", value="a"))

    newest, oldest = git.past.of(ONE)

    assert (newest.generation, oldest.generation) == (2, 1)
    assert [file.path for file in oldest.commit.files] == [FILE]


def test_files_in_no_folder_are_followed_through_the_records(git: GitPlatform) -> None:
    def named_by_value(job: StageJob) -> StageResult:
        spec = job.object["spec"]
        assert isinstance(spec, dict)
        return StageResult({f"{spec['value']}.yaml": dump_documents([config_map("c")])})

    git.platform.stages["configure"] = named_by_value
    git.platform.destinations = [destination("cluster", layout=Layout.NONE)]
    git.platform.sync(request(value="a"))
    git.platform.sync(request(value="b"))

    newest, oldest = git.past.of(ONE)

    assert [file.path for file in newest.commit.files] == ["cluster/a.yaml", "cluster/b.yaml"]
    assert [file.path for file in oldest.commit.files] == ["cluster/a.yaml"]


def one_file(job: StageJob) -> StageResult:
    spec = job.object["spec"]
    assert isinstance(spec, dict)
    return StageResult({"one.yaml": dump_documents([config_map("c", value=str(spec["value"]))])})


def lived_in(git: GitPlatform, *layouts: Layout) -> None:
    """Change the request in each of the layouts, one after another."""
    git.platform.stages["configure"] = one_file
    for number, layout in enumerate(layouts):
        git.platform.destinations = [destination("cluster", layout=layout)]
        for half in "ab":
            git.platform.sync(request(value=f"{number}{half}"))


TWICE = ["Update team/one (thing)", "Create team/one (thing)"]
MOVED = ["Update team/one (thing)", "Move team/one (thing)"]


@pytest.mark.parametrize("given", [True, False], ids=["given", "not given"])
@pytest.mark.parametrize("layouts", list(permutations(Layout)))
def test_no_layout_that_a_request_has_left_ends_its_history(
    git: GitPlatform, layouts: tuple[Layout, ...], *, given: bool
) -> None:
    lived_in(git, *layouts)
    git.platform.destinations = git.platform.destinations if given else []

    assert subjects(git) == [*MOVED, *MOVED, *TWICE]


def test_a_move_out_of_no_folder_tells_what_it_removed(git: GitPlatform) -> None:
    lived_in(git, Layout.NONE, Layout.NESTED)

    move = git.past.of(ONE)[1]

    assert [(one.path, one.after is None) for one in move.commit.files] == [
        ("cluster/one.yaml", True),
        ("cluster/resources/team/thing/one/configure/5058f/one.yaml", False),
    ]


def test_who_has_the_place_after_it_is_not_told_with_it(git: GitPlatform) -> None:
    lived_in(git, Layout.NONE, Layout.NESTED)
    git.platform.destinations = [destination("cluster", layout=Layout.NONE)]
    kept = [request("two", value="x")]
    git.platform.sync(*kept)
    git.platform.sync(request("two", value="y"))

    assert [step.receipt["Troth-Request"] for step in git.past.of(ONE)] == ["team/thing/one"] * 5


def test_a_request_that_is_gone_is_followed_out_of_no_folder(git: GitPlatform) -> None:
    lived_in(git, Layout.NONE)
    git.platform.sync()

    assert subjects(git) == ["Remove team/one (thing)", *TWICE]


def test_in_commits_of_whole_flushes_the_records_tell_what_was_its_own(
    git: GitPlatform, exits: ExitStack
) -> None:
    store = GitStore(str(git.remotes[""].folder), settings=GitSettings(one_commit_a_flush=True))
    exits.callback(store.close)
    git.platform.store = store
    git.platform.stages["configure"] = lambda job: StageResult(
        {f"{job.environ['KRATIX_OBJECT_NAME']}.yaml": dump_documents([config_map(
            job.environ["KRATIX_OBJECT_NAME"])])}
    )  # fmt: skip
    for layout in (Layout.NONE, Layout.NESTED):
        git.platform.destinations = [destination("cluster", layout=layout)]
        git.platform.sync(request(value="a"), request("two", value="a"))

    moved, created = git.past.of(ONE)

    assert [one.path for one in created.commit.files] == ["cluster/one.yaml"]
    assert "cluster/two.yaml" not in {one.path for one in moved.commit.files}


def test_an_adopted_repository_is_followed_back_to_who_wrote_it_first(git: GitPlatform) -> None:
    old = dump_documents([config_map("c", value="0")])
    files = KratixRepository(Layout.NONE, workloads=[Workload("one", {"one.yaml": old})]).files()
    git.push({path: content.decode() for path, content in files.items()}, "By Kratix")
    lived_in(git, Layout.NONE, Layout.NESTED)

    assert subjects(git) == [
        *MOVED,
        "Update team/one (thing)",
        "Adopt team/one (thing)",
        "By Kratix",
    ]


class Asked:
    """A history that remembers what it was asked."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.names: list[str] = []

    def log(
        self, paths: Sequence[str], *, limit: int | None = None, until: str | None = None
    ) -> Sequence[Commit]:
        self.names.append("log")
        return self._history.log(paths, limit=limit, until=until)

    def touched(self, line: str) -> frozenset[str]:
        self.names.append("touched")
        return self._history.touched(line)

    def contents(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        self.names.append("contents")
        return self._history.contents(digests)

    def read_at(self, revision: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        self.names.append("read_at")
        return self._history.read_at(revision, paths)

    def record_versions(self, key: str) -> Iterator[tuple[str, bytes]]:
        self.names.append("record_versions")
        return self._history.record_versions(key)


def test_where_all_lies_in_the_folder_no_earlier_record_is_read(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"), request("two", value="a"))
    past = git.past
    asked = Asked(past.histories[""])

    assert len(replace(past, histories={"": asked}).of(ONE)) == 1
    assert asked.names == ["touched", "log"]


@pytest.fixture
def two(tmp_path: Path, exits: ExitStack) -> GitPlatform:
    return two_stores(tmp_path, exits)


def test_of_several_stores_the_commits_are_told_with_their_store(two: GitPlatform) -> None:
    two.platform.sync(request(value="a"))
    two.platform.sync(request(value="b"))

    steps = two.past.of(ONE)

    assert sorted(step.store for step in steps) == ["main", "main", "other"]
    assert [step.generation for step in steps if step.store == "main"] == [2, 1]


def test_a_commit_is_found_in_whichever_store_it_is(two: GitPlatform) -> None:
    two.platform.sync(request(value="a"))

    for store in ("main", "other"):
        [step] = two.past.of(ONE, until=two.tip(store))
        assert (step.store, step.commit.revision) == (store, two.tip(store))


def test_a_store_without_history_is_told_so() -> None:
    platform = Platform()
    platform.sync(request(value="a"))
    past = Past(Ledger.read(View.of(platform.store.snapshot())), {})

    with pytest.raises(NotServedError, match="keeps no history"):
        past.of(ONE)


def test_half_of_a_history_is_not_told(two: GitPlatform) -> None:
    two.platform.sync(request(value="a"))
    past = two.past
    halved = Past(past.ledger, {"main": past.histories["main"]}, past.world)

    with pytest.raises(NotServedError, match="other keeps no history"):
        halved.of(ONE)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Update\n\nTroth-Request: team/thing/one\nTroth-Generation: 3", True),
        ("Update\n\nTroth-Request: team/thing/one-more\nTroth-Generation: 3", False),
        ('Revert "x"\n\nThis reverts Troth-Request: team/thing/one.', False),
        ("Update\n\nTroth-Promise: thing v1 0a1b", False),
        ("Update 2\n\na\n\nTroth-Request: x/y/z\n\nb\n\nTroth-Request: team/thing/one", True),
        ("", False),
    ],
)
def test_a_receipt_is_told_by_whose_it_is(message: str, *, found: bool) -> None:
    assert bool(receipt_in(message, ONE)) is found


def test_the_receipt_of_a_request_is_none_of_its_promise() -> None:
    promised = RequestKey.of_promise("thing")

    assert receipt_in("u\n\nTroth-Generation: 1\nTroth-Promise: thing v1 0a", promised)
    assert not receipt_in("u\n\nTroth-Request: a/thing/b\nTroth-Promise: thing v1 0a", promised)
