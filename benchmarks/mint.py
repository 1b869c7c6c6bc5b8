"""Measures of the mint: difficulty by an outside measure, realism, and speed.

    python benchmarks/mint.py peer --types 5 --difficulty medium
    python benchmarks/mint.py statistics --real ../shared/data/real
    python benchmarks/mint.py critic --real ../shared/data/real
    python benchmarks/mint.py speed
    python benchmarks/mint.py sheets docs/pictures

The real photographs are only measured: even-numbered ones may guide changes of the mint,
odd-numbered ones report. Run from the root of the checkout.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.label_propagation import label_propagation
from dieindex.evaluation.matcher import load_matcher, matcher_names
from dieindex.evaluation.metrics import adjusted_rand_index, average_precision, roc_auc
from dieindex.mint.order import DIFFICULTY_NAMES, CollectionOrder
from dieindex.records import FLAN_RADIUS, SIDES, Face, Picture, Side

CUT_SIZE = 400


@dataclass(frozen=True)
class CutFaces:
    """Faces of one side cut out by the truth, with the die of each."""

    pictures: list[Picture]
    dies: list[str]
    type_key: str


def cut_by_truth(folder: Path, side: Side, size: int = CUT_SIZE) -> CutFaces:
    """The faces of a minted collection, centred by the flan's true place."""
    pictures, dies = [], []
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["side"] == side]
    for row in rows:
        photograph = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR_RGB)
        x, y, radius = (float(row[name]) for name in ("flan_x", "flan_y", "flan_radius"))
        scale = FLAN_RADIUS * size / radius
        middle = (size - 1) / 2
        placed = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])
        if scale < 1:  # shrinking by more than the filter reaches would alias
            photograph = cv2.GaussianBlur(photograph, (0, 0), 0.45 / scale)
        cut = cv2.warpAffine(
            photograph, placed, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        pictures.append(np.asarray(cut, np.uint8))
        dies.append(row["die"])
    return CutFaces(pictures, dies, rows[0]["type"])


# ---------------------------------------------------------------------------- difficulty by a peer


def peer_scores(
    order: CollectionOrder, sides: tuple[Side, ...], method: str, share: float
) -> dict[str, object]:
    """AP, AUC and (over all pairs) ARI of the peer on one minted collection, a side each.

    With ``share`` under 1 only that share of the different-die pairs is matched, each standing for
    1 / share of them.
    """
    from dieindex.mint.collections import mint_collection

    scores: dict[str, object] = {"seed": order.seed, "difficulty": order.difficulty}
    with tempfile.TemporaryDirectory() as folder:
        mint_collection(Path(folder), order)
        for side in sides:
            faces = cut_by_truth(Path(folder), side)
            first, second = np.triu_indices(len(faces.dies), 1)
            dies = np.array(faces.dies)
            same = dies[first] == dies[second]
            chosen = same | (np.random.default_rng(order.seed).random(len(same)) < share)
            weights = np.where(same, 1.0, 1 / share)[chosen]
            matcher = load_matcher(method)
            features = matcher.describe(faces.pictures)
            pairs = list(zip(first[chosen], second[chosen], strict=True))
            found = [matcher.score(features[a], features[b]) for a, b in pairs]
            scores[side] = {
                "type": faces.type_key,
                "ap": round(average_precision(found, same[chosen], weights), 4),
                "auc": round(roc_auc(found, same[chosen], weights), 4),
            }
            if share == 1:
                inliers = np.zeros((len(dies), len(dies)), np.int64)
                inliers[first, second] = inliers[second, first] = found
                labels = label_propagation(inliers).tolist()
                scores[side] |= {"ari": round(adjusted_rand_index(labels, faces.dies), 4)}  # type: ignore[operator]
    return scores


def _peer_job(job: tuple[CollectionOrder, tuple[Side, ...], str, float]) -> dict[str, object]:
    cv2.setNumThreads(1)
    import torch

    torch.set_num_threads(1)
    return peer_scores(*job)


def _sides(word: str, seed: int) -> tuple[Side, ...]:
    if word == "both":
        return SIDES
    if word == "alternate":
        return (SIDES[seed % 2],)
    return (SIDES[SIDES.index(word)],)  # type: ignore[arg-type]


def peer(arguments: argparse.Namespace) -> None:
    """The peer on several collections a difficulty, with means over types."""
    sides = {
        seed: _sides(arguments.side, seed)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.types)
    }
    jobs = [
        (
            CollectionOrder(
                difficulty=difficulty,
                seed=seed,
                coins=arguments.coins,
                obverse_dies=round(arguments.coins * 24 / 91),
                reverse_dies=round(arguments.coins * 34 / 91),
                sides=sides[seed],
            ),
            sides[seed],
            arguments.method,
            arguments.share,
        )
        for seed in sides
        for difficulty in arguments.difficulty
    ]
    results: dict[str, list[dict[str, object]]] = {name: [] for name in arguments.difficulty}
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(_peer_job, jobs):
            print(json.dumps(result), flush=True)
            results[str(result["difficulty"])].append(result)
    for difficulty, rows in results.items():
        for measure in ("ap", "auc", "ari") if arguments.share == 1 else ("ap", "auc"):
            # One value a type: the mean of its sides, since the sides share photographs.
            values = [
                float(np.mean([row[side][measure] for side in SIDES if side in row]))  # type: ignore[index]
                for row in rows
            ]
            interval = mean_interval(values)
            spread = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
            print(
                f"{difficulty:7s} {measure:3s} mean {np.mean(values):.3f}{spread} n={len(values)}"
            )


