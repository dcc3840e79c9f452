"""The hunt after a run of tests: it finds what was planted in each place, and fails the run."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

HEAD = """
import base64, hashlib, logging, shutil, subprocess, sys, tempfile
from pathlib import Path
import pytest
from support.minted import note_secret, sayings
from support.repositories import RECORDS, Remote
from support.sealing import certificate
from troth.sdk.sealing import InProcessSealer, Target

def secret(name):
    "Minted while the test runs, so that no source shows it."
    made = "s3-" + hashlib.sha256(name.encode()).hexdigest()
    if name != "sealed":
        note_secret(name, made)
    return made

"""

PLANTS = {
    "file": ("(tmp_path / 'out.yaml').write_text('a ' + S)", "test_file0/out.yaml"),
    "base64": (
        "(tmp_path / 'a').write_text(base64.b64encode(b'xy' + S.encode() + b'z').decode())",
        "test_base640/a",
    ),
    "name": ("(tmp_path / S).touch()", "test_name0/"),
    "git": (
        """
remote = Remote.create(tmp_path / "store.git")
clone = remote.clone(tmp_path / "clone")
clone.push({"a.yaml": S})
clone.push({"a.yaml": "nothing"})
shutil.rmtree(tmp_path / "clone")
""",
        "test_git0/store.git: Git objects",
    ),
    "record": (
        """
remote = Remote.create(tmp_path / "store.git")
remote.clone(tmp_path / "clone").push({"a.yaml": "b"})
made = remote.git("commit-tree", "-m", "Record " + S, "main^{tree}")
remote.git("update-ref", "refs/heads/" + RECORDS, made)
""",
        "test_record0/store.git: Git objects",
    ),
    "output": ("print(S)", "what was said: test_inner.py::test_output"),
    "log": ("logging.getLogger('troth').warning(S)", "what was said: test_inner.py::test_log"),
    "failure": ("raise ValueError(S.encode().hex())", "what was said: test_inner.py::test_failure"),
    "error": (
        "with pytest.raises(ValueError), sayings('a stage'): raise ValueError(S)",
        "what was said: a stage",
    ),
    "command": ("subprocess.run(['true', S], check=True)", "a command line"),
    "below": (
        """
program = "import subprocess; subprocess.run(['sh', '-c', 'sleep 1; true', input()])"
subprocess.run([sys.executable, '-c', program], input=S, text=True, check=True)
""",
        "a command line",
    ),
    "temporary": ("Path(tempfile.mkdtemp(prefix='troth-'), 'left').write_text(S)", "/left"),
    "sealed": (
        """
sealed = InProcessSealer(certificate()).seal(S.encode(), Target("team", "orders"))
text = f"kind: SealedSecret\\nmetadata: {{name: orders, namespace: team}}\\n"
text += f"spec: {{encryptedData: {{password: {sealed}}}}}\\n"
Remote.create(tmp_path / "store.git").clone(tmp_path / "clone").push({"sealed.yaml": text})
(tmp_path / "b.yaml").write_text(S)
""",
        "test_sealed0/b.yaml",
    ),
}
"""By name: how a secret is planted, and where the hunt says it is."""

HARMLESS = {
    "nothing": "(tmp_path / 'a').write_text('b')",
    "given": "(tmp_path / 'secrets').mkdir(); (tmp_path / 'secrets' / 'key').write_text(S)",
    "marked": "print(S); (tmp_path / 'a').write_text(S)",
}


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended, what it said, and what it left in its temporary folder."""

    code: int
    said: str
    left: tuple[str, ...]

    @property
    def leaks(self) -> list[str]:
        lines = self.said.splitlines()
        return [line.removeprefix("LEAKED: ") for line in lines if line.startswith("LEAKED: ")]


def run(folder: Path, bodies: dict[str, str]) -> Ended:
    """Run a test for each body, with the hunt after it."""
    inner, temporary = folder / "inner", folder / "tmp"
    inner.mkdir()
    temporary.mkdir()
    tests = ""
    for name, body in bodies.items():
        mark = "@pytest.mark.plants_leaks\n" if name == "marked" else ""
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        tests += f"{mark}def test_{name}(tmp_path):\n    S = secret('{name}')\n{lines}\n"
    (inner / "test_inner.py").write_text(HEAD + tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "support.leak_hunt", "-c", "/dev/null"]
    places = [f"--rootdir={inner}", f"--basetemp={folder / 'base'}", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *places, str(inner)],
        cwd=inner,
        env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    left = tuple(sorted(path.name for path in temporary.iterdir()))
    return Ended(done.returncode, done.stdout + done.stderr, left)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    bodies = {name: body for name, (body, _) in PLANTS.items()}
    return run(tmp_path_factory.mktemp("planted"), bodies)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run(tmp_path_factory.mktemp("harmless"), HARMLESS)


@pytest.mark.parametrize("name", PLANTS)
def test_what_was_planted_is_found(planted: Ended, name: str) -> None:
    title = "a value of team/orders" if name == "sealed" else name
    of_it = [one for one in planted.leaks if one.startswith(f"{title} ")]

    assert any(PLANTS[name][1] in one for one in of_it), planted.said


def test_a_find_fails_a_run_whose_tests_pass(tmp_path: Path) -> None:
    ended = run(tmp_path, {"file": PLANTS["file"][0]})

    assert ended.code == 1
    assert "1 passed" in ended.said


def test_the_report_of_a_leak_does_not_show_it(planted: Ended) -> None:
    shown = [line for line in planted.said.splitlines() if line.startswith(("LEAKED", "leak hunt"))]

    assert len(shown) > len(PLANTS)
    assert "s3-" not in "".join(shown)


def test_what_was_given_and_what_is_planted_on_purpose_is_no_leak(harmless: Ended) -> None:
    assert harmless.code == 0, harmless.said
    assert harmless.leaks == []
    assert "3 secrets" in harmless.said


def test_no_note_is_left(planted: Ended, harmless: Ended) -> None:
    assert [one for one in planted.left if not one.startswith("troth-")] == []
    assert harmless.left == ()
