"""``troth test``: check that a bundle does what it says, with no store and no cluster."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from troth.api import Destination
from troth.cli.options import output_option, runner_options
from troth.cli.progress import busy, progress
from troth.cli.reports import console, print_json
from troth.cli.working import serving
from troth.errors import InvalidInputError, Reason
from troth.kit.bench import open_bench
from troth.kit.bundle import Bundle, open_bundle
from troth.kit.crds import load_crds
from troth.kit.examination import Examination, Options
from troth.kit.findings import Finding, Outcome
from troth.kit.junit import junit
from troth.local import load
from troth.runners.warm import Limits

__all__ = ["test"]

_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.NOT_CHECKED: "yellow"}
_DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="BUNDLE...",
)
@click.option(
    "--update",
    is_flag=True,
    help="Write the golden output in expected/ where it differs, and remove what no request makes.",
)
@click.option(
    "--schemas",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="File or folder with CustomResourceDefinitions that rendered objects have to fit; may be "
    "repeated.",
)
@click.option(
    "--destination",
    "destinations",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="File or folder with Destinations that the output is for; may be repeated.  [default: "
    "one that takes everything]",
)
@click.option(
    "--junit",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report as JUnit XML too.",
)
@runner_options
@output_option
def test(  # noqa: PLR0913  (click hands over each option by its name)
    *,
    folders: tuple[Path, ...],
    update: bool,
    schemas: tuple[Path, ...],
    destinations: tuple[Path, ...],
    report: Path | None,
    images: Mapping[str, str],
    stage_timeout: float,
    form: str,
) -> int:
    """Check that each BUNDLE, a folder with promise.yaml, does what it says.

    Its requests are rendered, compared with expected/, rendered again in other conditions and from
    the status they left, and passed through the gates of sync.

    \b
    Examples:
      troth test promises/namespace
      troth test promises/* --junit build/bundles.xml
      troth test promises/namespace --update
      troth test promises/route --schemas gateway-crds.yaml
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with busy("Reading the files"):
        bundles = [open_bundle(folder) for folder in dict.fromkeys(folders)]
        options = Options(update, load_crds(schemas) if schemas else None, _read(destinations))
    with serving(folders, images) as served:
        findings = _examine(bundles, options, served, Limits(seconds=stage_timeout))
    if report is not None:
        _write(report, junit(findings))
    if form == "json":
        print_json("TestReport", [finding.encode() for finding in findings])
    else:
        _print(findings)
    return 1 if any(finding.outcome is Outcome.FAILED for finding in findings) else 0


def _read(paths: Sequence[Path]) -> Mapping[str, Destination]:
    """Return the Destinations in files."""
    if not paths:
        return {}
    inputs = load(paths)
    if inputs.problems:
        raise InvalidInputError(Reason.INVALID_OBJECT, inputs.problems[0].message)
    if not inputs.destinations:
        message = f"there is no Destination in {', '.join(map(str, paths))}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return inputs.destinations


def _examine(
    bundles: Sequence[Bundle], options: Options, images: Mapping[str, str], limits: Limits
) -> list[Finding]:
    total = sum(len(bundle.requests) for bundle in bundles)
    with (
        progress("Testing", total, then="Testing the bundles") as advance,
        open_bench(images, limits) as bench,
    ):
        return [
            finding
            for bundle in bundles
            for finding in Examination(bundle, bench, options).run(advance)
        ]


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        message = f"{error.filename}: this cannot be written: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error


def _print(findings: Sequence[Finding]) -> None:
    """Print a line a check, then what there is to say about those that are not plainly passed."""
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("BUNDLE", "REQUEST", "CHECK", "OUTCOME", "NOTE"):
        table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
    for finding in findings:
        outcome = Text(finding.outcome, style=_COLOURS[finding.outcome])
        told = finding.outcome is Outcome.FAILED or "\n" in finding.message
        note = Text("see below" if told else finding.message, style="dim")
        table.add_row(finding.bundle, finding.request or "-", str(finding.check), outcome, note)
    out.print(table)
    for finding in findings:
        if finding.outcome is Outcome.FAILED or "\n" in finding.message:
            _print_message(finding)
    counts = Counter(finding.outcome for finding in findings)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    out.print(f"{said}.")


def _print_message(finding: Finding) -> None:
    out = console()
    title = f"{finding.outcome}: {finding.bundle}: {finding.title}"
    out.print()
    out.print(Text(title, style=f"bold {_COLOURS[finding.outcome]}"))
    for line in finding.message.splitlines():
        out.print(Text(line, style=_DIFF_COLOURS.get(line[:1], "")))
    out.print()
