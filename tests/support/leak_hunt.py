"""A pytest plugin: after a run, no secret of it may be found in what it left.

Searched: all Git objects in the folders of tests, all other files there but what platforms are
given, what tests and commands printed and logged, how errors were reported, command lines, and
what was left in the folders for temporary files. A find fails the run. Tests that leave secrets on
purpose are marked ``plants_leaks``; then neither their folder nor their output is looked at.
"""

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from support.minted import VARIABLE, note_saying

__all__ = ["hunting_grounds", "pytest_configure"]

_NAME = "leak-hunt"
_MARK = "plants_leaks"
_SHARED = (Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108  (looked at, not written to)
_OURS = "troth-*"  # how the folders are called that Troth makes there
_SHOWN = 40  # finds; one mistake may be found in each test
_PAUSE = 0.5  # seconds between two looks at the processes


def pytest_configure(config: pytest.Config) -> None:
    """Begin to take notes."""
    config.addinivalue_line("markers", f"{_MARK}: leaves secrets on purpose; is not searched")
    if not config.option.collectonly:
        config.pluginmanager.register(_LeakHunt(), _NAME)


@pytest.fixture(scope="session", autouse=True)
def hunting_grounds(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> None:
    """Tell the hunt where the folders of tests lie."""
    found = pytestconfig.pluginmanager.get_plugin(_NAME)
    assert isinstance(found, _LeakHunt)
    found.grounds = tmp_path_factory.getbasetemp()


class _LeakHunt:
    def __init__(self) -> None:
        self._notes = Path(tempfile.mkdtemp(prefix="suite-"))
        self.grounds: Path | None = None
        self._skipped: set[Path] = set()
        self._before = _left()
        self._lines: set[bytes] = set()
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._summary: list[str] = []
        os.environ[VARIABLE] = str(self._notes)

    def pytest_sessionstart(self) -> None:
        sys.addaudithook(self._heed)
        self._watching.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if item.get_closest_marker(_MARK) is not None and isinstance(item, pytest.Function):
            folder = item.funcargs.get("tmp_path")
            if isinstance(folder, Path):
                self._skipped.add(folder)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if _MARK not in report.keywords:
            said = [text for _, text in report.sections]
            if text := "\n".join([*said, report.longreprtext]).strip():
                note_saying(report.nodeid, text)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        self._over.set()
        if self._watching.is_alive():
            self._watching.join()
        try:
            if self.grounds is not None:
                self._hunt(session, self.grounds)
        finally:
            os.environ.pop(VARIABLE, None)
            shutil.rmtree(self._notes)
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._summary:
            terminalreporter.write_line(line)

    def _hunt(self, session: pytest.Session, grounds: Path) -> None:
        from support import hunting  # noqa: PLC0415  (imports Troth, which tests measure)

        left = tuple(sorted(_left() - self._before))
        where = hunting.Grounds(grounds, frozenset(self._skipped), left, frozenset(self._lines))
        bag = hunting.hunt(self._notes, where)
        self._summary = [bag.summary, *(f"LEAKED: {one}" for one in bag.found[:_SHOWN])]
        if len(bag.found) > _SHOWN:
            self._summary.append(f"and {len(bag.found) - _SHOWN} more")
        if bag.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _heed(self, event: str, given: tuple[object, ...]) -> None:
        """Remember what this process starts; of short-lived ones nobody else would see it."""
        if event == "subprocess.Popen" and not self._over.is_set():
            arguments = given[1]
            if isinstance(arguments, list | tuple):
                self._lines.add(b"\0".join(os.fsencode(str(one)) for one in arguments))

    def _watch(self) -> None:
        """Look at what is started by what this process starts."""
        while not self._over.wait(_PAUSE):
            self._lines |= _lines_below(os.getpid())


def _left() -> set[Path]:
    return {path for folder in _SHARED for path in folder.glob(_OURS)}


def _lines_below(process: int) -> set[bytes]:
    """Return the command lines of a process' descendants."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, UnicodeDecodeError):  # it has just ended
            continue
    below, found = {process}, set[bytes]()
    while more := {one for one, parent in parents.items() if parent in below} - below:
        below |= more
    for one in below - {process}:
        try:
            found.add(Path(f"/proc/{one}/cmdline").read_bytes())
        except OSError:  # it has just ended
            continue
    return found
