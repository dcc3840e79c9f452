"""Verify: what the records prove of the stores, and every way in which they do not."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)
from support.route_objects import gateway, path, route, traits

from troth.api import Json, JsonObject, Layout, Reader, RequestKey, dump_documents
from troth.engine import Ledger, Record, Spot, View, World
from troth.engine.proof import Flaw, Proof, Verdict, check_files
from troth.engine.verify import verify
from troth.errors import Reason, TransientError
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet, Owner, record_key
from troth_statestore.memory import MemoryStore

FOLDER = "cluster/resources/team/thing/one"
FILE = f"{FOLDER}/configure/5058f/objects.yaml"
RECORD = record_key(Owner("team", "thing", "one"))

# A record as JSON, to be edited.
Edit = Callable[[dict[str, Json]], None]


def two_files(_: StageJob) -> StageResult:
    first, second = config_map("first"), config_map("second")
    return StageResult(
        {"first.yaml": dump_documents([first]), "second.yaml": dump_documents([second])}
    )


def written(platform: Platform | None = None) -> Platform:
    platform = platform or Platform()
    platform.sync(request(value="x"))
    return platform


def prove(platform: Platform, world: World | None = None, *, objects: bool = True) -> list[Proof]:
    ledger = Ledger.read(View.of(platform.store.snapshot()))
    return verify(ledger, objects=objects) if world is None else verify(
        ledger, world, objects=objects
    )  # fmt: skip


def flaws(platform: Platform, world: World | None = None) -> dict[Flaw, tuple[str, ...]]:
    """Every flaw, and the paths that it is about."""
    return {
        problem.flaw: problem.paths
        for proof in prove(platform, world)
        for problem in proof.problems
    }


def edit_record(platform: Platform, edit: Edit, key: str = RECORD) -> None:
    content, version = platform.store.snapshot().records()[key]
    spelled = cast("dict[str, Json]", json.loads(content))
    edit(spelled)
    put(platform, key, json.dumps(spelled).encode(), version)


def put(platform: Platform, key: str, content: bytes | None, version: str | None) -> None:
    [receipt] = platform.store.commit([ChangeSet(key, version, record=content)])
    assert receipt.outcome == "written" or receipt.revision is None


def placement_of(spelled: dict[str, Json]) -> dict[str, Json]:
    placements = cast("list[dict[str, Json]]", spelled["placements"])
    return placements[0]


def revision_of(platform: Platform) -> str:
    [key] = [key for key in platform.store.snapshot().records() if key.startswith("revisions/")]
    return key


def test_what_was_written_is_proved_at_the_tip() -> None:
    platform = written()

    [proof] = prove(platform)

    assert proof == Proof(
        RequestKey("team", "thing", "one"),
        Verdict.PROVED,
        revision=platform.store.snapshot().revision,
    )


def test_the_own_output_of_a_promise_is_proved() -> None:
    platform = Platform(
        stages={"configure": follows_spec, "install": writes(config_map("own", "platform"))},
        promises=[promise(install=["install"], dependencies=[config_map("brought", "platform")])],
    )

    written(platform)

    assert [(proof.key, proof.verdict) for proof in prove(platform)] == [
        (("", "thing", ""), Verdict.PROVED),
        (("team", "thing", "one"), Verdict.PROVED),
    ]


def test_a_request_that_found_no_place_is_proved_to_have_no_files() -> None:
    platform = written(Platform(destinations=[destination("cluster")], promises=[
        promise(selectors={"nobody": "has"})
    ]))  # fmt: skip

    assert [proof.verdict for proof in prove(platform)] == [Verdict.PROVED]


def test_an_edited_file_is_drifted_and_named_where_it_is_the_only_one() -> None:
    platform = written()
    platform.tamper({FILE: platform.files[FILE] + b"\n"})

    assert flaws(platform) == {Flaw.DRIFTED: (FILE,)}


def test_of_two_files_nobody_can_tell_which_was_edited() -> None:
    platform = written(Platform(stages={"configure": two_files}))
    first, second = sorted(platform.files)
    platform.tamper({first: platform.files[first] + b"\n"})

    [problem] = prove(platform)[0].problems

    assert problem.paths == (first, second)
    assert "cannot tell which" in problem.message


def test_of_an_extra_file_the_digest_tells_that_all_others_are_intact() -> None:
    platform = written()
    platform.tamper({f"{FOLDER}/by-hand.yaml": b"{}"})

    assert flaws(platform) == {Flaw.EXTRA_FILE: (f"{FOLDER}/by-hand.yaml",)}


def test_beside_an_extra_file_an_edited_one_is_told_too() -> None:
    platform = written()
    platform.tamper({f"{FOLDER}/by-hand.yaml": b"{}", FILE: platform.files[FILE] + b"\n"})

    assert flaws(platform) == {
        Flaw.EXTRA_FILE: (f"{FOLDER}/by-hand.yaml",),
        Flaw.DRIFTED: (FILE,),
    }


def test_beside_a_missing_file_nothing_is_proved_of_the_others() -> None:
    platform = written(Platform(stages={"configure": two_files}))
    first, second = sorted(platform.files)
    platform.tamper({}, delete=[first])

    missing, drifted, _ = prove(platform)[0].problems

    assert (missing.flaw, missing.paths) == (Flaw.MISSING_FILE, (first,))
    assert (drifted.flaw, drifted.paths) == (Flaw.DRIFTED, (second,))
    assert "since files are missing" in drifted.message


def test_the_only_file_that_is_missing_is_all_there_is_to_say_of_files() -> None:
    platform = written()
    platform.tamper({}, delete=[FILE])

    assert set(flaws(platform)) == {Flaw.MISSING_FILE, Flaw.OBJECTS_DIFFER}


def test_what_is_no_plain_file_any_more_is_known_to_differ() -> None:
    platform = written(Platform(stages={"configure": two_files}))
    content, _ = platform.store.snapshot().records()[RECORD]
    observed = View.of(platform.store.snapshot()).digests(Spot("", ""))
    link = max(observed)

    [problem] = check_files(
        Record.decode(content, RECORD), {**observed, link: "120000:abc"}, "", {""}
    )

    assert (problem.flaw, problem.paths) == (Flaw.DRIFTED, (link.path,))


def test_files_of_an_earlier_output_are_told_to_be_reverted() -> None:
    platform = written()
    before = platform.files
    platform.sync(request(value="y"))
    platform.tamper(before)

    [proof] = prove(platform)

    assert [problem.flaw for problem in proof.problems] == [Flaw.REVERTED]
    assert "number 2 of 2" in proof.problems[0].message


def test_a_record_that_lost_its_files_does_not_pass_for_an_empty_output() -> None:
    platform = written()
    edit_record(platform, lambda spelled: spelled.update(placements=[]))
    platform.tamper({}, delete=[FILE])

    assert flaws(platform) == {Flaw.DRIFTED: ()}


def test_a_record_without_a_digest_proves_no_file() -> None:
    platform = written()
    edit_record(platform, lambda spelled: spelled.update(outputDigests=[]))

    assert flaws(platform) == {Flaw.DRIFTED: (FILE,)}


def test_a_recorded_object_that_is_not_in_the_files_is_told() -> None:
    platform = written()
    ghost: Json = {"group": "", "kind": "ConfigMap", "namespace": "team", "name": "ghost"}
    edit_record(platform, lambda spelled: placement_of(spelled).update(objects=[ghost]))

    [problem] = prove(platform)[0].problems

    assert problem.flaw is Flaw.OBJECTS_DIFFER
    assert "not in the files: ConfigMap team/ghost" in problem.message
    assert "not recorded: ConfigMap team/one" in problem.message


def test_objects_are_not_looked_at_when_told_not_to() -> None:
    platform = written()
    ghost: Json = {"group": "", "kind": "ConfigMap", "namespace": "team", "name": "ghost"}
    edit_record(platform, lambda spelled: placement_of(spelled).update(objects=[ghost]))

    assert [proof.verdict for proof in prove(platform, objects=False)] == [Verdict.PROVED]


def test_files_that_are_no_objects_are_told() -> None:
    platform = written()
    platform.tamper({FILE: b"edited"})

    assert set(flaws(platform)) == {Flaw.DRIFTED, Flaw.OBJECTS_DIFFER}


def read_as(reader: Reader) -> World:
    return World({}, {"cluster": replace(destination("cluster"), reader=reader)})


def test_without_destinations_what_is_read_as_files_has_no_objects_to_compare() -> None:
    platform = Platform(destinations=[replace(destination("cluster"), reader=Reader.FILES)])

    written(platform)

    assert flaws(platform) == {}


@pytest.mark.parametrize(
    ("then", "now"), [(Reader.FILES, Reader.FLUX), (Reader.ARGOCD, Reader.FILES)]
)
def test_a_reader_that_changed_since_makes_the_recorded_objects_wrong(
    then: Reader, now: Reader
) -> None:
    platform = Platform(destinations=[replace(destination("cluster"), reader=then)])

    written(platform)

    assert flaws(platform, read_as(then)) == {}
    assert set(flaws(platform, read_as(now))) == {Flaw.OBJECTS_DIFFER}


def test_of_a_record_that_cannot_be_read_the_files_are_not_taken_for_unowned() -> None:
    platform = written()
    platform.sync(request(value="x"), request("two"))
    put(platform, RECORD, b"{", platform.store.snapshot().records()[RECORD][1])

    proofs = {proof.key.name: proof for proof in prove(platform)}

    assert proofs["two"].verdict is Verdict.PROVED
    [problem] = proofs["one"].problems
    assert (problem.flaw, problem.paths) == (Flaw.RECORD_UNREADABLE, (RECORD,))
    assert "Not proved with it: 1 file in its folders" in problem.message
    assert len(proofs) == 2


def test_a_record_at_anothers_place_is_not_believed() -> None:
    platform = written()
    content, _ = platform.store.snapshot().records()[RECORD]
    put(platform, record_key(Owner("team", "thing", "two")), content, None)

    proofs = {proof.key.name: proof for proof in prove(platform)}

    assert proofs["one"].verdict is Verdict.PROVED
    assert [problem.flaw for problem in proofs["two"].problems] == [Flaw.RECORD_UNREADABLE]
    assert "another's place" in proofs["two"].problems[0].message


def test_a_revision_that_is_not_there_is_told() -> None:
    platform = written()
    key = revision_of(platform)
    put(platform, key, None, platform.store.snapshot().records()[key][1])

    assert flaws(platform) == {Flaw.REVISION_MISSING: (key,)}


@pytest.mark.parametrize("content", [b"{", b"{}", dump_documents([{"promise": promise("x").raw}])])
def test_a_revision_that_is_not_what_its_name_says_is_told(content: bytes) -> None:
    platform = written()
    key = revision_of(platform)
    put(platform, key, content, platform.store.snapshot().records()[key][1])

    assert flaws(platform) == {Flaw.REVISION_WRONG: (key,)}


def test_a_revision_that_nobody_refers_to_is_noted_and_nothing_is_wrong() -> None:
    platform = written()
    put(platform, f"revisions/{'0' * 64}.yaml", b"{}", None)

    proofs = prove(platform)

    assert [proof.verdict for proof in proofs] == [Verdict.NOTED, Verdict.PROVED]
    assert flaws(platform) == {Flaw.REVISION_UNUSED: (f"revisions/{'0' * 64}.yaml",)}


def test_beside_a_record_that_cannot_be_read_no_revision_is_called_unused() -> None:
    platform = written()
    put(platform, f"revisions/{'0' * 64}.yaml", b"{}", None)
    put(platform, RECORD, b"{", platform.store.snapshot().records()[RECORD][1])

    assert set(flaws(platform)) == {Flaw.RECORD_UNREADABLE}


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("cluster/resources/team/thing/left/a/b.yaml", ("team", "thing", "left")),
        ("cluster/dependencies/gone/static/b.yaml", ("", "gone", "")),
        ("cluster/resources/readme.md", ("", "", "")),
    ],
)
def test_files_of_no_record_are_told_with_whose_they_would_be(
    path: str, owner: tuple[str, str, str]
) -> None:
    platform = written()
    platform.tamper({path: b"{}"})

    [proof] = [proof for proof in prove(platform) if proof.problems]

    assert proof.key == owner
    assert proof.verdict is Verdict.NOT_PROVED
    assert (proof.problems[0].flaw, proof.problems[0].paths) == (Flaw.UNOWNED_FILE, (path,))


def test_the_canaries_of_kratix_are_noted_and_nothing_is_wrong() -> None:
    platform = written()
    canaries = (
        "cluster/dependencies/kratix-canary-namespace.yaml",
        "cluster/resources/kratix-canary-configmap.yaml",
    )
    platform.tamper(dict.fromkeys(canaries, b"{}"))

    proofs = prove(platform)

    assert [proof.verdict for proof in proofs] == [Verdict.NOTED, Verdict.PROVED]
    assert flaws(platform) == {Flaw.KRATIX_CANARY: canaries}


@pytest.mark.parametrize(
    "path",
    [
        "cluster/resources/kratix-canary-namespace.yaml",
        "cluster/resources/team/kratix-canary-configmap.yaml",
    ],
)
def test_what_is_only_called_like_a_canary_is_owned_by_nobody(path: str) -> None:
    platform = written()
    platform.tamper({path: b"{}"})

    assert flaws(platform) == {Flaw.UNOWNED_FILE: (path,)}


def test_files_outside_managed_folders_are_nobodys_business() -> None:
    platform = written()
    platform.tamper({"readme.md": b"", "cluster/readme.md": b"", "other/resources/a/b/c/d": b""})

    assert flaws(platform) == {}


def test_a_destination_that_is_given_tells_of_a_folder_that_no_record_names() -> None:
    platform = written()
    platform.tamper({"other/resources/a/b/c/d": b""})
    world = World({}, {"other": destination("other")})

    assert flaws(platform, world) == {Flaw.UNOWNED_FILE: ("other/resources/a/b/c/d",)}


def test_what_was_left_of_a_request_in_another_destination_is_extra() -> None:
    platform = written()
    left = "other/resources/team/thing/one/configure/5058f/objects.yaml"
    platform.tamper({left: b"{}"})
    world = World({}, {"other": destination("other")})

    assert flaws(platform, world) == {Flaw.EXTRA_FILE: (left,)}


def test_two_records_that_hold_one_object_are_both_told() -> None:
    platform = Platform()
    platform.sync(request("one"), request("two"))
    other: Json = {"group": "", "kind": "ConfigMap", "namespace": "team", "name": "two"}
    edit_record(platform, lambda spelled: placement_of(spelled).update(objects=[other]))

    found = {
        proof.key.name: [one.message for one in proof.problems if one.flaw == "ObjectHeldTwice"]
        for proof in prove(platform)
    }

    text = "ConfigMap team/two in Destination cluster is held by"
    assert found == {
        "one": [f"{text} team/two (thing) too."],
        "two": [f"{text} team/one (thing) too."],
    }


def flat(job: StageJob) -> StageResult:
    name = job.environ["KRATIX_OBJECT_NAME"]
    return StageResult({f"{name}.yaml": dump_documents([config_map(name)])})


def test_two_records_that_hold_one_file_are_both_told() -> None:
    platform = Platform(
        stages={"configure": flat}, destinations=[destination("cluster", layout=Layout.NONE)]
    )
    platform.sync(request("one"), request("two"))
    edit_record(platform, lambda spelled: placement_of(spelled).update(files=["two.yaml"]))

    found = {
        proof.key.name
        for proof in prove(platform)
        if Flaw.FILE_HELD_TWICE in {one.flaw for one in proof.problems}
    }

    assert found == {"one", "two"}


def holding(platform: Platform, name: str, *manifests: JsonObject) -> None:
    """Have the record of a request hold what these Gateways and routes are decided by."""
    routes: dict[str, Json] = {"cluster": traits(*manifests).encode()}
    edit_record(
        platform,
        lambda spelled: spelled.update(routes=routes),
        record_key(Owner("team", "thing", name)),
    )


def test_a_route_that_several_records_hold_is_told_of_each() -> None:
    platform = Platform()
    names = ("edge", "one", "other", "two")
    platform.sync(*map(request, names))
    holding(platform, "edge", gateway())
    holding(platform, "one", route(path("/x")))
    holding(platform, "other", route(path("/y")))
    holding(platform, "two", route(path("/x")))

    found = {
        proof.key.name: (proof.verdict, *[(one.flaw, one.message) for one in proof.problems])
        for proof in prove(platform)
    }

    text = (
        "PathPrefix /x, any method, host any of Gateway infra/shared port 443 in Destination "
        "cluster is held by team/{} (thing) too."
    )
    assert found == {
        "edge": (Verdict.PROVED,),
        "one": (Verdict.NOT_PROVED, (Flaw.ROUTE_HELD_TWICE, text.format("two"))),
        "other": (Verdict.PROVED,),
        "two": (Verdict.NOT_PROVED, (Flaw.ROUTE_HELD_TWICE, text.format("one"))),
    }


def test_one_route_in_two_destinations_is_held_once_in_each() -> None:
    platform = Platform()
    platform.sync(*map(request, ("edge", "one", "two")))
    holding(platform, "edge", gateway())
    holding(platform, "one", route(path("/x")))
    elsewhere: dict[str, Json] = {"elsewhere": traits(route(path("/x"))).encode()}
    edit_record(
        platform,
        lambda spelled: spelled.update(routes=elsewhere),
        record_key(Owner("team", "thing", "two")),
    )

    assert flaws(platform) == {}


def test_in_the_layout_none_only_files_that_are_named_count() -> None:
    platform = Platform(
        stages={"configure": flat}, destinations=[destination("cluster", layout=Layout.NONE)]
    )
    platform.sync(request("one"))
    platform.tamper({"cluster/readme.md": b"by hand", "cluster/resources/x": b"by hand"})
    world = World({}, {one.name: one for one in platform.destinations})

    assert flaws(platform, world) == {}


def test_an_edited_file_of_the_layout_none_is_drifted() -> None:
    platform = Platform(
        stages={"configure": flat}, destinations=[destination("cluster", layout=Layout.NONE)]
    )
    platform.sync(request("one"))
    platform.tamper({"cluster/one.yaml": platform.files["cluster/one.yaml"] + b"\n"})

    assert flaws(platform) == {Flaw.DRIFTED: ("cluster/one.yaml",)}


def test_a_record_that_takes_anothers_folder_for_its_own_is_told() -> None:
    platform = written()
    edit_record(platform, lambda spelled: placement_of(spelled).update(owned="cluster/resources"))

    assert flaws(platform)[Flaw.FOREIGN_FOLDER] == ("cluster/resources",)


def far(job: StageJob) -> StageResult:
    """Writes a file for each of two stores."""
    name = job.environ["KRATIX_OBJECT_NAME"]
    files = {
        "near.yaml": dump_documents([config_map(f"near-{name}")]),
        "far/far.yaml": dump_documents([config_map(f"far-{name}")]),
    }
    selectors = dump_documents([[{"directory": "far", "matchLabels": {"role": "far"}}]])
    return StageResult(files, {"destination-selectors.yaml": selectors})


def two_stores() -> Platform:
    return written(
        Platform(
            stages={"configure": far},
            promises=[promise(selectors={"role": "near"})],
            destinations=[
                destination("near", store="main", role="near"),
                destination("far", store="other", role="far"),
            ],
            others={"other": MemoryStore()},
        )
    )


def views(platform: Platform) -> View:
    stores = {"main": platform.store, **platform.others}
    return View({name: store.snapshot() for name, store in stores.items()})


def test_several_stores_are_proved_together() -> None:
    platform = two_stores()

    assert [proof.verdict for proof in verify(Ledger.read(views(platform)))] == [Verdict.PROVED]


def test_an_edit_in_either_of_several_stores_is_told() -> None:
    platform = two_stores()
    far_store = platform.others["other"]
    [path] = far_store.snapshot().digests("")
    far_store.commit([ChangeSet("requests/by-hand", None, {path: b"{}"})])

    [proof] = verify(Ledger.read(views(platform)), objects=False)

    assert [problem.flaw for problem in proof.problems] == [Flaw.DRIFTED]
    assert f"other:{path}" in proof.problems[0].paths


@pytest.mark.parametrize("objects", [False, True])
def test_a_store_that_is_out_of_reach_is_told_and_so_is_what_has_files_there(
    objects: bool,
) -> None:
    platform = two_stores()
    home = "main" if any(k.startswith("req") for k in platform.store.snapshot().records()) else (
        "other"
    )  # fmt: skip
    away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
    everything = views(platform)
    other = "main" if home == "other" else "other"
    view = View({home: everything.snapshots[home]}, {other: away})

    store, proof = verify(Ledger.read(view), objects=objects)

    assert store.key == ("", "", "")
    assert "no route to host" in store.problems[0].message
    assert [problem.flaw for problem in proof.problems] == [Flaw.STORE_NOT_SEEN]
    assert proof.verdict is store.verdict is Verdict.NOT_PROVED


def test_stores_that_hold_different_revisions_under_one_name_are_told() -> None:
    platform = two_stores()
    keys = {
        store: key
        for store, snapshot in views(platform).snapshots.items()
        for key in snapshot.records()
        if key.startswith("revisions/")
    }
    [key] = set(keys.values())
    for store in (platform.store, platform.others["other"]):
        if key not in store.snapshot().records():
            store.commit([ChangeSet(key, None, record=b"{}")])

    found = [
        problem.flaw for proof in verify(Ledger.read(views(platform))) for problem in proof.problems
    ]

    assert Flaw.REVISION_WRONG in found


def test_progress_is_told_of_every_record() -> None:
    platform = Platform()
    platform.sync(request("one"), request("two"))
    told: list[None] = []

    verify(Ledger.read(View.of(platform.store.snapshot())), progress=lambda: told.append(None))

    assert len(told) == 2
