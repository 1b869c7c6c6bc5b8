"""What the verbs share: options, documents, progress bars."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from dieindex.api import DEVICES, Index, find_index
from dieindex.commands.notes import is_quiet, keep_quiet, say, warn
from dieindex.records import SIDES, Progress, SheetReading, Side, Verdict
from dieindex.text import json_for_screen

Function = TypeVar("Function", bound=Callable[..., Any])

ENGINE_VARIABLE = "DIEINDEX_ENGINE"

STEPS: Mapping[str, tuple[str, str]] = {
    "cropping": ("Cropping", "pictures"),
    "aligning": ("Aligning", "faces"),
    "encoding": ("Encoding", "faces"),
    "refining": ("Refining", "faces"),
    "describing": ("Describing", "faces"),
    **{f"{side}: local features": (f"Looking at {side}s", "faces") for side in SIDES},
    **{f"{side}: seeking pairs": (f"Seeking {side}s", "faces") for side in SIDES},
    **{f"{side}: sifting pairs": (f"Sifting {side}s", "pairs") for side in SIDES},
    **{f"{side}: aligning pairs": (f"Aligning {side}s", "pairs") for side in SIDES},
    **{side: (f"Verifying {side}s", "pairs") for side in SIDES},
    "study": ("Writing", "files"),
    "drawing": ("Drawing", "pictures"),
    "dies": ("Engraving", "dies"),
    "coins": ("Striking", "coins"),
}
"""Labels and units of all steps that the library tells of."""


def index_option(function: Function) -> Function:
    return click.option(
        "--index",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="The index [default: $DIEINDEX_INDEX, else the last one built below ./indexes].",
    )(function)


def engine_option(function: Function) -> Function:
    return click.option(
        "--engine",
        metavar="URL",
        envvar=ENGINE_VARIABLE,
        help="A Dask cluster that does the work, dask://HOST:PORT [default: this machine].",
    )(function)


def labels_option(function: Function) -> Function:
    return click.option(
        "--labels",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The sheet of coins and dies: a workbook or text [default: the collection's].",
    )(function)


def sheet_options(function: Function) -> Function:
    """Which columns, and which sheet of a workbook, where dieindex does not find them itself."""
    function = click.option(
        "--sheet",
        metavar="NAME",
        help="The sheet of a workbook to read [default: the first fitting].",
    )(function)
    return click.option(
        "--columns",
        metavar="WHICH",
        help="What the columns hold, by name or number: coin=NAME,obverse=NAME,reverse=NAME; also "
        "die, file, side, count. An empty NAME is none.",
    )(function)


def reading_document(reading: SheetReading | None) -> dict[str, Any] | None:
    """How a sheet was read, for ``--json``."""
    if reading is None:
        return None
    return {
        "file": reading.file,
        "sheet": reading.sheet or None,
        "columns": dict(reading.columns),
        "header": reading.header,
        "rows": reading.rows,
        "passed_over": [
            {"reason": reason, "rows": list(rows)} for reason, rows in reading.passed_over.items()
        ],
    }


def calibrate_option(function: Function) -> Function:
    return click.option(
        "--calibrate",
        is_flag=True,
        help="Learn from the sheet how likely a distance means one die; each pair is judged by "
        "what other dies taught.",
    )(function)


def side_option(
    required: bool = False, both: bool = False, text: str = ""
) -> Callable[[Function], Function]:
    choices = [*SIDES, "both"] if both else [*SIDES]
    return click.option(
        "--side", type=click.Choice(choices, case_sensitive=False), required=required, help=text
    )


def device_option(
    text: str = "Where the network runs [auto].",
) -> Callable[[Function], Function]:
    return click.option("--device", type=click.Choice(DEVICES), default="auto", help=text)


def no_verify_option(function: Function) -> Function:
    return click.option(
        "--no-verify", is_flag=True, help="Do not look at details; rest on the vectors alone."
    )(function)


def force_option(function: Function) -> Function:
    return click.option(
        "--force",
        is_flag=True,
        help="Write over a file that dieindex did not write (never one of the collection, nor what "
        "was read).",
    )(function)


def json_option(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(
        function
    )


def quiet_option(function: Function) -> Function:
    """``--quiet`` works before and behind the verb."""

    def take(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            keep_quiet()

    return click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=take,
        help="Say nothing but results and errors.",
    )(function)


def print_json(document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    click.echo(json_for_screen(text))


def open_index(
    folder: Path | None,
    engine: str | None = None,
    *,
    verifies: bool = True,
    sorts: bool = False,
    writes: bool = False,
) -> Index:
    """The index a verb works on; how it was chosen is said on standard error. A verb that does not
    verify needs no encoder; one that ``sorts`` all coins waits for no build, and one that
    ``writes`` them takes nothing from an index that is not whole (IndexFolderError)."""
    found, note = find_index(folder)
    if note:
        say(note)
    index = Index(found, engine)
    if writes:
        index.check_whole()
    elif sorts:
        index.check_idle()
    if index.unfinished is not None:
        warn(index.unfinished)
    if verifies and index.unverified is not None:
        warn(index.unverified)
    return index


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """One bar after the other, a step each, with its rate and the time left; on a terminal only,
    and not with ``--quiet``."""
    if is_quiet() or not sys.stderr.isatty():
        yield _no_progress
        return
    width = max(len(label) for label, _ in STEPS.values())
    with ExitStack() as bars:
        shown: dict[str, Callable[[int, int], None]] = {}

        def show(step: str, done: int, total: int, /) -> None:
            if step not in shown:
                bars.close()
                label, unit = STEPS.get(step, (step.capitalize(), step))
                shown[step] = bars.enter_context(_bar(label.ljust(width), unit))
            shown[step](done, total)

        yield show


@contextmanager
def _bar(label: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    started = time.monotonic()
    bar: Any = None
    before = 0

    def show(done: int, total: int) -> None:
        nonlocal bar, before
        if bar is None:
            bar = click.progressbar(
                length=total,
                label=label,
                file=sys.stderr,
                show_pos=True,
                item_show_func=lambda rate: rate,
            )
        # (What is asked for can grow while it is done.)
        bar.length = total
        rate = done / max(time.monotonic() - started, 1e-6)
        bar.update(done - before, f"{rate:.1f} {unit}/s")
        before = done

    try:
        yield show
    finally:
        if bar is not None:
            bar.render_finish()


def _no_progress(step: str, done: int, total: int, /) -> None:
    pass


def verdict_document(verdict: Verdict | None) -> dict[str, Any] | None:
    """A verdict as the contract's JSON."""
    if verdict is None:
        return None
    return {
        "verdict": verdict.verdict,
        "probability": verdict.probability,
        "prior": verdict.prior,
        "distance": verdict.distance,
        "threshold": verdict.threshold,
        "basis": verdict.basis,
        "reason": verdict.reason,
    }


def sides_of(choice: str | None) -> list[Side]:
    return [side for side in SIDES if choice in (None, "both", side)]
