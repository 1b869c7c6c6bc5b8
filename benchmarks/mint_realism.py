"""How real rendered faces look: plain statistics beside real ones, and what a critic keys on."""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import mint_critic as judge
import numpy as np
import torch
from mint_statistics import face_statistics

from dieindex.collection.photographs import cut_file
from dieindex.mint.collections import mint_collection
from dieindex.mint.order import DIFFICULTY_NAMES, CollectionOrder
from dieindex.records import Face, Floats32


@dataclass(frozen=True)
class Rendered:
    """A rendered face as it comes back from its file."""

    face: Face
    plate: bool
    """Out of a black-and-white plate: the real photographs that are compared have none."""


def rendered_faces(collections: int, first_seed: int, jobs: int) -> list[Rendered]:
    """Faces of small collections of every difficulty, written, read and cut like real ones."""
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
    real = {even: judge.real_faces(arguments.real, even) for even in (True, False)}
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
        (kind, even): judge.sample_crops(faces[even], 10 * even + (kind == "real"))
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


def _telltale(faces: list[Face], crops: judge.Crops, logits: Floats32, out: Path) -> None:
    """The rendered faces most and least easily told from real ones, three rows each."""
    scores = np.array([logits[crops.face == i].mean() for i in range(len(faces))])
    order = np.argsort(scores)
    rows = []
    for chosen in (order[:24], order[::-1][:24]):
        tiles = [
            cv2.resize(faces[i].picture, (160, 160), interpolation=cv2.INTER_AREA) for i in chosen
        ]
        rows += [np.hstack(tiles[i : i + 8]) for i in (0, 8, 16)]
    cv2.imwrite(str(out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