# ------------------------------------------------------------------------------ realism by a critic


@dataclass(frozen=True)
class Rendered:
    """A rendered face as it comes back from its file."""

    face: Face
    plate: bool
    """Out of a black-and-white plate: the real photographs that are compared have none."""


def rendered_faces(collections: int, first_seed: int, jobs: int) -> list[Rendered]:
    """Faces of small collections of every difficulty, written, read and cut like real ones."""
    from dieindex.collection.photographs import cut_file
    from dieindex.mint.collections import mint_collection

    faces: list[Rendered] = []
    for number in range(collections):
        order = CollectionOrder(
            coins=8,
            obverse_dies=4,
            reverse_dies=4,
            types=2,
            difficulty=DIFFICULTY_NAMES[number % 3],
            seed=first_seed + number,
        )
        with tempfile.TemporaryDirectory() as folder:
            mint_collection(Path(folder), order, jobs=jobs)
            with (Path(folder) / "truth.csv").open(encoding="utf-8", newline="") as stream:
                plates = {row["file"]: row["photo_source_plate"] for row in csv.DictReader(stream)}
            for name, plate in sorted(plates.items()):
                cut = cut_file(Path(folder) / name)
                faces += [Rendered(face, plate == "1") for face in cut if face.flan.sure]
    return faces


def statistics(arguments: argparse.Namespace) -> None:
    """Plain statistics of rendered faces against the spread of real ones."""
    from mint_critic import real_faces
    from mint_statistics import face_statistics

    real = {even: real_faces(arguments.real, even) for even in (True, False)}
    rendered = rendered_faces(arguments.collections, 7001, arguments.jobs)
    made_faces = [each.face for each in rendered]
    in_colour = np.array([not each.plate for each in rendered])
    tables = [
        [face_statistics(face.picture, face.mask) for face in faces]
        for faces in (real[True], real[False], made_faces)
    ]
    print(
        f"{len(real[True])} real faces that guide, {len(real[False])} that report, "
        f"{len(rendered)} rendered, {int((~in_colour).sum())} of them from plates"
    )
    print(
        f"{'':24s} {'guide':>8s} | {'report: 5 %':>11s} {'median':>8s} {'95 %':>8s} | "
        f"{'rendered':>8s} {'inside':>7s} {'without plates':>15s}"
    )
    for name in tables[0][0]:
        guide, report, made = (np.array([row[name] for row in table]) for table in tables)
        low, middle, high = np.quantile(report, [0.05, 0.5, 0.95])
        inside = (made >= low) & (made <= high)
        print(
            f"{name:24s} {np.median(guide):8.3f} | {low:11.3f} {middle:8.3f} {high:8.3f} | "
            f"{np.median(made):8.3f} {inside.mean():7.2f} {inside[in_colour].mean():15.2f}"
        )


