"""The examination of a bundle: every check, made once, in the order of reports."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from troth.api import Destination
from troth.kit.bench import Bench
from troth.kit.bundle import Bundle
from troth.kit.bundle_checks import LOOKS
from troth.kit.case import Case, Setting
from troth.kit.crds import Crds
from troth.kit.findings import BUNDLE_CHECKS, Check, Finding, Outcome
from troth.kit.rehearsal import Rehearsal
from troth.kit.request_checks import attempt, checks_of, examine_case

__all__ = ["Examination", "Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of an examination.

    Attributes:
        update: write golden output where it differs, and remove what no request makes.
        crds: schemas that rendered objects have to fit.
        destinations: where output may go, by name; anywhere when there is none.
    """

    update: bool = False
    crds: Crds | None = None
    destinations: Mapping[str, Destination] = field(default_factory=dict[str, Destination])


class Examination:
    """Makes the checks of one bundle, each request once; used by one thread.

    Attributes:
        setting: what requests are examined with, None when the Promise cannot be read.

    Args:
        bundle: what is examined.
        bench: runs its stages.
        options: what is asked.
    """

    def __init__(self, bundle: Bundle, bench: Bench, options: Options) -> None:
        self._bundle = bundle
        self._bench = bench
        self._cases: dict[str, tuple[Case, list[Finding]]] = {}
        self.setting: Setting | None = None
        if bundle.promise is not None:
            self.setting = Setting(
                bundle=bundle.name,
                promise=bundle.promise,
                bench=bench,
                rehearsal=Rehearsal(bundle.promise, options.destinations),
                expected=bundle.expected,
                update=options.update,
                crds=options.crds,
                specs=tuple(one.request.spec for one in bundle.requests),
            )

    @property
    def bundle_checks(self) -> Sequence[Check]:
        """The checks that are made of the bundle as a whole."""
        if self.setting is None:
            return (Check.BUNDLE,)
        promise = self.setting.promise
        own = promise.has_own_output or promise.requires
        return [check for check in BUNDLE_CHECKS if own or check is not Check.PROMISE]

    @property
    def request_checks(self) -> Sequence[Check]:
        """The checks that are made of each request."""
        return () if self.setting is None else checks_of(self.setting)

    def of_request(self, name: str) -> list[Finding]:
        """Return the findings on one request."""
        self._examine([name], lambda: None)
        return self._cases[name][1]

    def of_bundle(self) -> list[Finding]:
        """Return the findings on the bundle as a whole, for which every request is examined."""
        name, setting = self._bundle.name, self.setting
        if setting is None:
            problems = "\n".join(self._bundle.problems)
            return [Finding(name, None, Check.BUNDLE, Outcome.FAILED, problems)]
        self._examine([one.request.name for one in self._bundle.requests], lambda: None)
        cases = [case for case, _ in self._cases.values()]
        findings: list[Finding] = []
        for check in self.bundle_checks:
            outcome, message = attempt(partial(LOOKS[check], self._bundle, setting, cases))
            findings.append(Finding(name, None, check, outcome, message))
        return findings

    def run(self, progress: Callable[[], None] = lambda: None) -> list[Finding]:
        """Make every check; `progress` is called once for each request that is done."""
        if self.setting is None:
            return self.of_bundle()
        names = [one.request.name for one in self._bundle.requests]
        self._examine(names, progress)
        return [*self.of_bundle(), *(one for name in names for one in self._cases[name][1])]

    def _examine(self, names: Sequence[str], progress: Callable[[], None]) -> None:
        """Examine the requests that were not yet, several at once."""
        setting = self.setting
        wanted = [one for one in self._bundle.requests if one.request.name in names]
        new = [one for one in wanted if one.request.name not in self._cases]
        if setting is None or not new:
            return
        with ThreadPoolExecutor(self._bench.usual.parallelism) as pool:
            for case, findings in pool.map(partial(examine_case, setting), new):
                self._cases[case.name] = case, findings
                progress()
