"""What goes into the stage image, told without building one."""

import re
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from image.build import default_base, default_tag
from image.contents import LOCK, ROOT, ContentsError, Interpreter, lay_rooms

from troth.api import Promise, load_object


def pins(path: Path) -> set[str]:
    """Each package of a lock file with its version, marker and hashes."""
    text = re.sub(r"^ *#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return set(re.findall(r"^\S.*(?:\n +--hash=.*)*", text, flags=re.MULTILINE))


def test_every_package_of_the_image_is_locked_as_it_is_for_all_else() -> None:
    assert pins(LOCK)
    assert pins(LOCK) <= pins(ROOT / "requirements.lock")


def test_no_package_of_the_image_depends_on_the_machine_that_builds_it() -> None:
    """Pip judges a marker by its own Python, not by that of the base; both are CPython."""
    markers = {pin.partition(";")[2].partition("\\")[0] for pin in pins(LOCK) if ";" in pin}
    kinds = {word for marker in markers for word in re.findall(r"[a-z]+_[a-z_]+", marker)}
    assert kinds <= {"implementation_name", "platform_python_implementation"}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    lay_rooms(folder, tmp_path_factory.mktemp("wheel"))
    return folder


def test_the_image_holds_the_rooms_that_stages_see_whole(rooms: Path) -> None:
    seen = ("lib/troth/__init__.py", "lib/troth/errors.py", "lib/troth/py.typed")
    shipped = [ROOT / path for path in seen]
    for room in ("lib/troth/api", "lib/troth/sdk", "pipelines/troth_pipelines"):
        shipped += [p for p in (ROOT / room).rglob("*") if p.suffix in {".py", ".typed"}]
    expected = {path.relative_to(ROOT).as_posix().partition("/")[2] for path in shipped}

    found = {path.relative_to(rooms).as_posix() for path in rooms.rglob("*") if path.is_file()}

    assert {name for name in found if ".dist-info/" not in name} == expected


def test_the_image_carries_the_licence(rooms: Path) -> None:
    assert len(list(rooms.glob("troth-*.dist-info/licenses/LICENSE"))) == 1


def test_the_image_offers_stages_and_no_command(rooms: Path) -> None:
    [info] = rooms.glob("troth-*.dist-info")

    assert {point.group for point in Distribution.at(info).entry_points} == {"troth.stages"}


def test_a_base_tells_which_wheels_it_can_load() -> None:
    interpreter = Interpreter.parse("3 12 x86_64 ('glibc', '2.19')\n")

    assert interpreter.version == "3.12"
    assert interpreter.platforms == [
        "manylinux_2_19_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    ]


@pytest.mark.parametrize("probed", ["3 10 x86_64 ('glibc', '2.36')", "3 12 x86_64 ('', '')", ""])
def test_a_base_that_cannot_do_is_refused(probed: str) -> None:
    with pytest.raises(ContentsError, match=r"needs Python 3\.11 or newer on glibc"):
        Interpreter.parse(probed)


def test_the_default_base_names_no_registry() -> None:
    assert re.fullmatch(r"[\w.-]+:[\w.-]+", default_base())


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("promises/*/promise.yaml")), ids=lambda path: path.parent.name
)
def test_bundles_name_the_image_that_is_built(path: Path) -> None:
    promise = Promise.parse(load_object(path.read_text(encoding="utf-8"), path.name))
    pipelines = (*promise.workflows.resource_configure, *promise.workflows.resource_delete)

    assert {c.image for pipeline in pipelines for c in pipeline.containers} == {default_tag()}
