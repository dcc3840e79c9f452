"""Objects that files of people hold: no request is given the same beside them."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from support.kratix_repository import KratixRepository, Workload
from support.platform import Platform, config_map, destination, request, writes

from troth.api import JsonObject, Layout, dump_documents
from troth.api.destination import Reader
from troth.engine import Ledger, State
from troth.engine.foreign import LARGEST, Foreign
from troth.engine.observe import NOWHERE
from troth.engine.proof import Flaw
from troth.engine.values import ObjectId, Spot
from troth.engine.verify import verify
from troth.errors import Reason

SEALED: JsonObject = {
    "apiVersion": "bitnami.com/v1alpha1",
    "kind": "SealedSecret",
    "metadata": {"name": "login", "namespace": "team"},
    "spec": {"encryptedData": {"password": "AgB"}},
}
IDENTITY = ObjectId("bitnami.com", "SealedSecret", "team", "login")
PLAIN = dump_documents([SEALED])


def platform(by_hand: Mapping[str, bytes], **changes: object) -> Platform:
    found = Platform(
        stages={"configure": writes(SEALED)},
        destinations=[destination("cluster", **changes)],  # type: ignore[arg-type]
    )
    found.tamper(by_hand)
    return found


def foreign(found: Platform, files: int = 5) -> Foreign:
    return Foreign(Ledger.read(found.look()), found.world, files)


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("path", ["login.yaml", "deep/er/login.yml", "resources.yaml"])
def test_what_a_person_has_in_the_folder_of_a_destination_is_refused_to_a_request(
    layout: Layout, path: str
) -> None:
    found = platform({f"cluster/{path}": PLAIN}, layout=layout)

    item = found.sync(request())["one"]

    assert (item.state, item.reason) == (State.REFUSED, Reason.OBJECT_HELD)
    assert f"cluster/{path}" in item.message
    assert list(found.files) == [f"cluster/{path}"]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(SEALED).encode(),
        b"# a comment\n---\n" + PLAIN,
        PLAIN.replace(b"name: login", b'name: "login"'),
        PLAIN.replace(b"name: login", b"name: &name login"),
        dump_documents([config_map("other"), SEALED]),
        dump_documents([{"apiVersion": "v1", "kind": "List", "items": [SEALED]}]),
    ],
)
def test_it_is_found_however_it_is_spelled(content: bytes) -> None:
    found = platform({"cluster/by-hand.yaml": content})

    assert found.sync(request())["one"].reason == Reason.OBJECT_HELD


@pytest.mark.parametrize(
    "by_hand",
    [
        {"elsewhere/login.yaml": PLAIN},
        {"cluster-2/login.yaml": PLAIN},
        {"cluster/notes.txt": PLAIN},
        {"cluster/login.yaml": PLAIN.replace(b"team", b"other")},
        {"cluster/login.yaml": PLAIN.replace(b"SealedSecret", b"Secret")},
        {"cluster/login.yaml": dump_documents([config_map("other", x="name: login")])},
        {"cluster/login.yaml": b"{{ template }}\nname: login\n"},
        {"cluster/login.yaml": b"name: login\n\xff"},
    ],
)
def test_what_no_agent_is_given_twice_is_in_nobodys_way(by_hand: dict[str, bytes]) -> None:
    found = platform(by_hand)

    assert found.sync(request())["one"].state is State.WRITTEN


def test_what_is_read_as_files_has_no_objects() -> None:
    found = platform({"cluster/login.yaml": PLAIN})
    found.destinations = [replace(found.destinations[0], reader=Reader.FILES)]

    assert found.sync(request())["one"].state is State.WRITTEN


def test_nothing_is_done_outside_for_what_a_person_has() -> None:
    found = platform({"cluster/login.yaml": PLAIN})

    found.sync(request())

    assert len(found.runner.runs) <= 2  # to render, and to see that it renders the same again
    assert not found.records


def test_once_it_is_taken_out_the_request_is_written() -> None:
    found = platform({"cluster/login.yaml": PLAIN})
    found.sync(request())

    found.tamper({}, delete=["cluster/login.yaml"])

    assert found.sync(request())["one"].state is State.WRITTEN


def test_what_a_request_has_already_stays_its_own() -> None:
    found = platform({})
    found.sync(request())

    found.tamper({"cluster/login.yaml": PLAIN})

    assert found.sync(request())["one"].state is State.UNCHANGED


@pytest.mark.parametrize("layout", Layout)
def test_what_kratix_wrote_is_taken_over(layout: Layout) -> None:
    written = Workload("one", {"objects.yaml": PLAIN})
    kept = KratixRepository(layout, workloads=[written], canaries=True).files()
    found = platform(kept, layout=layout)

    assert found.sync(request())["one"].state is not State.REFUSED


def test_verify_names_what_a_person_put_beside_it_later() -> None:
    found = platform({})
    found.sync(request())
    found.tamper({"cluster/login.yaml": PLAIN})

    for world in (found.world, NOWHERE):
        proofs = verify(Ledger.read(found.look()), world)
        (problem,) = [one for proof in proofs for one in proof.problems]

        assert problem.flaw is Flaw.OBJECT_HELD_TWICE
        assert "cluster/login.yaml" in problem.message
        assert problem.paths == ("cluster/login.yaml",)


def test_of_more_files_than_can_be_read_the_first_are() -> None:
    names = [f"cluster/file-{number}.yaml" for number in range(9)]
    found = platform({name: dump_documents([config_map(name[8:-5])]) for name in names})
    found.tamper({"cluster/z.yaml": PLAIN})

    assert foreign(found, 9).holder("cluster", IDENTITY) is None
    assert foreign(found, 10).holder("cluster", IDENTITY) == Spot("", "cluster/z.yaml")


def test_a_file_that_is_larger_than_any_object_is_not_looked_at() -> None:
    found = platform({"cluster/z.yaml": PLAIN + b"#" * LARGEST})

    assert foreign(found).holder("cluster", IDENTITY) is None


def test_only_files_in_which_the_name_stands_are_parsed() -> None:
    found = platform({"cluster/a.yaml": dump_documents([config_map("a")]), "cluster/b.yaml": PLAIN})
    looked = foreign(found)

    looked.holder("cluster", IDENTITY)

    assert list(looked._objects) == [Spot("", "cluster/b.yaml")]  # pyright: ignore[reportPrivateUsage]
