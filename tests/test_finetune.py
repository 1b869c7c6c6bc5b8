"""Fine-tuning on labelled coins: dies kept apart, too few refused, no worse encoder taken."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.alignment.warping import unit_to_frame, warp_to_frame
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork, load_descriptors
from dieindex.encoder.module_files import load_module, save_modules
from dieindex.errors import TrainingError
from dieindex.records import FACE_SIZE, FLAN_RADIUS, OBVERSE, REVERSE, Circle, Face, Flan
from dieindex.training.augment import PLAIN, see
from dieindex.training.finetune import FinetuneConfig, finetune, sample_batch, some_dies
from dieindex.training.plots import plot_run
from dieindex.training.watching import (
    LabelledFace,
    Watched,
    better_share,
    labelled_shard,
    split_dies,
)
from dieindex.verification.comparator import Comparator

TINY = DescriptorConfig(
    input_size=64, width=12, blocks=1, context=0, descriptor=16, dimension=16, vector_channels=8
)
MIDDLE = (FACE_SIZE - 1) / 2
QUICK = FinetuneConfig(minutes=5, rate=2e-3, dies=6, strikes=3, every=15, patience=2)


def made_face(die: int, strike: int, side: str = OBVERSE) -> LabelledFace:
    """A die that is a random relief, under light of either sign, turned and shifted."""
    rng = np.random.default_rng([die, side == REVERSE])
    relief = cv2.resize(rng.random((14, 14), np.float32), (FACE_SIZE,) * 2, interpolation=2)
    rng = np.random.default_rng([die, strike, 1])
    light = relief if rng.random() < 0.5 else 1 - relief
    turn = cv2.getRotationMatrix2D((MIDDLE, MIDDLE), rng.uniform(-20, 20), 1.0)
    turn[:, 2] += rng.uniform(-6, 6, 2)
    grey = cv2.warpAffine(light, turn, (FACE_SIZE,) * 2, borderMode=cv2.BORDER_REFLECT)
    grey = np.clip(40 + 170 * (grey + 0.03 * rng.standard_normal(grey.shape)), 0, 255)
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE]
    mask = np.hypot(x - MIDDLE, y - MIDDLE) < FLAN_RADIUS * FACE_SIZE
    flan = Flan(Circle(MIDDLE, MIDDLE, FLAN_RADIUS * FACE_SIZE), 1.0, True)
    picture = np.repeat(grey.astype(np.uint8)[..., None], 3, 2)
    radius = FLAN_RADIUS * FACE_SIZE
    to_unit = np.array([[1 / radius, 0, -MIDDLE / radius], [0, 1 / radius, -MIDDLE / radius]])
    back = np.linalg.inv(np.vstack([turn, [0, 0, 1]]))
    to_frame = unit_to_frame() @ np.vstack([to_unit, [0, 0, 1]]) @ back
    return LabelledFace(Face(side, picture, mask, flan), to_frame, 0, f"d{die}")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def faces() -> list[LabelledFace]:
    """Two sides, 24 dies of three faces and 6 of one each."""
    return [
        made_face(die, strike, side)
        for side in (OBVERSE, REVERSE)
        for die in range(30)
        for strike in range(3 if die < 24 else 1)
    ]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has learned nothing yet."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "start.safetensors"
    about = {"config": json.dumps(vars(TINY)), "provenance": "Chosen by lot."}
    modules = {"encoder": DescriptorNetwork(TINY), "comparator": Comparator()}
    save_modules(modules, path, about)
    return path


def test_faces_are_warped_as_the_encoder_sees_them(faces: list[LabelledFace]) -> None:
    shard = labelled_shard(faces[:4])
    seen = see(shard, PLAIN, torch.Generator(), 64).faces.numpy()
    for row, each in zip(seen, faces[:4], strict=True):
        picture, mask = warp_to_frame(each.face.picture, each.face.mask, each.to_frame, 64)
        assert ((row[1] > 0.5) == mask).mean() > 0.98
        both = (row[1] > 0.5) & mask
        apart = np.abs(255 * row[0] - picture[..., 0])[both]
        assert apart.mean() < 4


def test_dies_are_those_of_a_side(faces: list[LabelledFace]) -> None:
    shard = labelled_shard(faces)
    assert len(np.unique(shard.die)) == 60
    assert len(np.unique(shard.type)) == 2
    names = [(each.face.side, each.die) for each in faces]
    for number in np.unique(shard.die):
        assert len({names[i] for i in np.flatnonzero(shard.die == number)}) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=12, max_size=60), st.integers(0, 50))
def test_no_die_is_on_both_sides_of_the_split(sizes: list[int], seed: int) -> None:
    die = np.repeat(np.arange(len(sizes)), sizes)
    held = split_dies(_Dies(die), 0.3, seed)  # type: ignore[arg-type]
    assert not set(die[held]) & set(die[~held])
    pairs = np.array([s * (s - 1) // 2 for s in sizes])
    share = pairs[np.unique(die[held])].sum()
    # As near to the share as whole dies allow.
    assert abs(share - 0.3 * pairs.sum()) <= max(1, pairs.max())
    if max(sizes) == 1:
        assert 0.2 <= held.mean() <= 0.4


class _Dies:
    """As much of a shard as splitting needs."""

    def __init__(self, die: np.ndarray) -> None:
        self.die = die


def test_a_batch_is_full_of_pairs_of_one_frame(faces: list[LabelledFace]) -> None:
    shard = labelled_shard(faces)
    sampled = set()
    for seed in range(6):
        batch = sample_batch(shard, QUICK, np.random.default_rng(seed))
        assert len(np.unique(batch.type)) == 1
        sampled.add(int(batch.type[0]))
        _, count = np.unique(batch.die, return_counts=True)
        assert len(count) == QUICK.dies
        assert (count > 1).sum() >= 4
        assert count.max() <= QUICK.strikes
    assert len(sampled) == 2


def test_a_large_collection_gives_whole_dies(faces: list[LabelledFace]) -> None:
    some = some_dies(faces, 50, 3)
    assert 40 <= len(some) <= 50
    whole: dict[tuple[str, str], int] = {}
    for each in faces:
        name = (each.face.side, each.die)
        whole[name] = whole.get(name, 0) + 1
    kept = [(each.face.side, each.die) for each in some]
    assert all(kept.count(name) == whole[name] for name in kept)


def _plotted_where_it_can_be(run: Path) -> None:
    """Curves of a run without all columns can be plotted, if there is what plots them."""
    if importlib.util.find_spec("matplotlib"):
        plot_run(run, run / "run.png")
        assert (run / "run.png").stat().st_size > 1000


def test_it_learns_on_some_dies_what_holds_for_others(
    faces: list[LabelledFace], start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "dieindex.training"):
        found = finetune(faces, start, tmp_path / "run", QUICK)
    assert found.better
    assert found.after["vector_less_mean"] > found.before["vector_less_mean"] + 0.05
    assert found.dies_fitted + found.dies_held_out == 60
    tuned, before = load_descriptors(found.weights), load_descriptors(start)
    assert tuned.config == before.config
    assert not torch.equal(tuned.describe.weight, before.describe.weight)
    assert caplog.messages[0].startswith(f"{found.dies_fitted} dies to learn from")
    _plotted_where_it_can_be(tmp_path / "run")
    with pytest.raises(TrainingError, match="holds a run already"):
        finetune(faces, start, tmp_path / "run", QUICK)


def test_where_labels_say_nothing_the_start_stays(
    faces: list[LabelledFace], start: Path, tmp_path: Path
) -> None:
    order = np.random.default_rng(0).permutation(len(faces))
    wrong = [replace(each, die=faces[i].die) for each, i in zip(faces, order, strict=True)]
    config = replace(QUICK, every=6, patience=1)
    found = finetune(wrong, start, tmp_path / "run", config)
    assert not found.better
    assert found.sure < 0.9


def test_weights_without_a_comparator_are_judged_by_their_vector(
    faces: list[LabelledFace], start: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.safetensors"
    about = {"config": json.dumps(vars(TINY)), "provenance": "Chosen by lot."}
    network = DescriptorNetwork(TINY)
    load_module(network, "encoder", start)
    save_modules({"encoder": network}, alone, about)
    config = replace(QUICK, every=5, patience=1)
    found = finetune(faces, alone, tmp_path / "run", config)
    assert set(found.before) == {"vector", "vector_less_mean", "dense_less_mean"}
    _plotted_where_it_can_be(tmp_path / "run")


def test_too_few_labels_are_refused(faces: list[LabelledFace], start: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"6 known dies are too few .* Label more coins"):
        finetune(faces[:18], start, tmp_path / "run", QUICK)
    singles = [each for number, each in enumerate(faces) if number % 3 == 0]
    with pytest.raises(TrainingError, match="0 pairs of one die to learn from"):
        finetune([replace(f, die=str(i)) for i, f in enumerate(singles)], start, tmp_path / "b")
    assert not (tmp_path / "run").exists()


def test_better_means_better_on_most_resamples() -> None:
    rng = np.random.default_rng(0)
    die = np.repeat(np.arange(12), 3)
    a, b = np.triu_indices(len(die), 1)
    frame = np.zeros(len(a), np.int64)

    def seen(spread: float) -> Watched:
        values = (die[a] == die[b]) + rng.normal(0, spread, len(a))
        return Watched(die[a], die[b], frame, {"vector_less_mean": values}, ("vector_less_mean",))

    good, bad = seen(0.3), seen(1.5)
    assert better_share(good, bad, 0) > 0.95
    assert better_share(bad, good, 0) < 0.05
    assert better_share(good, good, 0) == 0
    few = Watched(*(x[die[b] < 5] for x in (die[a], die[b], frame)), {"v": np.zeros(1)}, ("v",))
    assert better_share(few, few, 0) == 0
