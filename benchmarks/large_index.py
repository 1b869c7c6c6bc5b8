"""An index of many coins, grown from a small one: for measures of time and memory alone.

    python benchmarks/large_index.py indexes/data indexes/large --coins 10000

The coins of ``SOURCE`` are copied again and again, each time with vectors turned into another
corner of the sphere, so that a copy's dies are no other copy's. Scores within a copy are the
source's; between copies they are those of the source's pairs of different dies, drawn at random.
Pictures and descriptors are the source's own. So answers mean nothing, but their number is that of
a large collection. OUT must be new.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np

import dieindex as di
from dieindex.records import SIDES, Ints, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.descriptors import key_of
from dieindex.storage.details import DetailStore
from dieindex.storage.nearest import generation_of, write_vectors
from dieindex.storage.pair_scores import PairScoreRows
from dieindex.verification.candidates import shortlist_radius
from dieindex.verification.score_pairs import stored_candidates, vectors_of


def copied_faces(catalogue: Catalogue, copies: int, seed: int) -> list[tuple[int, int]]:
    """Copy coins, photographs and faces; gives each new face with the one it is a copy of."""
    rng = np.random.default_rng(seed)
    columns = [row[1] for row in catalogue.all_rows("PRAGMA table_info(faces)")]
    kept = [each for each in columns if each not in ("id", "photograph", "raw", "vector")]
    photographs = catalogue.all_rows("SELECT id, file, coin FROM photographs ORDER BY id")
    vectors = catalogue.all_rows("SELECT id, photograph, raw, vector FROM faces ORDER BY id")
    face, photograph = (max(row[0] for row in rows) for rows in (vectors, photographs))
    made: list[tuple[int, int]] = []
    for copy in range(1, copies):
        turn = rng.permutation(len(vectors[0][2]) // 4)
        sign = rng.choice(np.array([-1, 1], np.float32), len(turn))
        of: dict[int, int] = {}
        for number, file, _ in photographs:
            photograph += 1
            of[number] = photograph
            catalogue.write(
                "INSERT INTO photographs SELECT ?, ?, ? || '-' || coin, size, mtime_ns,"
                " sha256 || ?, hints, state, reason, notes FROM photographs WHERE id = ?",
                (photograph, f"{copy}/{file}", f"{copy:04}", f"-{copy}", number),
            )
        for number, owner, *pair in vectors:
            face += 1
            turned = [(np.frombuffer(each, "<f4")[turn] * sign).tobytes() for each in pair]
            catalogue.write(
                f"INSERT INTO faces (id, photograph, raw, vector, {', '.join(kept)})"
                f" SELECT ?, ?, ?, ?, {', '.join(kept)} FROM faces WHERE id = ?",
                (face, of[owner], *turned, number),
            )
            catalogue.write(
                "INSERT INTO pictures SELECT ?, jpeg, mask FROM pictures WHERE face = ?",
                (face, number),
            )
            made.append((face, number))
        catalogue.write(
            "INSERT INTO coins SELECT ? || '-' || coin, row + ?, ? || '-' || obverse_die,"
            " ? || '-' || reverse_die, columns FROM coins WHERE coin NOT LIKE '%-%'",
            (f"{copy:04}", 100_000 * copy, f"{copy:04}", f"{copy:04}"),
        )
    return made


def copied_details(store: DetailStore, raw: dict[int, bytes], made: list[tuple[int, int]]) -> None:
    for face, source in made:
        key, cells = key_of(raw[face]), store.cells_of(source)
        if cells is not None:
            store.put_descriptors([(face, key, cells)])
        store.put_features([(face, key, store.features_of(source))])
        store.write("UPDATE local_features SET sought = 1 WHERE face = ?", (face,))


def drawn_scores(
    folder: Path, side: Side, of: dict[int, int], seed: int
) -> tuple[PairScoreRows, int]:
    """Scores for all candidates of a side that have none."""
    index = di.open_index(folder)
    faces = vectors_of(index.faces(side))
    radius = shortlist_radius(index.calibration.threshold)
    candidates = stored_candidates(folder, side, faces, radius, verify=True)
    first, second = faces.ids[candidates.first], faces.ids[candidates.second]
    with DetailStore.open(folder) as store:
        known = store.pair_scores(faces.ids)
    source = np.array([of.get(face, face) for face in faces.ids.tolist()], np.int64)
    low, high = np.sort([source[candidates.first], source[candidates.second]], axis=0)
    one_copy = _copy_of(faces.ids, of)[candidates.first] == _copy_of(faces.ids, of)[
        candidates.second
    ]  # fmt: skip
    at, found = _where(known, low, high)
    taken = np.where(one_copy & found, at, 0)
    different = _different(index, side, known)
    drawn = np.random.default_rng(seed).choice(different, len(first))
    row = np.where(one_copy & found, taken, drawn)
    there = _where(known, first, second)[1]
    scores = PairScoreRows(first, second, known.logit[row], known.shared[row])
    return scores.take(~there), len(first)


def _copy_of(ids: Ints, of: dict[int, int]) -> Ints:
    """By which copy a face was made: faces of one are made one after the other."""
    sources = len(set(of.values()))
    least = min(of)
    return np.where(ids < least, 0, 1 + (ids - least) // sources)


def _where(known: PairScoreRows, first: Ints, second: Ints) -> tuple[Ints, np.ndarray]:
    base = int(max(known.second.max(), second.max())) + 1
    codes, wanted = known.first * base + known.second, first * base + second
    at = np.searchsorted(codes, wanted).clip(max=len(codes) - 1)
    return at, codes[at] == wanted


def _different(index: di.Index, side: Side, known: PairScoreRows) -> Ints:
    """Rows of pairs that the sheet says are of different dies."""
    rows, labels = index.faces(side), index.labels(side)
    die = {face: labels.get(coin) for face, coin in zip(rows.ids, rows.coins, strict=True)}
    names = [(die.get(a), die.get(b)) for a, b in zip(known.first, known.second, strict=True)]
    return np.flatnonzero([a is not None and b is not None and a != b for a, b in names])


def grow(source: Path, out: Path, coins: int, seed: int = 1) -> None:
    shutil.copytree(source, out, ignore=shutil.ignore_patterns("reviews*", "*.csv", "lock"))
    copies = -(-coins // len(di.open_index(source).coins))
    with Catalogue.open(out, create=True) as catalogue:
        with catalogue.transaction():
            made = copied_faces(catalogue, copies, seed)
        with catalogue.transaction():
            catalogue.set_meta("generation", generation_of(catalogue))
            catalogue.sum_all()
        raw: dict[int, bytes] = dict(catalogue.all_rows("SELECT id, raw FROM faces"))  # type: ignore[arg-type]
        write_vectors(out, catalogue)
    with DetailStore.open(out, create=True) as store, store.transaction():
        copied_details(store, raw, made)
    for side in SIDES:
        scores, listed = drawn_scores(out, side, dict(made), seed)
        with DetailStore.open(out, create=True) as store, store.transaction():
            store.put_pair_scores(scores)
        print(f"{side}: {listed} pairs", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--coins", type=int, default=10_000)
    given = parser.parse_args()
    grow(given.source, given.out, given.coins)


if __name__ == "__main__":
    main()
