"""Under CI a skipped test is a failure, unless the machine cannot do what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")


@pytest.mark.parametrize(
    ("reason", "environ", "code"),
    [
        ("no time today", {"CI": "true"}, 1),
        ("platform: no network namespaces", {"CI": "true"}, 0),
        ("no time today", {}, 0),
    ],
)
def test_a_skip_under_ci_needs_a_reason_of_the_platform(
    tmp_path: Path, reason: str, environ: dict[str, str], code: int
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_it.py").write_text(
        f"import pytest\n\ndef test_it() -> None:\n    pytest.skip({reason!r})\n"
    )
    without_ci = {name: value for name, value in os.environ.items() if name != "CI"}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**without_ci, **environ, "PYTHONPATH": str(CONFTEST.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout
