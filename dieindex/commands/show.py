"""``dieindex show``: the evidence for and against two coins sharing a die, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.build import DEVICES
from dieindex.commands.shared import index_option, quiet_option, say, side_option
from dieindex.records import Side


@click.command(
    short_help="Draw what speaks for and against one die.",
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
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", help="Where the network runs [auto]."
)
@quiet_option
def show(
    a: str, b: str, index: Path | None, side: Side | None, out: Path | None, device: str
) -> None:
    """Draw A and B side by side on their common frame, one on the other, what differs, and where
    their details agree or lie displaced.

    A and B are coins of an index or picture files, as for `compare`.
    """
    from dieindex.commands.compare import compared, print_verdicts

    comparison = compared(a, b, index, side, device)
    path = out or Path(f"show-{Path(a).stem}-{Path(b).stem}.png")
    comparison.draw(path)
    print_verdicts(comparison)
    say(f"Drawn in {path}.")
