"""A repository whose writers are killed, one after the other, and what has to hold whenever it was.

A writer is killed with all that it has started, as a machine or a container ends, or alone, as the
kernel does when memory runs out: then its git goes on without it, beside the next writer's.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from support.drill_ways import Reached
from support.drill_writer import LAST, SHARED_FILE, content_of
from support.drills import Mark, committed_steps, steps_in
from support.repositories import RECORDS, OpenStore, Remote
from support.signing_keys import Key, signed_by

from troth_statestore import ChangeSet
from troth_statestore.git import GitSettings, KeyFile

__all__ = ["Drill"]

_TESTS = Path(__file__).parent.parent
_OLD = 2  # requests that are there at first, and are to be removed
_GIVEN_UP = 120  # seconds until a writer that hangs fails its test

# What a git that was killed leaves in a repository.
_UNFINISHED = ("tmp_*", ".tmp-*", "*.lock")

# Stands before git on the writer's PATH, counts the commands, and kills before one of them. When
# the writer alone is killed, that command is done all the same.
_COUNTING_GIT = """\
#!/bin/sh
number=$(($(cat {folder}/commands) + 1))
echo $number > {folder}/commands
[ $number = {fatal} ] && kill -9 {whom}$(cat {writer})
exec {git} "$@"
"""


@dataclass
class Drill:
    """One repository, reached in one way, and all receipts that writers were seen to get.

    `folder` holds the writers' cache and temporary files; `key` is what they sign with; with
    `shared` all lies in one file.
    """

    remote: Remote
    folder: Path
    reached: Reached
    requests: int
    key: Key | None = None
    shared: bool = False
    goal: int = LAST
    receipts: list[dict[str, str | None]] = field(default_factory=list)
    _outlived: bool = False

    def __post_init__(self) -> None:
        """Make the folders that writers are given."""
        for folder in (self.temporary, self._programs):
            folder.mkdir(parents=True)

    @property
    def temporary(self) -> Path:
        """Where writers put temporary files."""
        return self.folder / "tmp"

    @property
    def cache(self) -> Path:
        """Where writers keep what they fetched."""
        return self.folder / "cache"

    @property
    def mark(self) -> Mark:
        """What all processes of this drill bear."""
        return Mark(str(self.folder))

    @property
    def _programs(self) -> Path:
        return self.folder / "bin"

    @property
    def _writer(self) -> Path:
        return self.remote.folder / "writer"

    def begin(self, open_store: OpenStore) -> None:
        """Write the requests that are to be removed."""
        signing = None if self.key is None else KeyFile(self.key.file)
        open_store(settings=GitSettings(signing_key=signing)).commit([
            ChangeSet(key, None, content_of(key, 1, shared=self.shared), record=b"1",
                      trailers=(("Troth-Request", key), ("Troth-Generation", "1")))
            for key in (f"old{number}" for number in range(_OLD))
        ])  # fmt: skip

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a writer; it has opened nothing yet."""
        path = f"{self._programs}:{os.environ['PATH']}"
        places = {"PATH": path, "PYTHONPATH": str(_TESTS), "TMPDIR": str(self.temporary)}
        writer = subprocess.Popen(
            [
                *(sys.executable, "-m", "support.drill_writer"),
                *(self.reached.url, str(self.cache), str(self.requests), str(self.goal)),
                *(*self.reached.options, *self._options(), *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **places, **self.mark.environ},
            start_new_session=True,
        )
        self._writer.write_text(str(writer.pid))
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        return writer

    def end(self, writer: subprocess.Popen[str]) -> bool:
        """Wait for a writer's end, and keep what it said; tell whether it was killed."""
        said, _ = writer.communicate(timeout=_GIVEN_UP)
        # The last line may have been cut off.
        self.receipts += [json.loads(line) for line in said.splitlines() if line.endswith("}")]
        assert writer.returncode in {0, -signal.SIGKILL}
        return writer.returncode != 0

    def is_killed_after(self, seconds: float, *, alone: bool) -> bool:
        """Let a writer work for some time; tell whether it was killed before it was done."""
        self._outlived |= alone
        writer = self.start()
        try:
            writer.wait(seconds)
        except subprocess.TimeoutExpired:
            (os.kill if alone else os.killpg)(writer.pid, signal.SIGKILL)
        return self.end(writer)

    def is_killed_before(self, command: int, *, alone: bool) -> bool:
        """Let a writer do one step; tell whether it was killed before a command of git, by number.

        It is not when it needs fewer of them.
        """
        self.mark.wait()  # what is done after a writer's death may be all that was to do
        if self.remote.files(RECORDS) == self._records():
            self.goal += 1
        (self.folder / "commands").write_text("0")
        program = self._programs / "git"
        program.write_text(
            _COUNTING_GIT.format(
                folder=self.folder,
                fatal=command,
                whom="" if alone else "-",
                writer=self._writer,
                git=shutil.which("git"),
            )
        )
        program.chmod(0o755)
        try:
            return self.end(self.start())
        finally:
            program.unlink()

    def check_receipts(self) -> None:
        """Check that each receipt is of a commit that is there and is what it says."""
        history = self.remote.git("rev-list", "main").split() if self.remote.has("main") else []
        for receipt in self.receipts:
            if self._outlived and receipt["outcome"] == "stale":
                continue  # what was done after a writer's death was done beneath the next
            assert receipt["outcome"] == "written"
            assert receipt["revision"] in history
            told = self.remote.git("log", "-1", "--format=%B", str(receipt["revision"]))
            assert (receipt["key"], receipt["generation"]) in steps_in(told)

    def check_done(self) -> None:
        """Check that the store holds what was asked for, each step of it committed once."""
        assert self.remote.files() == self._files()
        assert self.remote.files(RECORDS) == self._records()
        steps = range(1, self.goal + 1)
        expected = {(f"r{n}", str(g)): 1 for n in range(self.requests) for g in steps}
        expected |= {(f"old{n}", str(g)): 1 for n in range(_OLD) for g in (1, 2)}
        assert committed_steps(self.remote) == expected
        assert not self.remote.git("rev-list", "--min-parents=2", "main")
        if self.key is not None:
            for branch in ("main", RECORDS):
                assert set(signed_by(self.remote, branch, self.key)) == {True}

    def finish(self) -> None:
        """Let a writer that nobody disturbs do what is left, and check everything."""
        assert not self.end(self.start())
        self.mark.wait()
        self.check_receipts()
        self.check_done()
        assert not self.end(self.start())  # and nothing is left for another
        self.check_done()
        assert not list(self.temporary.iterdir())
        left = [path for kind in _UNFINISHED for path in self.cache.rglob(kind)]
        assert not left

    def _options(self) -> list[str]:
        shared = ["shared"] if self.shared else []
        return shared if self.key is None else [*shared, f"signed={self.key.file}"]

    def _files(self) -> dict[str, str]:
        content = {
            path: text.decode()
            for number in range(self.requests)
            for path, text in content_of(f"r{number}", self.goal).items()
        }
        if not self.shared:
            return {path: text.removesuffix("\n") for path, text in content.items()}
        parts = (f"# troth.dev/piece: {path}\n{content[path]}" for path in sorted(content))
        return {SHARED_FILE: "---\n".join(parts).removesuffix("\n")}

    def _records(self) -> dict[str, str]:
        return {f"r{number}": str(self.goal) for number in range(self.requests)}
