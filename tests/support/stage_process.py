"""A stage as the program that its image starts, on folders that a test lays out."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.bundles import containers, input_object, schema_of

from troth.api import Promise, ResourceRequest, dump_documents, load_object

__all__ = ["StageProcess", "load"]

_EARLY = '{"now": "2001-01-01T00:00:00Z", "seed": "00"}'
_LATE = '{"now": "2038-01-19T03:14:08Z", "seed": "ffff"}'

Written = dict[str, dict[str, bytes]]


def load(path: Path) -> dict[str, bytes]:
    """Return path → content of all files below a folder."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }


@dataclass(frozen=True)
class StageProcess:
    """The one stage of a bundle."""

    bundle: Path

    @property
    def promise(self) -> Promise:
        text = (self.bundle / "promise.yaml").read_text()
        return Promise.parse(load_object(text, "promise.yaml"))

    def lay_out(self, root: Path, request: Path, moment: str = "") -> None:
        """Lay out the folders of a run; `moment` is troth.json, which there is not on Kratix."""
        for name in ("input", "output", "metadata"):
            (root / name).mkdir(parents=True)
        parsed = ResourceRequest.parse(load_object(request.read_text(), str(request)))
        source = dump_documents([input_object(parsed, schema_of(self.promise))])
        (root / "input/object.yaml").write_bytes(source)
        if moment:
            (root / "input/troth.json").write_text(moment)

    def run(self, root: Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run it; it gets no other variables than the Promise's and these."""
        (container,) = containers(self.promise)
        places = {"PATH": os.environ["PATH"], "KRATIX_ROOT": str(root)}
        return subprocess.run(
            [sys.executable, "-m", "troth_pipelines", *container.args],
            cwd=cwd,
            env={**places, **container.literals, **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    def on_two_machines(self, request: Path, folder: Path) -> tuple[Written, Written]:
        """Run it for a request on what could be two machines; return what it wrote on each."""
        first, second = folder / "a", folder / "other" / "place"
        self.lay_out(first, request, _EARLY)
        self.lay_out(second, request, _LATE)
        there = {"TZ": "America/Lima", "LANG": "tr_TR.UTF-8", "USER": "somebody"}
        one = self.run(first, first, PYTHONHASHSEED="1", TZ="Asia/Kathmandu", LANG="C")
        other = self.run(second, folder, PYTHONHASHSEED="2", **there)
        assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
        found = [
            {name: load(root / name) for name in ("output", "metadata")} for root in (first, second)
        ]
        return found[0], found[1]
