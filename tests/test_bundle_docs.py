"""The READMEs of bundles run: commands are executed, requests are held to the schema."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles import bundles, schema_of
from support.workspace import ROOT
from test_docs import pattern

from troth.api import Destination, Fields, Promise, load_object, load_values
from troth.api.documents import load_documents

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(bundle: Path, language: str) -> list[str]:
    text = (bundle / "README.md").read_text(encoding="utf-8")
    return [found[2] for found in _BLOCK.finditer(text) if found[1] == language]


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_the_commands_of_a_bundle_do_what_it_says(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "promises").symlink_to(ROOT / "promises")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for step in re.split(r"^\$ ", "".join(blocks(bundle, "console")), flags=re.MULTILINE)[1:]:
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
        assert pattern(expected).fullmatch(said), f"{command}\n{said}"
        assert result.returncode == 0, f"{command}\n{said}"


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_the_yaml_of_a_bundle_is_what_it_says(bundle: Path) -> None:
    promise = Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))
    assert promise.api is not None
    for text in blocks(bundle, "yaml"):
        assert load_values(text, "README.md")
        for document in load_documents(text, "README.md"):
            kind = document.data.get("kind")
            if kind == promise.api.kind:
                spec = Fields(document.data).mapping("spec")
                assert schema_of(promise).violations(spec) == []
            if kind == "Destination":
                Destination.parse(document.data)
