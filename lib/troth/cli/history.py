"""``troth history``: what became of a request, commit by commit."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from rich.table import Table
from rich.text import Text

from troth.api import Json, RequestKey
from troth.cli.diffs import plain, print_diffs, unified
from troth.cli.looking import OneRequest, find, one_request_options
from troth.cli.progress import busy
from troth.cli.reports import console, print_json
from troth.engine import FileChange, Spot
from troth.engine.history import Past, Step
from troth.errors import InvalidInputError, Reason
from troth_statestore import FileStep

__all__ = ["history"]

_BY_HAND = "(not by Troth)"


@click.command()
@one_request_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The newest N commits only.")
@click.option("--commit", metavar="COMMIT", help="This commit only; the beginning of it will do.")
@click.option("--diff", is_flag=True, help="Show how the files changed.")
def history(
    *, which: OneRequest, form: str, limit: int | None, commit: str | None, diff: bool
) -> int:
    """Show the commits that changed the files of a request, or of a Promise, newest first.

    Commits that somebody else made show as well. Destinations and GitStateStores in PATH... tell of
    several stores. A request that is gone is found by -n and --promise.

    \b
    Examples:
      troth history payments-dev -n default -s build/fleet.git
      troth history namespace/payments-dev -s build/fleet.git --limit 3 --diff
      troth history payments-dev -s build/fleet.git --commit 1a2b3c4d --diff -o json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with which.looking() as looked, busy("Reading the history"):
        past = looked.past
        key = find(looked.ledger, which, gone=True)
        told = _told(past, past.of(key, limit=limit, until=commit), diff=diff)
        if not told and not looked.ledger.knows(key):
            message = (
                f"the state store knows no {key}, and no commit is of it; is it spelled right?"
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if form == "json":
        print_json("HistoryReport", [_as_json(key, one) for one in told])
    elif not told:
        console().print(f"No commit changed a file of {key}.")
    elif diff or commit is not None:
        _print_each(told)
    else:
        _print_table([one.step for one in told])
    return 0


@dataclass(frozen=True, slots=True)
class _Told:
    """A commit, and how each of its files changed, where that is asked for."""

    step: Step
    changes: tuple[FileChange, ...] | None


def _told(past: Past, steps: Sequence[Step], *, diff: bool) -> list[_Told]:
    if not diff:
        return [_Told(step, None) for step in steps]
    wanted: dict[str, set[str]] = {}
    for step in steps:
        digests = (digest for file in step.commit.files for digest in (file.before, file.after))
        wanted.setdefault(step.store, set()).update(filter(None, digests))
    read = {store: past.histories[store].contents(some) for store, some in wanted.items()}
    return [
        _Told(step, tuple(_change(step, file, read[step.store]) for file in step.commit.files))
        for step in steps
    ]


def _change(step: Step, file: FileStep, read: Mapping[str, bytes]) -> FileChange:
    return FileChange(
        Spot(step.store, file.path), _content(read, file.before), _content(read, file.after)
    )


def _content(read: Mapping[str, bytes], digest: str | None) -> bytes | None:
    if digest is None:
        return None
    return read.get(digest, b"(no file, but another repository)\n")


def _date(step: Step) -> str:
    # A person may have set any date, even one that no calendar has.
    try:
        return datetime.fromtimestamp(step.commit.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"@{step.commit.seconds}"


def _action(file: FileStep) -> str:
    if file.before is None:
        return "added"
    return "removed" if file.after is None else "changed"


def _as_json(key: RequestKey, told: _Told) -> dict[str, Json]:
    step = told.step
    files: list[Json] = [
        {"path": str(Spot(step.store, file.path)), "action": _action(file)}
        for file in step.commit.files
    ]
    spelled: dict[str, Json] = {
        **key._asdict(),
        "revision": step.commit.revision,
        "date": _date(step),
        "author": plain(step.commit.author),
        "subject": plain(step.commit.subject),
        "byTroth": bool(step.receipt),
        "generation": step.generation,
        "promiseVersion": step.promise_version,
        "output": step.receipt.get("Troth-Output"),
        "files": files,
    }
    if told.changes is not None:
        spelled["diff"] = "\n".join(map(unified, told.changes))
    return spelled


def _print_table(steps: Sequence[Step]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    out = console()
    for heading in ("COMMIT", "DATE", "AUTHOR", "GENERATION", "PROMISE", "FILES", "SUBJECT"):
        table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
    for step in steps:
        counts = Counter(map(_action, step.commit.files))
        generation = "-" if step.generation is None else str(step.generation)
        table.add_row(
            step.commit.revision[:12],
            _date(step),
            Text(plain(step.commit.author.partition(" <")[0])),
            generation,
            Text(plain(step.promise_version or "-")),
            ", ".join(f"{counts[action]} {action}" for action in sorted(counts)) or "-",
            Text(_subject(step), style="" if step.receipt else "yellow"),
        )
    out.print(table)


def _subject(step: Step) -> str:
    subject = plain(step.commit.subject)
    return subject if step.receipt else f"{subject} {_BY_HAND}"


def _print_each(told: Iterable[_Told]) -> None:
    out = console()
    for one in told:
        step = one.step
        out.print(Text(f"commit {step.commit.revision}", style="bold"))
        out.print(Text(f"{_date(step)} by {plain(step.commit.author)}"))
        out.print(Text(_subject(step)))
        if step.generation is not None:
            version = plain(step.promise_version or "-")
            out.print(Text(f"generation {step.generation}, Promise {version}"))
        for file in step.commit.files:
            out.print(Text(f"  {_action(file)} {plain(str(Spot(step.store, file.path)))}"))
        print_diffs(one.changes or ())
        out.print()
