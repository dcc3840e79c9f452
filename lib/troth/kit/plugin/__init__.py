"""The pytest plugin: ``pytest --troth promises/`` collects bundles, and their checks as tests.

Without ``--troth`` it does nothing. pytest loads it into every run of whoever has Troth installed,
so this module imports pytest alone; what collects bundles is imported where they are asked for.
"""

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options, each of which begins with ``--troth``."""
    group = parser.getgroup("troth", "bundles of Troth")
    group.addoption("--troth", action="store_true", help="Test bundles: folders with promise.yaml.")
    group.addoption(
        "--troth-examples",
        type=int,
        default=25,
        metavar="N",
        help="Random requests that each of a bundle's two properties is tried with (default: 25).",
    )
    group.addoption(
        "--troth-image",
        action="append",
        default=[],
        metavar="PATTERN=PACKAGE",
        help="Serve images that match PATTERN by the stages of an installed package.",
    )
    group.addoption(
        "--troth-schemas",
        action="append",
        default=[],
        metavar="PATH",
        help="File or folder with CustomResourceDefinitions that rendered objects have to fit.",
    )
    group.addoption(
        "--troth-stage-timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="How long a stage may run (default: 60).",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load what collects bundles, where they are to be tested; pytest configures it at once."""
    if not config.option.troth:
        return
    # Here, and not above: it takes longer to import than pytest does.
    from troth.kit.plugin import _bundles  # noqa: PLC0415

    config.pluginmanager.register(_bundles, "troth-bundles")
