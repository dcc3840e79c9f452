"""The programs that build and run images: docker, podman and buildah, whichever is there.

Their own settings are honoured (CONTAINERS_CONF, STORAGE_DRIVER, BUILDAH_ISOLATION, DOCKER_HOST and
so on); nothing of a machine is set here.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUILDERS", "RUNNERS", "Tool", "ToolError", "find_builder", "find_runner"]

BUILDERS = ("docker", "podman", "buildah")
RUNNERS = ("docker", "podman")

_LOCKED = (
    "--rm",
    "--network=none",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--security-opt=label=disable",  # where SELinux is on, a mounted folder is not the container's
)


class ToolError(Exception):
    """A program is missing, or failed; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One of the programs, found and answering."""

    name: str

    def call(self, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
        """Run it; return what it wrote to standard output.

        Raises:
            ToolError: it failed.
        """
        done = _run([self.name, *arguments], environ)
        if done.returncode != 0:
            message = f"{self.name} {arguments[0]} failed:\n{(done.stdout + done.stderr).strip()}"
            raise ToolError(message)
        return done.stdout

    def has(self, image: str) -> bool:
        """Tell whether an image is in its store."""
        return _run([self.name, "image", "inspect", image]).returncode == 0

    def inspect(self, image: str, template: str) -> str:
        """Return what a Go template makes of the description of an image."""
        return self.call("image", "inspect", f"--format={template}", image).strip()

    def python(self, image: str, code: str) -> str:
        """Run Python code in a container of any image; return what it prints."""
        if self.name != "buildah":
            run = ("run", "--rm", "--network=none", "--user=0:0", "--entrypoint=python3")
            return self.call(*run, image, "-c", code)
        container = self.call("from", image).strip()
        try:
            return self.call("run", container, "--", "python3", "-c", code)
        finally:
            self.call("rm", container)

    def run(
        self,
        image: str,
        arguments: Sequence[str],
        *,
        root: Path | None = None,
        environ: Mapping[str, str] | None = None,
        entrypoint: str | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a container that can do nothing but read its image and write below its mounts.

        Args:
            image: what to run.
            arguments: of its entry point.
            root: holds ``input``, ``output`` and ``metadata`` of the file contract.
            environ: the container's variables.
            entrypoint: what to run instead of the image's own.
        """
        command = [self.name, "run", *_LOCKED]
        if self.name == "podman":
            command.append("--read-only-tmpfs=false")  # or /tmp and others could be written
        if entrypoint is not None:
            command.append(f"--entrypoint={entrypoint}")
        command += [f"--env={name}={value}" for name, value in (environ or {}).items()]
        if root is not None:
            command.append(f"--volume={root}/input:/kratix/input:ro")
            command += [f"--volume={root}/{n}:/kratix/{n}" for n in ("output", "metadata")]
        return _run([*command, image, *arguments])


def find_builder(name: str = "") -> Tool:
    """Return the first program that can build images, or the one that is asked for.

    Raises:
        ToolError: it is not there, or does not answer.
    """
    names = (name,) if name else BUILDERS
    for candidate in names:
        if shutil.which(candidate) and _run([candidate, "info"]).returncode == 0:
            return Tool(candidate)
    message = (
        f"an image needs {' or '.join(names)}, and no such program is here and answers; "
        "install one, or start the service it needs."
    )
    raise ToolError(message)


def find_runner(image: str) -> Tool:
    """Return the program that can run an image which was built here.

    Raises:
        ToolError: none has it.
    """
    for candidate in RUNNERS:
        if shutil.which(candidate) and Tool(candidate).has(image):
            return Tool(candidate)
    message = f"neither {' nor '.join(RUNNERS)} has the image {image}; build it with: make image"
    raise ToolError(message)


def _run(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
