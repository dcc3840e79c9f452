"""The shape of the house: one package a room, small modules, sorted doors, nothing ignored."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "lib": "troth",
    "pipelines": "troth_pipelines",
    "statestore": "troth_statestore",
}
MODULE_LINES = 400
FUNCTION_LINES = 60

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(("room", "package"), ROOMS.items())
def test_a_room_holds_one_package_and_nothing_else(room: str, package: str) -> None:
    found = {path.name for path in (ROOT / room).iterdir() if path.name != "__pycache__"}

    assert found == {package}


@pytest.mark.parametrize(("room", "package"), ROOMS.items())
def test_every_package_says_that_it_is_typed(room: str, package: str) -> None:
    assert (ROOT / room / package / "py.typed").is_file()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_is_longer_than_the_hard_limit(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_function_is_longer_than_the_hard_limit(path: Path) -> None:
    long = [
        f"{node.name}: {size} lines"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]

    assert long == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def exported(path: Path) -> list[str] | None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def defined(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
            case _:
                pass
    return names


# Modules that are run, not imported, and packages that only hold modules.
_NO_DOORS = {"pipelines/troth_pipelines/__init__.py", "pipelines/troth_pipelines/__main__.py",
             "pipelines/troth_pipelines/stages/__init__.py"}  # fmt: skip


@pytest.mark.parametrize(
    "path", [path for path in MODULES if relative(path) not in _NO_DOORS], ids=relative
)
def test_the_doors_of_a_module_are_listed_sorted_and_real(path: Path) -> None:
    names = exported(path)

    assert names is not None
    # Constants, then classes, then functions: the order that ruff keeps (RUF022).
    assert names == sorted(
        names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert set(names) <= defined(path)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_git_ignores_no_part_of_a_room(path: Path) -> None:
    result = subprocess.run(
        ["git", "check-ignore", "--no-index", relative(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout == ""


def imported(path: Path) -> set[str]:
    """Return the packages that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=aliases):
                names.update(alias.name.partition(".")[0] for alias in aliases)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.partition(".")[0])
            case _:
                pass
    return names


@pytest.mark.parametrize(
    ("package", "place"),
    [("hypothesis", "lib/troth/kit/strategies.py"), ("pytest", "lib/troth/kit/plugin")],
)
def test_what_only_tests_install_is_imported_in_one_place(package: str, place: str) -> None:
    importing = [path for path in MODULES if package in imported(path)]

    assert importing
    assert [path for path in importing if not path.is_relative_to(ROOT / place)] == []


def test_importing_a_stage_loads_neither_git_nor_the_engine() -> None:
    code = (
        "import sys, troth_pipelines.stages.namespace;"
        "print([m for m in sys.modules if m in {'git', 'troth.engine', 'troth_statestore'}])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"
