"""What every test may rely on: a clean environment, a Git that knows no machine, honest skips."""

import os
from collections.abc import Generator
from contextlib import ExitStack

import hypothesis
import pytest

pytest_plugins = ["support.leak_hunt"]

# What these check is checked for tests, whose failures shall say what was found.
pytest.register_assert_rewrite("support.drills", "support.killed_writers")

# How long an example takes says something of the machine, nothing of the code.
hypothesis.settings.register_profile("troth", deadline=None)
hypothesis.settings.load_profile("troth")

# Under CI a skip is a failure, unless the machine itself cannot do what the test needs.
_HONEST_SKIP = "platform:"

_GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "A Person",
    "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A Person",
    "GIT_COMMITTER_EMAIL": "person@example.com",
    "LC_ALL": "C.UTF-8",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine reach a test."""
    for name in list(os.environ):
        if name.startswith(("TROTH_", "KRATIX_", "GIT_")):
            monkeypatch.delenv(name)
    for name, value in _GIT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def exits() -> Generator[ExitStack]:
    """What is called at the end of a test: stores to close, mostly."""
    with ExitStack() as stack:
        yield stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure under CI, unless its reason begins with ``platform:``."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(_HONEST_SKIP):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped under CI: {reason}"
    return report
