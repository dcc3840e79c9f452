"""The package as it is shipped: all three rooms in the wheel, and nothing of the tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"troth": "lib", "troth_pipelines": "pipelines", "troth_statestore": "statestore"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the tree as git has it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_of_every_room(wheel: zipfile.ZipFile) -> None:
    expected = {
        str(path.relative_to(ROOT / room))
        for package, room in ROOMS.items()
        for path in (ROOT / room / package).rglob("*")
        if path.suffix in {".py", ".typed"}
    }

    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert shipped == expected


def test_the_wheel_offers_the_command_and_the_stages(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]

    text = wheel.read(name).decode()

    assert "troth = troth.cli:main" in text
    assert "namespace = troth_pipelines.stages.namespace:STAGE" in text


def test_the_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
