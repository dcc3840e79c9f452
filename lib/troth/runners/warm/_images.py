"""Which installed distribution stands for an image, and what of a pipeline can be honoured."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version

from troth.api import Container, Pipeline, Variable
from troth.errors import NotServedError, Reason
from troth.sdk import stage_entry_points

__all__ = ["Images", "Step"]

# Fields that only matter where images are pulled.
_HARMLESS = frozenset({"imagePullPolicy", "imagePullSecrets"})


@dataclass(frozen=True, slots=True)
class Step:
    """One container of a pipeline, as a stage of a distribution."""

    container: str
    stage: str
    distribution: str
    env: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class _Installed:
    version: str
    stages: frozenset[str]

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that name this version: in full, and by major and minor."""
        short = re.match(r"\d+\.\d+", self.version)
        return (short[0], self.version) if short else (self.version,)


class Images:
    """The images that are served.

    Args:
        patterns: image reference or its last path component, with ``*`` → distribution.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = dict(patterns)
        self._known: dict[str, _Installed | None] = {}

    @property
    def distributions(self) -> tuple[str, ...]:
        """The distributions that images are mapped to."""
        return tuple(sorted(set(self._patterns.values())))

    def steps(self, pipeline: Pipeline) -> tuple[Step, ...]:
        """Return what is to be run for a pipeline.

        Raises:
            NotServedError: an image is not served, a field cannot be honoured, or there is no
                such stage.
        """
        refused = [name for name in pipeline.extras if name not in _HARMLESS]
        if refused:
            raise _field_not_served(f"pipeline {pipeline.name!r}", refused)
        return tuple(self._step(container) for container in pipeline.containers)

    def _step(self, container: Container) -> Step:
        distribution, installed = self._find(container)
        refused = [name for name in container.extras if name not in _HARMLESS]
        if container.command:
            refused = ["command", *refused]
        if refused:
            raise _field_not_served(f"container {container.name!r}", refused)
        if len(container.args) != 1 or container.args[0] not in installed.stages:
            known = ", ".join(sorted(installed.stages)) or "none"
            message = (
                f"container {container.name!r}: args has to be the name of one stage, found "
                f"{list(container.args)}; {distribution} has: {known}."
            )
            raise NotServedError(Reason.STAGE_NOT_FOUND, message)
        return Step(container.name, container.args[0], distribution, container.env)

    def _find(self, container: Container) -> tuple[str, _Installed]:
        """Return the distribution that stands for a container's image."""
        image = container.image
        last = image.rpartition("/")[2]
        if "@" in image:
            raise self._not_served(container, "is named by digest, whose version cannot be told")
        tag = last.rpartition(":")[2] if ":" in last else "latest"
        matching = [
            distribution
            for pattern, distribution in self._patterns.items()
            if fnmatchcase(image, pattern) or fnmatchcase(last, pattern)
        ]
        for distribution in matching:
            installed = self._installed(distribution)
            if installed is not None and tag in installed.tags:
                return distribution, installed
        problem = f"has the tag {tag!r}, which is not installed" if matching else "is not served"
        raise self._not_served(container, problem)

    def _installed(self, distribution: str) -> _Installed | None:
        """Look a distribution up, once: reading metadata takes milliseconds."""
        if distribution not in self._known:
            try:
                found = version(distribution)
            except PackageNotFoundError:
                self._known[distribution] = None
            else:
                stages = frozenset(point.name for point in stage_entry_points(distribution))
                self._known[distribution] = _Installed(found, stages)
        return self._known[distribution]

    def _not_served(self, container: Container, problem: str) -> NotServedError:
        served = "; ".join(self._describe(*pair) for pair in self._patterns.items()) or "nothing"
        message = (
            f"container {container.name!r}: the image {container.image!r} {problem}. Worker "
            f"processes serve: {served}. Use one of these tags, install the version that the "
            f"image has, name the bundle whose folder stage/ holds it, or use a runner that runs "
            f"images."
        )
        return NotServedError(Reason.IMAGE_NOT_SERVED, message)

    def _describe(self, pattern: str, distribution: str) -> str:
        installed = self._installed(distribution)
        if installed is None:
            return f"{pattern} by {distribution}, which is not installed"
        tags = " or ".join(dict.fromkeys(installed.tags))
        return f"{pattern} by {distribution} {installed.version}, tag {tags}"


def _field_not_served(what: str, names: list[str]) -> NotServedError:
    message = (
        f"{what} sets {', '.join(names)}, which worker processes cannot honour. Remove it, or use "
        f"a runner that runs images."
    )
    return NotServedError(Reason.PIPELINE_NOT_SERVED, message)
