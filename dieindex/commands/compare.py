"""``dieindex compare``: do two coins share a die?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dieindex.commands.build import DEVICES
from dieindex.commands.shared import (
    index_option,
    json_option,
    open_index,
    print_json,
    quiet_option,
    side_option,
    verdict_document,
    warn,
)
from dieindex.errors import IndexFolderError, PictureError
from dieindex.records import SIDES, Side, Verdict

if TYPE_CHECKING:
    from dieindex.api import Comparison

COLOURS = {"same": "green", "different": "red", "cannot tell": "yellow"}


@click.command(
    short_help="Do two coins share a die?",
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
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", help="Where the network runs [auto]."
)
@json_option
@quiet_option
def compare(
    a: str,
    b: str,
    index: Path | None,
    side: Side | None,
    picture: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Say for each side whether A and B were struck by the same die.

    A and B are picture files (no index is needed) or coins of an index.
    """
    comparison = compared(a, b, index, side, device)
    if picture is not None:
        comparison.draw(picture)
    if comparison.note is not None:
        warn(comparison.note)
    if as_json:
        print_json(
            {"a": a, "b": b, **{each: verdict_document(comparison.side(each)) for each in SIDES}}
        )
        return
    print_verdicts(comparison)


def compared(a: str, b: str, index: Path | None, side: Side | None, device: str) -> Comparison:
    """Two picture files alone where no index is named, else two coins of an index."""
    from dieindex import api
    from dieindex.collection.pictures import PICTURE_SUFFIXES

    files = [Path(name) for name in (a, b)]
    if index is None and all(path.is_file() for path in files):
        return api.compare(a, b, side=side, device=device)
    try:
        opened = open_index(index)
    except IndexFolderError as error:
        for path in files:
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.is_file():
                raise PictureError(f"{path}: no such picture; nor an index: {error}") from error
        raise
    return opened.compare(a, b, side)


def print_verdicts(comparison: Comparison) -> None:
    """A line a side."""
    for each in SIDES:
        _print_verdict(each, comparison.side(each))
    if comparison.obverse is None and comparison.reverse is None:
        warn(f"{comparison.a} and {comparison.b} have no side in common.")


def _print_verdict(side: Side, verdict: Verdict | None) -> None:
    click.echo(f"{side + ':':9}", nl=False)
    if verdict is None:
        click.secho(" not compared", dim=True)
        return
    click.secho(f" {verdict.verdict}", fg=COLOURS[verdict.verdict], bold=True, nl=False)
    click.echo(
        f"  (probability {verdict.probability:.3f} at prior {verdict.prior:g}, distance "
        f"{verdict.distance:.3f}, threshold {verdict.threshold:.3f}, {verdict.basis})"
    )
    if verdict.reason:
        click.echo(f"{'':10}{verdict.reason}")
