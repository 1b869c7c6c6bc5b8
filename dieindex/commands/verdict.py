"""``dieindex verdict``: what a person sees, kept for ever."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex import api
from dieindex.commands.notes import say, tell
from dieindex.commands.shared import (
    force_option,
    index_option,
    json_option,
    open_index,
    print_json,
    quiet_option,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.records import Review, Side
from dieindex.text import counted


@click.command(
    short_help=VERBS["verdict"],
    epilog="\b\nExamples:\n  dieindex verdict 12 57 same --side obverse\n"
    "  dieindex verdict 12 113 one-coin\n"
    '  dieindex verdict 12 80 different --side reverse --by "A. Keeper" --note "letter gap"\n'
    "  dieindex verdict --import verdicts.csv\n"
    "  dieindex verdict --export verdicts.csv",
)
@click.argument("words", nargs=-1, metavar="[A B same|different|unsure|one-coin]")
@side_option(text="The side that the verdict is on.")
@click.option("--by", metavar="NAME", help="Who says so [default: $DIEINDEX_REVIEWER, else you].")
@click.option("--note", default="", metavar="TEXT", help="Why.")
@click.option(
    "--import",
    "source",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep all verdicts of a table: coin_a,coin_b,side,verdict and perhaps by,note,time.",
)
@click.option(
    "--export",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write every verdict ever given as such a table.",
)
@force_option
@index_option
@json_option
@quiet_option
def verdict(
    words: tuple[str, ...],
    side: Side | None,
    by: str | None,
    note: str,
    source: Path | None,
    target: Path | None,
    force: bool,
    index: Path | None,
    as_json: bool,
) -> None:
    """Keep a person's verdict on two coins; without coins, list those given.

    It outranks the machine: the next `cluster` joins the coins of a "same" and parts those of a
    "different". Nothing is ever deleted; the latest verdict on a pair counts, and "unsure" takes an
    earlier one back. "one-coin" says that both are photographs of one coin: it then counts once.
    """
    if bool(words) + (source is not None) + (target is not None) > 1:
        raise click.UsageError("Give a verdict, or --import, or --export; not two of them.")
    if words and len(words) != 3:
        raise click.UsageError(
            "Say two coins and same, different, unsure or one-coin: `12 57 same`."
        )
    one_coin = bool(words) and words[-1].strip().casefold() == api.ONE_COIN
    if one_coin and side is not None:
        raise click.UsageError("That two are one coin is said of both sides: leave --side out.")
    if words and side is None and not one_coin:
        raise click.UsageError("Say which side the verdict is on: --side obverse or reverse.")
    if one_coin:
        a, b, _ = words
        listed = open_index(index, verifies=False).one_coin(a, b, by=by, note=note)
        say(f"Kept: {a} and {b} are one coin, and count once.")
    elif words:
        assert side is not None
        a, b, word = words
        given = open_index(index, verifies=False).review(a, b, word, side=side, by=by, note=note)
        say(f"Kept: {api.review_line(given)}.")
        listed = [given]
    elif source is not None:
        listed = open_index(index, verifies=False).import_reviews(source, by=by)
        say(f"{counted(len(listed), 'verdict')} imported from {source}.")
    else:
        # (Reading verdicts needs no more of an index than the file that holds them.)
        folder, chosen = api.find_index(index, reviews_suffice=True)
        if chosen:
            say(chosen)
        listed = api.reviews(folder, side)
        if target is not None:
            api.write_reviews(listed, target, force=force, sources=api.sources_of_folder(folder))
            say(f"{counted(len(listed), 'verdict')} written to {target}.")
    if as_json:
        print_json([_document(each) for each in listed])
    elif not words and source is None and target is None:
        for each in listed:
            tell(api.review_line(each))


def _document(review: Review) -> dict[str, str]:
    names = ("coin_a", "coin_b", "side", "verdict", "by", "note", "time")
    return {name: getattr(review, name) for name in names}
