"""Which known die struck a coin, or none: each coin of an index left out in turn.

    python benchmarks/find.py --collection ../shared/data/foreign/a --types 3 --peer 40

Collections are built into ``--work`` where they are not there yet, and ``--types`` test types are
minted. Each coin is sought among the dies that the sheet gives all others. ``first``, ``five``: of
the coins whose die has another coin, the share whose die is named first, and among the first five;
``auroc``: how well ``new_die`` tells coins whose die has no other from all the rest; ``said``,
``are``: the mean of ``new_die`` and the share of coins whose die is new; ``off``: the mean distance
of the two over ten bins of it, weighed by coins. Intervals are of 95 %, by resampling dies.

Beside it the nearest neighbour: dies by the least distance of vectors, and that distance for a new
die; and, on ``--peer`` coins a side, dies by the most verified matches of XFeat with the thirty
nearest coins.

With ``--reference N`` each collection is given away with N coins of each die, without pictures and
with them, and the photographs of all coins that are not in it are sought there and in the whole
index: how often the first answer (a die, or a new one) is the die in which the index has the coin.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dieindex as di
from dieindex.api import Index
from dieindex.api.finding import Finder
from dieindex.api.placed_photo import PlacedPhoto
from dieindex.encoder.dense import unpacked
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Floats, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face

SEED = 7000
_RESAMPLES = 1000


@dataclass(frozen=True)
class Answer:
    """Of one coin: its die, whether the die has another coin, the place of the right die in the
    list from 0 (a large one where it is not there), and what is said of a new die."""

    die: str
    known: bool
    place: int
    new: float


def ours(index: Index, side: Side) -> list[Answer]:
    finder = Finder(index, index.cluster)
    rows, labels = index.faces(side), index.labels(side)
    names = [labels.get(coin, f"? {coin}") for coin in rows.coins]
    kinds = index.cluster(side).graph.kinds
    finder.use_dies(side, names, kinds)
    verification = index.verification
    assert verification is not None
    with Catalogue.open(index.folder) as catalogue:
        confidence = {one.id: one.confidence for one in catalogue.placed_faces(side)}
    found = []
    for row, coin in enumerate(rows.coins):
        if coin not in labels or not rows.aligned[row]:
            continue
        with Catalogue.open(index.folder) as catalogue, DetailStore.open(index.folder) as store:
            face = unpack_face(catalogue.packed_face(int(rows.ids[row])))
            place = catalogue.place_of(int(rows.ids[row]))
            cells = store.cells_of(int(rows.ids[row]))
        assert cells is not None
        assert place is not None
        placed = PlacedPhoto(
            face,
            int(rows.frame[row]),
            place,
            rows.vectors[row],
            unpacked([cells], *verification.shape),
            confidence[int(rows.ids[row])],
        )
        told = finder.found(coin, placed, 10_000, coin)
        order = [die.die for die in told.dies]
        known = names.count(labels[coin]) > 1
        at = order.index(labels[coin]) if labels[coin] in order else 10_000
        new = 1.0 if told.new_die is None else told.new_die
        found.append(Answer(labels[coin], known, at, new))
    return found


def nearest(index: Index, side: Side) -> list[Answer]:
    """By the vectors alone."""
    rows, labels = index.faces(side), index.labels(side)
    distance = unit_distance(rows.vectors @ rows.vectors.T)
    distance[rows.frame[:, None] != rows.frame[None]] = 2.0
    return ranked(rows.coins, labels, rows.aligned, distance)


def peer(index: Index, side: Side, coins: int) -> list[Answer]:
    """By verified matches, of some coins with the thirty nearest of each."""
    from dieindex.evaluation.matcher import load_matcher

    rows, labels = index.faces(side), index.labels(side)
    matcher = load_matcher("xfeat")
    with Catalogue.open(index.folder) as catalogue:
        pictures = [unpack_face(each).picture for each in catalogue.packed_faces(rows.ids.tolist())]
    described = matcher.describe(pictures)
    alike = rows.vectors @ rows.vectors.T
    distance = np.full(alike.shape, 2.0)
    asked = np.random.default_rng(0).permutation(len(pictures))[:coins]
    for a in asked.tolist():
        for b in np.argsort(-alike[a])[:31].tolist():
            if a != b:
                distance[a, b] = 1.0 / (1.0 + matcher.score(described[a], described[b]))
    some = np.zeros(len(pictures), bool)
    some[asked] = True
    return ranked(rows.coins, labels, rows.aligned & some, distance)


def ranked(
    coins: Sequence[str], labels: dict[str, str], asked: np.ndarray, distance: Floats
) -> list[Answer]:
    names = np.array([labels.get(coin, f"? {coin}") for coin in coins])
    found = []
    for row, coin in enumerate(coins):
        if coin not in labels or not asked[row]:
            continue
        others = np.arange(len(coins)) != row
        order = list(dict.fromkeys(names[others][np.argsort(distance[row][others])].tolist()))
        known = labels[coin] in order
        at = order.index(labels[coin]) if known else 10_000
        found.append(Answer(labels[coin], known, at, float(distance[row][others].min())))
    return found


def by_reference(name: str, index: Index, folder: Path, coins: int, most: int = 120) -> None:
    """Print how a reference answers beside the whole index."""
    file = {coin: each for each, coin in index.coin_of_file().items()}
    own = {side: index.cluster(side, keep=True).die_of for side in SIDES}
    for pictures in (False, True):
        out = folder / f"reference of {name}{' with pictures' if pictures else ''}"
        shutil.rmtree(out, ignore_errors=True)
        made = index.export_reference(out, coins_per_die=coins, pictures=pictures)
        reference = di.open_index(out)
        asked = sorted(set(index.coins) - set(reference.coins))[:most]
        right: dict[str, list[bool]] = {"whole": [], "reference": []}
        for coin in asked:
            photo = Path(index.data or "") / file[coin]
            for way, place in (("whole", index), ("reference", reference)):
                for told in place.find(photo):
                    if told.side is not None and told.new_die is not None and told.dies:
                        first = told.dies[0]
                        said = first.die if first.probability > told.new_die else "new"
                        right[way].append(said == own[told.side].get(coin))
        shares = "  ".join(f"{way} {np.mean(each):.3f}" for way, each in right.items() if each)
        print(
            f"{name:24} {made.size / made.coins / 1000:.0f} kB a coin"
            f"{', with pictures' if pictures else ''}; of {len(right['whole'])} sides first answer "
            f"right: {shares}",
            flush=True,
        )


def figures(answers: Sequence[Answer]) -> dict[str, float]:
    new = np.array([each.new for each in answers])
    known = np.array([each.known for each in answers])
    place = np.array([each.place for each in answers])
    bins = np.minimum((new * 10).astype(int), 9)
    off = sum(
        (bins == k).mean() * abs(new[bins == k].mean() - (~known[bins == k]).mean())
        for k in np.unique(bins)
    )
    return {
        "coins": float(len(answers)),
        "first": float((place[known] == 0).mean()) if known.any() else float("nan"),
        "five": float((place[known] < 5).mean()) if known.any() else float("nan"),
        "auroc": auroc(new[~known], new[known]),
        "said": float(new.mean()),
        "are": float((~known).mean()),
        "off": float(off),
    }


def auroc(high: Floats, low: Floats) -> float:
    """How often one of those that should be high is above one that should be low."""
    if not len(high) or not len(low):
        return float("nan")
    below = np.searchsorted(np.sort(low), high, "left")
    upto = np.searchsorted(np.sort(low), high, "right")
    return float((below + upto).mean() / 2 / len(low))


def intervals(answers: Sequence[Answer]) -> dict[str, tuple[float, float]]:
    rng = np.random.default_rng(0)
    by_die: dict[str, list[Answer]] = {}
    for each in answers:
        by_die.setdefault(each.die, []).append(each)
    groups = list(by_die.values())
    drawn: dict[str, list[float]] = {}
    for _ in range(_RESAMPLES):
        some = [one for k in rng.integers(0, len(groups), len(groups)) for one in groups[k]]
        for name, value in figures(some).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (float(np.nanpercentile(v, 2.5)), float(np.nanpercentile(v, 97.5)))
        for name, v in drawn.items()
        if name in ("first", "five", "auroc")
    }


def collections(given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for folder in given.collection:
        yield folder.resolve().name, folder
    from dieindex.mint.collections import mint_collection
    from dieindex.mint.order import CollectionOrder

    for difficulty in given.difficulty:
        for number in range(given.types):
            out = given.work / f"mint-{difficulty}-{number}"
            if not out.exists():
                order = CollectionOrder(
                    coins=91,
                    obverse_dies=24,
                    reverse_dies=34,
                    difficulty=difficulty,
                    seed=SEED + number,
                )
                mint_collection(out, order, jobs=2)
            yield f"mint {difficulty} {number}", out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--collection", type=Path, nargs="*", default=[])
    parser.add_argument("--types", type=int, default=0)
    parser.add_argument("--difficulty", nargs="*", default=["easy", "medium", "hard"])
    parser.add_argument("--work", type=Path, default=Path("runs/find"))
    parser.add_argument("--peer", type=int, default=0, metavar="COINS", help="0: without the peer")
    parser.add_argument("--reference", type=int, default=0, metavar="COINS")
    parser.add_argument("--out", type=Path, help="a JSON file with all figures")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    ways: dict[str, Callable[[Index, Side], list[Answer]]] = {"dieindex": ours, "nearest": nearest}
    if given.peer:
        ways["peer"] = lambda index, side: peer(index, side, given.peer)
    rows: list[dict[str, Any]] = []
    for name, folder in collections(given):
        index = di.build(folder, given.work / f"index of {name}")
        if given.reference:
            by_reference(name, index, given.work, given.reference)
            continue
        for side in SIDES:
            for way, answer in ways.items():
                answers = answer(index, side)
                told, between = figures(answers), intervals(answers)
                rows.append(
                    {
                        "name": f"{name} {side}",
                        "way": way,
                        **told,
                        "intervals": between,
                        "answers": [list(asdict(each).values()) for each in answers],
                    }
                )
                print(line(f"{name} {side}", way, told, between), flush=True)
    if rows:
        pooled(rows)
    if given.out is not None:
        for row in rows:
            del row["answers"]
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def line(name: str, way: str, told: dict[str, float], between: dict[str, Any]) -> str:
    cells = [f"{name:24} {way:9} {told['coins']:5.0f}"]
    for each in ("first", "five", "auroc"):
        low, high = between[each]
        cells.append(f"{each} {told[each]:.3f} ({low:.3f}-{high:.3f})")
    if way == "dieindex":
        cells.append(f"said {told['said']:.3f} are {told['are']:.3f} off {told['off']:.3f}")
    return "  ".join(cells)


def pooled(rows: list[dict[str, Any]]) -> None:
    """A line for all collections together."""
    for way in dict.fromkeys(row["way"] for row in rows):
        answers = [
            Answer(f"{row['name']} {die}", known, place, new)
            for row in rows
            if row["way"] == way
            for die, known, place, new in row["answers"]
        ]
        print(line("all", way, figures(answers), intervals(answers)))


if __name__ == "__main__":
    main()
