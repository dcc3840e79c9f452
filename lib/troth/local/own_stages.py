"""A bundle's own stages: the package in its folder ``stage/``, which need not be installed.

Only bundles that somebody named are looked at: the code of a folder that a walk came upon never
runs. The package goes on ``sys.path`` beside the metadata that installing it would have written,
made of its pyproject.toml. So a runner, which knows installed packages, finds it as one, digests
its sources and hands it to its workers.
"""

import importlib
import re
import sys
import tempfile
import tomllib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from troth.api import Fields, JsonObject
from troth.errors import InvalidInputError, Reason, TransientError
from troth.sdk import STAGE_GROUP

__all__ = ["Served", "serve_own_stages"]

_PROMISE = "promise.yaml"
_PROJECT = Path("stage", "pyproject.toml")

# What may stand in the metadata of a package: PEP 508 and PEP 440, as far as anybody needs them.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*[A-Za-z0-9.+]*")
_POINT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_OBJECT = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Served:
    """What a command's runner is to serve.

    Attributes:
        images: image → distribution, as a runner takes it.
        notes: sentences on packages of bundles that are not used.
    """

    images: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Package:
    """A package of stages as its pyproject.toml describes it."""

    project: Path
    name: str
    version: str
    points: Mapping[str, str]

    @property
    def folder(self) -> Path:
        return self.project.parent

    @property
    def images(self) -> str:
        """The images that it stands for: those that are called as it is."""
        return f"{_canonical(self.name)}:*"

    @property
    def modules(self) -> list[str]:
        """The modules at the top that its stages stand in."""
        return sorted({re.split("[.:]", value)[0] for value in self.points.values()})


@contextmanager
def serve_own_stages(named: Iterable[Path], images: Mapping[str, str]) -> Generator[Served]:
    """Serve the stages of the bundles among some paths, while the context lasts.

    A package that is installed is taken from where it is installed, and an image that is mapped
    already stays what it is mapped to.

    Args:
        named: paths as somebody gave them. A bundle is its folder, or its promise.yaml.
        images: image → distribution, what is served in any case.

    Raises:
        InvalidInputError: a pyproject.toml cannot be read, or its stages do not stand beside it.
        TransientError: no temporary folder can be made.
    """
    served, notes, seen = dict(images), list[str](), dict[str, Path]()
    with ExitStack() as stack:
        for package in _packages(named):
            if package.images in seen:
                raise _error(
                    package.project,
                    f"{seen[package.images]} holds a package called {package.name!r} too; give "
                    "one of them another name, or name one bundle at a time.",
                )
            seen[package.images] = package.project
            other = images.get(package.images, package.name)
            found = _installed(package.name)
            if other != package.name:
                notes.append(f"{package.images} is served by {other}, not by {package.folder}.")
                continue
            if found is None:
                stack.enter_context(_importable(package))
            elif _strays(package):
                notes.append(
                    f"{package.name} {found} is installed, and serves {package.images}; "
                    f"{package.folder} is not used."
                )
            served[package.images] = package.name
        yield Served(served, tuple(notes))


def _packages(named: Iterable[Path]) -> Iterator[_Package]:
    """Read the packages of bundles, each bundle once."""
    folders = [path.parent if path.name == _PROMISE else path for path in named]
    for folder in {folder.resolve(): folder for folder in folders}.values():
        if (folder / _PROMISE).is_file() and (folder / _PROJECT).is_file():
            package = _read(folder / _PROJECT)
            if package is not None:
                yield package


def _read(project: Path) -> _Package | None:
    """Read a pyproject.toml; None when it brings no stages."""
    try:
        raw = tomllib.loads(project.read_text(encoding="utf-8"))
    except OSError as error:
        raise _error(project, f"this file cannot be read: {error.strerror}.") from error
    except ValueError as error:  # neither UTF-8 nor TOML
        raise _error(project, f"this is no TOML: {error}.") from error
    try:
        metadata = Fields(cast("JsonObject", raw)).section("project")
        points = metadata.section("entry-points").string_map(STAGE_GROUP)
        if not points:
            return None
        _check(metadata, "name", metadata.text("name"), _NAME)
        _check(metadata, "version", metadata.text("version"), _VERSION)
        stages = metadata.section("entry-points").section(STAGE_GROUP)
        for name, value in points.items():
            _check(stages, name, name, _POINT)
            _check(stages, name, value, _OBJECT)
    except InvalidInputError as error:
        raise error.about(str(project)) from error
    return _Package(project, metadata.text("name"), metadata.text("version"), points)


def _check(fields: Fields, name: str, text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text):
        raise fields.error(name, f"{text!r} is not like {pattern.pattern}.")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@contextmanager
def _importable(package: _Package) -> Generator[None]:
    """Have a package found as if it were installed, after everything that is."""
    with _metadata(package) as metadata:
        added = [metadata, str(package.folder.resolve())]
        sys.path.extend(added)
        importlib.invalidate_caches()
        try:
            if (problem := _strays(package)) is not None:
                raise _error(package.project, problem)
            yield
        finally:
            for entry in added:
                with suppress(ValueError):  # somebody else took it away
                    sys.path.remove(entry)


def _metadata(package: _Package) -> tempfile.TemporaryDirectory[str]:
    """Write into a temporary folder what installing a package would leave of its metadata."""
    name = _canonical(package.name).replace("-", "_")
    head = f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
    points = "".join(f"{name} = {value}\n" for name, value in sorted(package.points.items()))
    try:
        made = tempfile.TemporaryDirectory(prefix="troth-")
        info = Path(made.name, f"{name}-{package.version}.dist-info")
        info.mkdir()
        (info / "METADATA").write_text(head, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{STAGE_GROUP}]\n{points}", encoding="utf-8")
    except OSError as error:
        message = f"no temporary folder could be written: {error.strerror}."
        raise TransientError(Reason.STAGE_CRASHED, message) from error
    return made


def _strays(package: _Package) -> str | None:
    """Say which module of a package is imported from anywhere but its folder."""
    folder = package.folder.resolve()
    for module in package.modules:
        try:
            spec = find_spec(module)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            return f"there is no module {module!r} in {package.folder}, where its stages stand."
        origin = spec.origin if spec.has_location else None
        places = [*(spec.submodule_search_locations or ()), *([origin] if origin else ())]
        if not places or not all(Path(one).resolve().is_relative_to(folder) for one in places):
            return (
                f"the module {module!r} of its stages is found elsewhere first; give it a name of "
                "its own."
            )
    return None


def _canonical(name: str) -> str:
    """Spell a package's name as package indexes compare it (PEP 503)."""
    return re.sub("[-_.]+", "-", name).lower()


def _error(project: Path, text: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_OBJECT, f"{project}: {text}")
