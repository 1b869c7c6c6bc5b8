"""``dieindex specimens``: which photographs show one and the same coin?"""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.api import OneSpecimen, write_specimens
from dieindex.commands.notes import say, tell
from dieindex.commands.shared import (
    force_option,
    index_option,
    json_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.text import counted


@click.command(
    short_help=VERBS["specimens"],
    epilog="\b\nExamples:\n  dieindex specimens\n  dieindex specimens --out specimens.csv\n"
    "  dieindex verdict 12 113 one-coin      say that two are one",
)
@index_option
@click.option(
    "--least",
    type=click.FloatRange(0.0, 1.0),
    default=0.5,
    show_default=True,
    metavar="P",
    help="Least probability of what is listed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write them as a table: photo_a,photo_b,coin_a,coin_b,probability,basis.",
)
@force_option
@json_option
@quiet_option
def specimens(
    index: Path | None, least: float, out: Path | None, force: bool, as_json: bool
) -> None:
    """List photographs that may show one coin which counts as two.

    Three grades: the same picture; the same picture altered (reduced, cropped, compressed anew);
    the coin photographed anew, which has the same dies and the same outline about them. Nothing is
    taken for one coin by itself: look, and say it with `dieindex verdict A B one-coin`.
    """
    opened = open_index(index, writes=True)
    with progress_bars() as progress:
        found = opened.specimens(least=least, progress=progress)
    if out is not None:
        write_specimens(found, out, force=force, sources=opened.sources)
        say(f"{counted(len(found), 'pair')} of photographs in {out}")
    if as_json:
        print_json([vars(each) for each in found])
    elif out is None:
        for each in found:
            tell(_line(each))
        say(
            f"{counted(len(found), 'pair')} of photographs may show one coin."
            + (" Say which do: dieindex verdict A B one-coin" if found else "")
        )


def _line(each: OneSpecimen) -> str:
    return (
        f"{each.probability:5.2f}  {each.coin_a} and {each.coin_b}  {each.basis}  "
        f"({each.photo_a}, {each.photo_b})"
    )
