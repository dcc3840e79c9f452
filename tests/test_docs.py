"""The documents run: every block of README and docs is executed, parsed or compared."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from troth.api import Destination, GitStateStore, Promise, load_documents
from troth.engine import Record
from troth.errors import Reason

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
KNOWN = {"console", "json", "python", "sh", "text", "yaml"}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?:^\|.*\n?)+", re.MULTILINE)
_FAILING = {"build/bad.git"}  # stores whose commands are meant to fail

# How a variable is read: an option's, or by name.
_READ = re.compile(r'envvar="(\w+)"|(?:"--[-a-z]+",\s+|environ\.get\()"(TROTH_\w+)"')


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    return [
        Block(page, page.read_text().count("\n", 0, found.start()) + 1, found[1], found[2])
        for page in PAGES
        for found in _BLOCK.finditer(page.read_text())
        if not languages or found[1] in languages
    ]


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in blocks()} <= KNOWN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_row_of_a_table_stands_twice(page: Path) -> None:
    for table in _TABLE.findall(page.read_text()):
        rows = Counter(row.split(" | ")[0] for row in table.splitlines() if row[:3] != "| |")

        assert [row for row, times in rows.items() if times > 1] == []


def pattern(expected: str) -> re.Pattern[str]:
    """Expected output as a pattern: ``...`` stands for anything."""
    lines = [
        ".*" if line == "..." else ".*".join(re.escape(part) for part in line.split("..."))
        for line in expected.strip().splitlines()
    ]
    return re.compile(r"\s*" + r"\n".join(lines).replace(r".*\n", r"(?:.*\n)?") + r"\s*", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    (tmp_path / "promises").symlink_to(ROOT / "promises")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in blocks("console"):
        if block.page != page:
            continue
        for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")

            result = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )

            said = result.stderr + result.stdout
            assert pattern(expected).fullmatch(said), f"{block}: {command}\n{said}"
            failing = any(store in command for store in _FAILING)
            assert result.returncode == (1 if failing else 0), f"{block}: {command}\n{said}"


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_the_make_targets_of_a_page_are_those_that_the_ci_runs(block: Block) -> None:
    targets = re.findall(r"^make (\w+)", block.text, flags=re.MULTILINE)

    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        assert f"make {target}" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_of_a_page_is_read_by_the_views(block: Block) -> None:
    views = {
        "Promise": Promise.parse,
        "Destination": Destination.parse,
        "GitStateStore": GitStateStore.parse,
    }

    for document in load_documents(block.text, str(block)):
        views[str(document.data["kind"])](document.data)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_of_a_page_runs(block: Block) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", block.text], check=True, timeout=60)


def troth(tmp_path: Path, *arguments: str) -> str:
    """Run the command in a folder with the promises, and return what it prints."""
    if not (tmp_path / "promises").exists():
        (tmp_path / "promises").symlink_to(ROOT / "promises")
    command = [str(Path(sys.executable).parent / "troth"), *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout


MINIMAL = ("promises/namespace/promise.yaml", "promises/namespace/resource-request-minimal.yaml")


def test_the_record_of_the_contract_is_the_one_that_is_written(tmp_path: Path) -> None:
    [text] = [b.text for b in blocks("json") if json.loads(b.text)["kind"] == "Record"]
    troth(tmp_path, "sync", *MINIMAL, "-s", "dir:store")
    [written] = (tmp_path / "store").glob(".troth/records/requests/*/default/namespace/*.yaml")

    published = Record.decode(text.encode(), "requests/51/default/namespace/minimal.yaml")

    changing = {"promiseDigest", "inputDigest", "outputDigests", "roots"}  # of here and now
    expected = {k: v for k, v in json.loads(written.read_text()).items() if k not in changing}
    assert {k: v for k, v in json.loads(text).items() if k not in changing} == expected
    assert published.encode().decode() == text


def test_the_report_of_the_contract_is_the_one_that_is_printed(tmp_path: Path) -> None:
    [text] = [b.text for b in blocks("json") if json.loads(b.text)["kind"] == "SyncReport"]

    printed = json.loads(troth(tmp_path, "sync", *MINIMAL, "-s", "fleet.git", "-o", "json"))

    expected = json.loads(text)
    for name in ("revision", "tree"):
        printed["items"][0][name] = expected["items"][0][name]
    assert printed == expected


def test_every_reason_stands_in_the_page_of_errors_and_no_other() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()

    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE) == sorted(Reason)


def test_every_reason_is_given_somewhere() -> None:
    rooms = ("lib", "pipelines", "statestore")
    code = "".join(path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py"))

    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in code] == []


def test_every_environment_variable_that_is_read_is_documented() -> None:
    read = {
        name
        for path in (ROOT / "lib" / "troth").rglob("*.py")
        for found in _READ.finditer(path.read_text())
        for name in filter(None, found.groups())
    }

    page = (ROOT / "docs" / "operations.md").read_text()

    assert {name for name in read if f"`{name}`" not in page} == set()
