"""What the verbs share: options, ways of saying things, a progress bar."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dieindex.records import SIDES, Side, Verdict

if TYPE_CHECKING:
    from dieindex.api import Index

Function = TypeVar("Function", bound=Callable[..., Any])


def index_option(function: Function) -> Function:
    return click.option(
        "--index",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="The index [default: $DIEINDEX_INDEX, else the last one built below ./indexes].",
    )(function)


def labels_option(function: Function) -> Function:
    return click.option(
        "--labels",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The sheet of coins and dies, .xlsx or .csv [default: the one of the collection].",
    )(function)


def calibrate_option(function: Function) -> Function:
    return click.option(
        "--calibrate",
        is_flag=True,
        help="Learn from the sheet how likely a distance means one die; each pair is judged by "
        "what other dies taught.",
    )(function)


def side_option(required: bool = False, both: bool = False, text: str = "") -> Any:
    choices = [*SIDES, "both"] if both else [*SIDES]
    return click.option(
        "--side", type=click.Choice(choices, case_sensitive=False), required=required, help=text
    )


VERIFYING: Mapping[str, tuple[str, str]] = {side: (f"Verifying {side}s", "pairs") for side in SIDES}
"""Labels and units of verification's progress."""


def no_verify_option(function: Function) -> Function:
    return click.option(
        "--no-verify", is_flag=True, help="Do not look at details; rest on the vectors alone."
    )(function)


def json_option(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(
        function
    )


def quiet_option(function: Function) -> Function:
    """``--quiet`` works before and behind the verb."""

    def take(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(dict)["quiet"] = True

    return click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=take,
        help="Say nothing but results and errors.",
    )(function)


def is_quiet() -> bool:
    context = click.get_current_context(silent=True)
    settings: dict[str, bool] | None = context.find_object(dict) if context else None
    return bool(settings and settings.get("quiet"))


def say(message: str) -> None:
    """A remark for the person at the terminal (standard error)."""
    if not is_quiet():
        click.echo(message, err=True)


def warn(message: str) -> None:
    if not is_quiet():
        click.secho("Note: ", fg="yellow", nl=False, err=True)
        click.echo(message, err=True)


def print_json(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def open_index(folder: Path | None) -> Index:
    """The index a verb works on; how it was chosen is said on standard error."""
    from dieindex.api import Index
    from dieindex.storage.folder import find_index_folder

    found, note = find_index_folder(folder)
    if note:
        say(note)
    index = Index(found)
    if not index.complete:
        warn(f"The last build of {found} was broken off; run it again to finish it.")
    if index.unverified is not None:
        warn(index.unverified)
    return index


@contextmanager
def progress_bars(
    labels: Mapping[str, tuple[str, str]],
) -> Iterator[Callable[[str, int, int], None]]:
    """One bar after the other, a step each; ``labels`` gives every step's label and unit."""
    with ExitStack() as bars:
        shown: dict[str, Callable[[int, int], None]] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in shown:
                bars.close()
                shown[step] = bars.enter_context(progress_bar(*labels[step]))
            shown[step](done, total)

        yield show


@contextmanager
def progress_bar(label: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on a terminal; nothing elsewhere or with ``--quiet``."""
    if is_quiet() or not sys.stderr.isatty():
        yield _no_progress
        return
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
        rate = done / max(time.monotonic() - started, 1e-6)
        bar.update(done - before, f"{rate:.1f} {unit}/s")
        before = done

    try:
        yield show
    finally:
        if bar is not None:
            bar.render_finish()


def _no_progress(done: int, total: int) -> None:
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


def counted(count: int, noun: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
