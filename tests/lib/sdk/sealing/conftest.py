"""Both sealers, the real kubeseal among them."""

from pathlib import Path

import pytest
from support.sealing import certificate
from support.tools import require

from troth.sdk.sealing import InProcessSealer, KubesealSealer, Sealer


@pytest.fixture(scope="session")
def kubeseal() -> Path:
    """Return the real program."""
    return require("kubeseal")


@pytest.fixture(params=["in process", "kubeseal"])
def sealer(request: pytest.FixtureRequest) -> Sealer:
    """Return each of the twins, with the certificate of the tests."""
    if request.param == "in process":
        return InProcessSealer(certificate())
    return KubesealSealer(certificate(), request.getfixturevalue("kubeseal"))
