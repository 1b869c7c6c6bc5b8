"""``dieindex study``: the published form of a die study, as one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dieindex.api import study_table
from dieindex.commands.notes import say, tell, warn
from dieindex.commands.shared import (
    engine_option,
    index_option,
    json_option,
    no_verify_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    reading_document,
    sheet_options,
)
from dieindex.commands.verbs import VERBS
from dieindex.text import counted, for_terminal

if TYPE_CHECKING:
    from dieindex.api import Study


@click.command(
    short_help=VERBS["study"],
    epilog="\b\nExamples:\n  dieindex study --out study/\n"
    '  dieindex study --table dies.xlsx --out study/ --title "Tetradrachms of Temnos"\n'
    "  dieindex study --index indexes/data --table dies.xlsx --out study/",
)
@index_option
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A table of coins and dies, a workbook or text: a study without photographs; together "
    "with --index, its dies and the index's pictures.",
)
@sheet_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to write; a study that is there is replaced.",
)
@click.option("--title", metavar="TEXT", help="The study's title.")
@click.option("--author", default="", metavar="TEXT", help="Who attributed the coins to the dies.")
@click.option(
    "--coins-per-die",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="Coins a die is ASSUMED to have struck, for the quantity struck [default: 20000].",
)
@no_verify_option
@engine_option
@json_option
@quiet_option
def study(
    index: Path | None,
    table: Path | None,
    columns: str | None,
    sheet: str | None,
    out: Path,
    title: str | None,
    author: str,
    coins_per_die: int | None,
    no_verify: bool,
    engine: str | None,
    as_json: bool,
) -> None:
    """Write what a numismatist publishes: die numbers, links, estimates, catalogue and plates.

    OUT holds report.html (opens in any browser, prints), study.xlsx, dies.csv, coins.csv, the
    die-link chart as picture and for Gephi and Cytoscape, catalogue.md and .docx, plates, charts
    and linked data.

    With --table alone, from a table of coins and dies; else from an index, with the dies found.
    """
    if table is None and (columns or sheet):
        raise click.UsageError("--columns and --sheet say how to read --table FILE; give it too")
    with progress_bars() as progress:
        settings: dict[str, Any] = {
            "title": title,
            "author": author,
            "coins_per_die": coins_per_die,
            "progress": progress,
        }
        if table is not None and index is None:
            found = study_table(table, out, columns=columns, sheet=sheet, **settings)
        else:
            opened = open_index(index, engine, writes=True)
            found = opened.study(
                out, table=table, columns=columns, sheet=sheet, verify=not no_verify, **settings
            )
    for note in found.notes:
        warn(note)
    say(f"Written to {out}; open {out / 'report.html'}.")
    if as_json:
        print_json(_document(found, out))
    else:
        _print(found)


def _print(found: Study) -> None:
    tell(f"{found.material.title}: {counted(found.counts.coins, 'coin')}", bold=True)
    for side, each in found.sides.items():
        sample = each.counts.sample
        known = each.coverage.value
        tell(
            f"  {side}s: {counted(sample.d, 'die')} from {counted(sample.n, 'coin')} "
            f"({sample.d1} known from one coin), n/d {sample.n / sample.d:.2f}"
            + ("" if known is None else f", coverage {100 * known:.1f} %")
        )
        if each.models:
            reliability = f"; {each.band.words}" if each.band else ""
            tell(
                f"    estimated {each.models.low:.0f} to {each.models.high:.0f} dies, by model"
                f"{reliability}"
            )
    if found.counts.links:
        links = found.counts.links
        tell(
            f"  {counted(links.combinations, 'combination')} in "
            f"{counted(links.groups, 'linked group')}, the largest of {links.largest_group} dies"
        )


def _document(found: Study, out: Path) -> dict[str, Any]:
    sides: dict[str, Any] = {}
    for side, each in found.sides.items():
        sample = each.counts.sample
        sides[side] = {
            "n": sample.n,
            "dies": sample.d,
            "singletons": sample.d1,
            "unidentified": each.counts.unidentified,
            "coverage": each.coverage.value,
            "estimates": {
                one.method.key: {"value": one.value, "low": one.low, "high": one.high}
                for one in each.estimates
            },
        }
    links = found.counts.links
    return {
        "out": str(out),
        "coins": found.counts.coins,
        "table": reading_document(found.material.reading),
        "notes": [for_terminal(note) for note in found.notes],
        "obverse": sides.get("obverse"),
        "reverse": sides.get("reverse"),
        "combinations": links.combinations if links else None,
        "groups": links.groups if links else None,
    }
