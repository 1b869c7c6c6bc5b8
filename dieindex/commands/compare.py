"""``dieindex compare``: do two coins share a die?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dieindex import api
from dieindex.api import Comparison
from dieindex.commands.notes import tell, warn
from dieindex.commands.shared import (
    device_option,
    force_option,
    index_option,
    json_option,
    open_index,
    print_json,
    quiet_option,
    side_option,
    verdict_document,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import IndexFolderError, PictureError
from dieindex.records import SIDES, Side, Verdict

COLOURS = {"same": "green", "different": "red", "cannot tell": "yellow"}


@click.command(
    short_help=VERBS["compare"],
    epilog="\b\nExamples:\n  dieindex compare 12 57\n  dieindex compare a.jpg b.jpg\n"
    "  dieindex compare a.jpg b.jpg --side reverse --picture evidence.png",
)
@click.argument("a")
@click.argument("b")
@index_option
@side_option(text="Compare this side only; also the side of pictures that show a single one.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.png",
    help="Draw the evidence: the faces, one on the other, what differs, where they agree.",
)
@force_option
@device_option()
@json_option
@quiet_option
def compare(
    a: str,
    b: str,
    index: Path | None,
    side: Side | None,
    picture: Path | None,
    force: bool,
    device: str,
    as_json: bool,
) -> None:
    """Say for each side whether A and B were struck by the same die.

    A and B are picture files (no index is needed) or coins of an index.
    """
    answer(compared(a, b, index, side, device), picture, as_json, force=force)


def answer(comparison: Comparison, picture: Path | None, as_json: bool, *, force: bool) -> None:
    """Draw the evidence where a picture is asked for, and say the verdicts."""
    if picture is not None:
        comparison.draw(picture, force=force)
    if comparison.note is not None:
        warn(comparison.note)
    if as_json:
        print_json(document(comparison))
    else:
        _print_verdicts(comparison)


def document(comparison: Comparison) -> dict[str, Any]:
    return {
        "a": comparison.a,
        "b": comparison.b,
        **{each: verdict_document(comparison.side(each)) for each in SIDES},
    }


def compared(a: str, b: str, index: Path | None, side: Side | None, device: str) -> Comparison:
    """Two picture files alone where no index is named, else two coins of an index."""
    files = [Path(name) for name in (a, b)]
    if index is None and all(path.is_file() for path in files):
        return api.compare(a, b, side=side, device=device)
    try:
        opened = open_index(index)
    except IndexFolderError as error:
        for path in files:
            if api.is_picture_name(path) and not path.is_file():
                raise PictureError(f"{path}: no such picture; nor an index: ", error) from error
        raise
    return opened.compare(a, b, side)


def _print_verdicts(comparison: Comparison) -> None:
    """A line a side."""
    for each in SIDES:
        _print_verdict(each, comparison.side(each))
    if comparison.obverse is None and comparison.reverse is None:
        warn(f"{comparison.a} and {comparison.b} have no side in common.")


def _print_verdict(side: Side, verdict: Verdict | None) -> None:
    tell(f"{side + ':':9}", nl=False)
    if verdict is None:
        tell(" not compared", dim=True)
        return
    tell(f" {verdict.verdict}", fg=COLOURS[verdict.verdict], bold=True, nl=False)
    tell(
        f"  (probability {verdict.probability:.3f} at prior {verdict.prior:g}, distance "
        f"{verdict.distance:.3f}, threshold {verdict.threshold:.3f}, {verdict.basis})"
    )
    if verdict.reason:
        tell(f"{'':10}{verdict.reason}")