def critic(arguments: argparse.Namespace) -> None:
    """Train a critic on even-numbered real photographs and say what it keys on on odd ones."""
    import mint_critic as judge
    import torch

    torch.set_num_threads(arguments.jobs)
    # The small real faces have hardly more pixels than the critic looks at: beside them every
    # larger picture is told by its sharpness alone. So large faces are set against large ones.
    real = {
        even: judge.real_faces(arguments.real, even, ("roman_pairs",)) for even in (True, False)
    }
    rendered = {
        even: [
            each.face
            for each in rendered_faces(arguments.collections, seed, arguments.jobs)
            if each.face.flan.circle.radius > 130
        ]
        for even, seed in ((True, 5001), (False, 6001))
    }
    for even in (True, False):
        word = "to learn" if even else "to judge"
        print(f"{word}: {len(real[even])} real faces, {len(rendered[even])} rendered")
    crops = {
        (kind, even): judge.draw_crops(faces[even], 10 * even + (kind == "real"))
        for kind, faces in (("real", real), ("rendered", rendered))
        for even in (True, False)
    }
    print("each statistic alone (area under the curve; 0.5: cannot tell):")
    rows = {key: judge.statistics(value.values) for key, value in crops.items()}
    for name in rows["real", False]:
        learned = judge.auc(rows["rendered", True][name], rows["real", True][name])
        judged = judge.auc(rows["rendered", False][name], rows["real", False][name])
        print(f"  {name:26s} {learned:.3f} {judged:.3f}")
    for said, low, high in (
        ("all detail", None, None),
        ("coarse (over 4 px)", None, 4.0),
        ("middle (1.5 to 4 px)", 4.0, 1.5),
        ("fine (under 1.5 px)", 1.5, None),
    ):
        parts = {key: judge.ablated(value.values, low, high) for key, value in crops.items()}
        network = judge.train_critic(parts["real", True], parts["rendered", True])
        fake, true = (judge.judge(network, parts[kind, False]) for kind in ("rendered", "real"))
        faces = [
            judge.by_face(scores, crops[kind, False].face)
            for kind, scores in (("rendered", fake), ("real", true))
        ]
        hits = 0.5 * float((fake > 0).mean() + (true <= 0).mean())
        print(
            f"critic, {said:22s} AUC a crop {judge.auc(fake, true):.3f}, a face "
            f"{judge.auc(*faces):.3f}, accuracy {hits:.3f}"
        )
        if said == "all detail":
            ring = crops["rendered", False].radius
            for inner, outer in ((0.0, 0.4), (0.4, 0.75), (0.75, 1.01)):
                chosen = (ring >= inner) & (ring < outer)
                print(
                    f"    rendered crops at {inner:.2f}-{outer:.2f} of the radius: mean logit "
                    f"{fake[chosen].mean():+.2f}"
                )
            if arguments.out is not None:
                _telltale(rendered[False], crops["rendered", False], fake, arguments.out)


