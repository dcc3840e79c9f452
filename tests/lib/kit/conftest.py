"""The workshop in which tests of the kit write bundles, and the bench that runs their stages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.workshop import IMAGES, Workshop

from troth.kit.bench import Bench, open_bench
from troth.runners.warm import Limits


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Runners of the stages of ``craft``, which is installed for the tests of one module."""
    installed = Workshop(tmp_path_factory.mktemp("craft"))
    installed.install()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed.site)
        with open_bench({**IMAGES, "troth-stage:*": "troth"}, Limits(seconds=20)) as found:
            yield found


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An empty folder for bundles."""
    return Workshop(tmp_path)
