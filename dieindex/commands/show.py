"""``dieindex show``: the evidence for and against two coins sharing a die, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.compare import answer, compared
from dieindex.commands.notes import say
from dieindex.commands.shared import (
    device_option,
    force_option,
    index_option,
    json_option,
    quiet_option,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.records import Side


@click.command(
    short_help=VERBS["show"],
    epilog="\b\nExamples:\n  dieindex show 12 57\n  dieindex show 12 57 --out 12-57.png\n"
    "  dieindex show a.jpg b.jpg",
)
@click.argument("a")
@click.argument("b")
@index_option
@side_option(text="Show this side only; also the side of pictures that show a single one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.png",
    help="The picture to write [default: show-A-B.png in this folder].",
)
@force_option
@device_option()
@json_option
@quiet_option
def show(
    a: str,
    b: str,
    index: Path | None,
    side: Side | None,
    out: Path | None,
    force: bool,
    device: str,
    as_json: bool,
) -> None:
    """Draw A and B side by side on their common frame, one on the other, what differs, and where
    their details agree or lie displaced.

    A and B are coins of an index or picture files, as for `compare`, which draws the same picture
    with --picture.
    """
    path = out or Path(f"show-{Path(a).stem}-{Path(b).stem}.png")
    answer(compared(a, b, index, side, device), path, as_json, force=force)
    say(f"Drawn in {path}.")
