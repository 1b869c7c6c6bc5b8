"""``dieindex compare``: do two coins share a die?"""

from __future__ import annotations

from pathlib import Path

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
from dieindex.records import SIDES, Side, Verdict

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
    help="Write a picture of the faces that were compared.",
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
    from dieindex import api

    files = Path(a).is_file() and Path(b).is_file()
    if files and index is None:
        comparison = api.compare(a, b, side=side, device=device)
    else:
        comparison = open_index(index).compare(a, b, side)
    if picture is not None:
        comparison.draw(picture)
    if comparison.note is not None:
        warn(comparison.note)
    if as_json:
        print_json(
            {"a": a, "b": b, **{each: verdict_document(comparison.side(each)) for each in SIDES}}
        )
        return
    for each in SIDES:
        _print_verdict(each, comparison.side(each))
    if comparison.obverse is None and comparison.reverse is None:
        warn(f"{a} and {b} have no side in common.")


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
