"""Bundles as pytest collects them: a plugin of its own, loaded by ``--troth``.

A bundle is its promise.yaml; the id of a check is
``promises/namespace/promise.yaml::<request>::<check>``, or ``…::<check>`` for the bundle as a
whole. Two tests more make random requests, where hypothesis is installed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from troth.errors import TrothError
from troth.kit.bench import Bench, open_bench
from troth.kit.bundle import open_bundle
from troth.kit.case import FailedCheck
from troth.kit.crds import load_crds
from troth.kit.examination import Examination, Options
from troth.kit.findings import Check, Finding, Outcome
from troth.kit.random_requests import PROPERTIES
from troth.kit.request_checks import attempt
from troth.local.own_stages import Served, serve_own_stages
from troth.runners.warm import Limits

__all__ = [
    "BundleFile",
    "CheckItem",
    "RequestNode",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_report_header",
]

_PROMISE = "promise.yaml"


@dataclass(slots=True)
class _Laboratory:
    """What all bundles of a pytest session are tested with; runners start when they are needed."""

    served: Served
    limits: Limits
    options: Options
    examples: int
    stack: ExitStack
    _bench: Bench | None = None

    @property
    def bench(self) -> Bench:
        """The runners."""
        if self._bench is None:
            self._bench = self.stack.enter_context(open_bench(self.served.images, self.limits))
        return self._bench


_LABORATORY = pytest.StashKey[_Laboratory]()


def pytest_configure(config: pytest.Config) -> None:
    """Read our options, and serve the stages that bundles bring."""
    given = config.option
    if given.troth_examples < 1:
        raise pytest.UsageError("--troth-examples has to be at least 1.")
    try:
        crds = load_crds(map(Path, given.troth_schemas)) if given.troth_schemas else None
    except TrothError as error:
        raise pytest.UsageError(error.message) from error
    stack = ExitStack()
    config.add_cleanup(stack.close)
    try:
        named = [Path(one.partition("::")[0]) for one in config.args]
        served = stack.enter_context(serve_own_stages(named, _images(given.troth_image)))
    except TrothError as error:
        raise pytest.UsageError(error.message) from error
    config.stash[_LABORATORY] = _Laboratory(
        served=served,
        limits=Limits(seconds=given.troth_stage_timeout),
        options=Options(crds=crds),
        examples=given.troth_examples,
        stack=stack,
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which packages of bundles are not used."""
    return [f"troth: {note}" for note in config.stash[_LABORATORY].served.notes]


def _images(given: Iterable[str]) -> Mapping[str, str]:
    images = {"troth-stage:*": "troth"}
    for one in given:
        pattern, _, package = one.partition("=")
        if not (pattern and package):
            raise pytest.UsageError(f"--troth-image: {one!r} is no PATTERN=PACKAGE.")
        images[pattern] = package
    return images


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "BundleFile | None":
    """Take a promise.yaml for its bundle."""
    if file_path.name != _PROMISE:
        return None
    return BundleFile.from_parent(parent, path=file_path)


_Verdict = tuple[Outcome, str]


class BundleFile(pytest.File):
    """A bundle, with its requests and the checks of it as a whole."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Read the bundle; what is wrong with it is told by its check ``bundle``."""
        laboratory = self.config.stash[_LABORATORY]
        bundle = open_bundle(self.path.parent)
        examination = Examination(bundle, laboratory.bench, laboratory.options)
        for check in examination.bundle_checks:
            look = partial(_verdict, check, examination.of_bundle)
            yield CheckItem.make(self, str(check), look)
        setting = examination.setting
        if setting is None:
            return
        for submission in bundle.requests:
            node: RequestNode = RequestNode.from_parent(self, name=submission.request.name)
            node.examination = examination
            yield node
        for name, hold in PROPERTIES.items() if setting.promise.api is not None else ():
            look = partial(attempt, partial(hold, setting, laboratory.examples))
            yield CheckItem.make(self, name, look)


class RequestNode(pytest.Collector):
    """A request of a bundle."""

    examination: Examination

    def collect(self) -> Iterator[pytest.Item]:
        """Make a test of each check."""
        findings = partial(self.examination.of_request, self.name)
        for check in self.examination.request_checks:
            yield CheckItem.make(self, str(check), partial(_verdict, check, findings))


def _verdict(check: Check, findings: Callable[[], Iterable[Finding]]) -> _Verdict:
    [found] = [finding for finding in findings() if finding.check is check]
    return found.outcome, found.message


class CheckItem(pytest.Item):
    """A check, as a test."""

    look: Callable[[], _Verdict]

    @classmethod
    def make(cls, parent: pytest.Collector, name: str, look: Callable[[], _Verdict]) -> "CheckItem":
        """Make the test of a check."""
        item: CheckItem = cls.from_parent(parent, name=name)
        item.look = look
        return item

    def runtest(self) -> None:
        """Make the check, and tell how it ended as pytest tells it."""
        outcome, message = self.look()
        if outcome is Outcome.FAILED:
            raise FailedCheck(message)
        if outcome is Outcome.NOT_CHECKED:
            pytest.skip(f"not checked: {message}")
        if message:
            self.add_report_section("call", "troth", message)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002  (pytest's signature)
    ) -> str:
        """Say what is wrong; how we found out is nobody's business."""
        if isinstance(excinfo.value, FailedCheck | TrothError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say which check it is, for reports."""
        return self.path, None, self.nodeid.partition("::")[2].replace("::", ": ")
