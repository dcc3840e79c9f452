from collections.abc import Iterator

import pytest
from support.warm import IMAGES, Acme

from troth.runners.warm import Limits, WarmRunner

SMALL = Limits(seconds=20, memory_bytes=96 << 20, scratch_file_bytes=4 << 20)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """The distribution ``acme``, installed for the tests of one module."""
    found = Acme(tmp_path_factory.mktemp("site"))
    found.install()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(found.folder)
        yield found


@pytest.fixture(scope="module")
def runner(acme: Acme) -> Iterator[WarmRunner]:
    """A runner with one worker, so that each run follows the one before in the same process."""
    del acme
    with WarmRunner(IMAGES, workers=1, limits=SMALL) as found:
        yield found


@pytest.fixture
def hasty(acme: Acme) -> Iterator[WarmRunner]:
    """A runner that does not wait long, for stages that never end."""
    del acme
    with WarmRunner(IMAGES, workers=1, limits=Limits(seconds=1.0)) as found:
        yield found