def _telltale(faces: list[Face], crops: object, logits: np.ndarray, out: Path) -> None:
    """The rendered faces most and least easily told from real ones, three rows each."""
    scores = np.array([logits[crops.face == i].mean() for i in range(len(faces))])  # type: ignore[attr-defined]
    order = np.argsort(scores)
    rows = []
    for chosen in (order[:24], order[::-1][:24]):
        tiles = [
            cv2.resize(faces[i].picture, (160, 160), interpolation=cv2.INTER_AREA) for i in chosen
        ]
        rows += [np.hstack(tiles[i : i + 8]) for i in (0, 8, 16)]
    cv2.imwrite(str(out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


# -------------------------------------------------------------------------------------------- speed


def speed(arguments: argparse.Namespace) -> None:
    """Faces a second of the stream, dies engraved beforehand, and where the time goes."""
    import cProfile
    import pstats

    import torch

    from dieindex.mint.stream import MintStream, StreamSettings
    from dieindex.mint.types import engrave, sample_type

    start = time.perf_counter()
    for number in range(12):
        engrave(sample_type(number, SIDES[number % 2]), number)
    print(f"engraving: {(time.perf_counter() - start) / 12 * 1000:.0f} ms a die")
    settings = StreamSettings(
        size=arguments.size, working_types=4, types_per_batch=4, batches_per_type=10**6
    )
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        stream = MintStream(1, settings=settings, device=arguments.device)
        for number in range(8):
            stream.batch(number)  # engraves every die that the timed batches use
        start, faces = time.perf_counter(), 0
        for number in range(8):
            faces += len(stream.batch(number))
        seconds = time.perf_counter() - start
        print(
            f"stream of {arguments.size} px faces, one process, {threads} threads: "
            f"{faces / seconds:.1f} faces a second"
        )
    profile = cProfile.Profile()
    profile.runcall(stream.batch, 0)
    pstats.Stats(profile).strip_dirs().sort_stats("cumulative").print_stats(arguments.lines)
    if arguments.processes > 1:
        _many_processes(arguments)


def _stream_job(job: tuple[int, int, float]) -> int:
    """Faces one worker streams in a given time, dies engraved beforehand."""
    import torch

    from dieindex.mint.stream import MintStream, StreamSettings

    worker, size, seconds = job
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = StreamSettings(size=size, working_types=4, types_per_batch=4, batches_per_type=10**6)
    stream = MintStream(1, settings=settings, worker=worker)
    for number in range(6):
        stream.batch(number)
    faces, number, start = 0, 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        faces += len(stream.batch(number % 6))
        number += 1
    return round(faces / (time.perf_counter() - start) * 1000)


def _many_processes(arguments: argparse.Namespace) -> None:
    jobs = [(worker, arguments.size, 12.0) for worker in range(arguments.processes)]
    with ProcessPoolExecutor(arguments.processes) as pool:
        rate = sum(pool.map(_stream_job, jobs)) / 1000
    print(f"{arguments.processes} processes of one thread: {rate:.1f} faces a second together")


# ----------------------------------------------------------------------------------- contact sheets


def sheets(arguments: argparse.Namespace) -> None:
    """Contact sheets for docs/research/mint.md."""
    import mint_sheets

    mint_sheets.draw_all(arguments.out, arguments.seed)


def parser() -> argparse.ArgumentParser:
    """The command line of the benchmark."""
    root = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    verbs = root.add_subparsers(required=True)
    verb = verbs.add_parser("peer", help="AP of the tuned peer over all pairs")
    verb.add_argument("--types", type=int, default=5)
    verb.add_argument("--first-seed", type=int, default=101)
    verb.add_argument("--coins", type=int, default=91)
    verb.add_argument("--difficulty", nargs="+", choices=DIFFICULTY_NAMES, default=DIFFICULTY_NAMES)
    verb.add_argument("--side", choices=[*SIDES, "both", "alternate"], default="both")
    verb.add_argument("--share", type=float, default=1.0, help="of the different-die pairs")
    verb.add_argument("--method", choices=matcher_names(), default="xfeat")
    verb.add_argument("--jobs", type=int, default=2)
    verb.set_defaults(run=peer)
    verb = verbs.add_parser("statistics", help="plain statistics, rendered against real")
    verb.add_argument("--real", type=Path, default=Path("../shared/data/real"))
    verb.add_argument("--collections", type=int, default=24)
    verb.add_argument("--jobs", type=int, default=2)
    verb.set_defaults(run=statistics)
    verb = verbs.add_parser("critic", help="what a classifier tells rendered from real by")
    verb.add_argument("--real", type=Path, default=Path("../shared/data/real"))
    verb.add_argument("--collections", type=int, default=24)
    verb.add_argument("--jobs", type=int, default=2)
    verb.add_argument("--out", type=Path, help="picture of the most and least telling faces")
    verb.set_defaults(run=critic)
    verb = verbs.add_parser("speed", help="faces a second of the stream, with a profile")
    verb.add_argument("--size", type=int, default=256)
    verb.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    verb.add_argument("--processes", type=int, default=2)
    verb.add_argument("--device", default="cpu")
    verb.add_argument("--lines", type=int, default=30)
    verb.set_defaults(run=speed)
    verb = verbs.add_parser("sheets", help="contact sheets")
    verb.add_argument("out", type=Path)
    verb.add_argument("--seed", type=int, default=1)
    verb.set_defaults(run=sheets)
    return root


def main() -> None:
    """Run the benchmark named on the command line."""
    arguments = parser().parse_args()
    start = time.monotonic()
    arguments.run(arguments)
    print(f"({time.monotonic() - start:.0f} s)", file=sys.stderr)


if __name__ == "__main__":
    main()
