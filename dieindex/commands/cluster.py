"""``dieindex cluster``: the whole collection, die by die."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dieindex.api import SCORE_NAMES, Dies, check_table, write_dies
from dieindex.commands.notes import say, tell, warn
from dieindex.commands.shared import (
    calibrate_option,
    engine_option,
    force_option,
    index_option,
    json_option,
    no_verify_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    side_option,
    sides_of,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import CollectionError
from dieindex.text import counted

MOST_SHOWN = 10
MEANINGS = {
    "near miss": "one die with probability",
    "contradiction": "two dies with probability",
    "coin": "of the other die with probability",
}


@click.command(
    short_help=VERBS["cluster"],
    epilog="\b\nExamples:\n  dieindex cluster --side obverse\n"
    "  dieindex cluster --side both --out dies.xlsx",
)
@side_option(required=True, both=True, text="The side to sort, or both.")
@index_option
@no_verify_option
@engine_option
@calibrate_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv|.xlsx",
    help="Write coin,side,die,certainty; to .xlsx also dies, doubtful cases and scores.",
)
@click.option(
    "--trust-sheet",
    is_flag=True,
    help="Take the sheet's dies for links; scores come from a run without them.",
)
@click.option("--adopt-names", is_flag=True, help="Name dies as the sheet does; no coin moves.")
@click.option("--other-side", is_flag=True, help="Let shared dies of the other side have a say.")
@force_option
@click.option(
    "--look/--keep",
    default=None,
    help="Whether this is only a look, or die numbers are kept in the index [default: they are "
    "kept, but for a run with --trust-sheet, --no-verify or --calibrate].",
)
@json_option
@quiet_option
def cluster(
    side: str,
    index: Path | None,
    no_verify: bool,
    engine: str | None,
    calibrate: bool,
    out: Path | None,
    trust_sheet: bool,
    adopt_names: bool,
    other_side: bool,
    force: bool,
    look: bool | None,
    as_json: bool,
) -> None:
    """Sort a collection's coins into putative dies; every coin is in exactly one.

    The number of dies is found, not given. Where the sheet names dies, the result is scored
    against it; the sheet moves no coin. Verdicts of persons (`dieindex verdict`) count. Dies keep
    their numbers from one run to the next, and what changed is listed; a run with --trust-sheet,
    --no-verify or --calibrate is a look and leaves no numbers behind, unless --keep is given.
    """
    if out is not None:
        check_table(out, force=True)  # its name alone: a build at work is said before what is there
    if look is None:
        look = trust_sheet or no_verify or calibrate
    opened = open_index(index, engine, sorts=True, writes=out is not None)
    if out is not None:
        check_table(out, force=force, sources=opened.sources)
    with progress_bars() as progress:
        found = [
            opened.cluster(
                each,
                verify=not no_verify,
                calibrate=calibrate,
                trust_sheet=trust_sheet,
                other_side=other_side,
                keep=not look,
                adopt_names=adopt_names,
                progress=progress,
            )
            for each in sides_of(side)
        ]
    if calibrate:
        say("Calibrated on the sheet, cross-fitted over dies: none judged by its own labels.")
    if trust_sheet:
        say("The sheet's dies are links; scores come from a run without them.")
    found = [dies for dies in found if dies.coins]
    for dies in found:
        _say_refused(dies)
    if not found:
        shown = "obverse or reverse" if side == "both" else side
        missing = f"No coin of this index shows its {shown}"
        if out is not None and out.exists():
            raise CollectionError(f"{missing}: there is no table to write. {out} was not changed.")
        say(f"{missing}.")
    if out is not None:
        write_dies(found, out, force=force)
        say(f"Written to {out}.")
    if as_json:
        print_json({dies.side: _document(dies) for dies in found})
        return
    for dies in found:
        _print_dies(dies)


def _say_refused(dies: Dies) -> None:
    """Verdicts that contradict later ones by way of other coins."""
    for said in dies.refused:
        warn(f"{dies.side}: contradicts later verdicts and does not count: {said}.")


def _document(dies: Dies) -> dict[str, Any]:
    clusters, count, wrong = dies.clusters, dies.count, dies.expected_wrong
    coins = dies.coins
    return {
        "coins": len(coins),
        "dies": len(clusters),
        "clusters": clusters,
        "scores": dies.score(),
        "certainty": dict(zip(coins, dies.certainty.tolist(), strict=True)),
        "cohesion": dies.cohesion,
        "number_of_dies": None
        if count is None
        else {"found": count.found, "expected": count.expected, "low": count.low,
              "high": count.high, "level": count.level},
        "to_look_at": [
            {"what": case.what, "die": case.die, "other_die": case.other_die, "coin": case.coin,
             "other_coin": case.other_coin, "part": list(case.part),
             "probability": case.probability, "change": case.change}
            for case in dies.to_look_at
        ],
        "expected_wrong": {"coins": wrong.coins, "pairs": wrong.pairs},
        "worth_looking": dies.worth_looking,
        "suspected_errors": [
            {"coin": each.coin, "sheet": each.sheet, "rather": each.rather,
             "evidence": each.evidence, "change": each.change, "compare": list(each.compare)}
            for each in dies.suspects
        ],
        "changes": list(dies.changes),
    }  # fmt: skip


def _print_dies(dies: Dies) -> None:
    clusters = dies.clusters
    singletons = sum(len(coins) == 1 for coins in clusters.values())
    tell(
        f"{dies.side}: {counted(len(dies.coins), 'coin')}, {counted(len(clusters), 'die')}, "
        f"{singletons} of them known from one coin",
        bold=True,
    )
    for name, coins in clusters.items():
        if len(coins) > 1:
            tell(f"  {name:5} {len(coins):4} coins: {', '.join(coins)}")
    _print_doubts(dies)
    scores = dies.score()
    if scores:
        tell("  scores against the sheet:")
        for key, label in SCORE_NAMES.items():
            value = scores[key]
            shown = "-" if value is None else str(value)
            if isinstance(value, float):
                shown = f"{value:.3f}"
            tell(f"    {label:28} {shown}")


def _print_doubts(dies: Dies) -> None:
    count = dies.count
    if count is not None:
        tell(
            f"  number of dies: {count.low} to {count.high} ({count.level:.0%}), expected "
            f"{count.expected:.0f}"
        )
    if dies.to_look_at:
        wrong = dies.expected_wrong
        tell(
            f"  expected to be wrong: {wrong.coins:.1f} of {counted(len(dies.coins), 'coin')}; "
            f"{counted(dies.worth_looking, 'look')} worth it"
        )
        tell("  to look at, the first would change most:")
    for case in dies.to_look_at[:MOST_SHOWN]:
        where = f"{case.die} or {case.other_die}" if case.other_die else case.die
        coins = f"{case.coin} and {case.other_coin}"
        tell(f"    {coins} ({where}): {MEANINGS[case.what]} {case.probability:.3f}")
    for each in dies.suspects[:MOST_SHOWN]:
        rather = f", rather {each.rather}" if each.rather else ""
        tell(
            f"  the sheet's {each.sheet} of {each.coin} is doubtful{rather}: "
            f"compare {' '.join(each.compare)}"
        )
    for change in dies.changes[:MOST_SHOWN]:
        tell(f"  {change}")
