"""``make image``: build the stage image with what is there, and say what it costs.

Variables of make, or of the environment: BASE_IMAGE, IMAGE_TAG, IMAGE_BUILDER.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from bench import image as measurement
from bench._table import print_rows
from image.contents import PROBE, ROOT, ContentsError, Interpreter, lay_packages, lay_rooms
from image.tools import Tool, ToolError, find_builder, find_runner

from troth import __version__

__all__ = ["default_base", "default_tag"]

_CONTEXT = ROOT / "build" / "image"
_EPOCH = "315532800"  # 1980, the first moment a zip file can hold: the same content, the same image


def default_base() -> str:
    """Return the base image that the Dockerfile names."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    [base] = re.findall(r"^ARG BASE_IMAGE=(\S+)$", dockerfile, flags=re.MULTILINE)
    return str(base)


def default_tag() -> str:
    """Return the image that bundles of this version name."""
    return f"troth-stage:{'.'.join(__version__.split('.')[:2])}"


def _lay_context(interpreter: Interpreter) -> None:
    shutil.rmtree(_CONTEXT, ignore_errors=True)
    packages = _CONTEXT / "site-packages"
    packages.mkdir(parents=True)
    lay_packages(packages, interpreter)
    with tempfile.TemporaryDirectory() as scratch:
        lay_rooms(packages, Path(scratch))


def _build(builder: Tool, base: str, tag: str) -> None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", _EPOCH)
    given = {"BASE_IMAGE": base, "VERSION": __version__, "SOURCE_DATE_EPOCH": epoch}
    arguments = [f"--build-arg={name}={value}" for name, value in given.items()]
    if builder.name != "docker":  # which takes the moment from its environment
        arguments.append(f"--timestamp={epoch}")
    arguments += ["--network=none", "--target=stage", f"--file={ROOT / 'Dockerfile'}"]
    environ = {"SOURCE_DATE_EPOCH": epoch}
    builder.call("build", *arguments, f"--tag={tag}", str(ROOT), environ=environ)


def main() -> int:
    """Build and measure; return the exit code."""
    base = os.environ.get("BASE_IMAGE") or default_base()
    tag = os.environ.get("IMAGE_TAG") or default_tag()
    try:
        builder = find_builder(os.environ.get("IMAGE_BUILDER", ""))
        interpreter = Interpreter.parse(builder.python(base, PROBE))
        _lay_context(interpreter)
        _build(builder, base, tag)
        sys.stdout.write(f"built {tag} with {builder.name}, Python {interpreter.version}\n")
        print_rows(f"{tag} on {base}", measurement.run(find_runner(tag), tag, base))
    except (ContentsError, ToolError) as error:
        sys.stderr.write(f"make image: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
