"""Pool, augmentation, steps and whole runs of training."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional as F

from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import centred, load_descriptors
from dieindex.encoder.weights import read_card
from dieindex.errors import EncoderError, TrainingError
from dieindex.mint.order import TRAIN_TYPES, VALIDATION_TYPES
from dieindex.mint.stream import MintStream
from dieindex.records import FACE_SIZE
from dieindex.training.augment import PLAIN, AugmentSettings, frame_matrices, see, true_displacement
from dieindex.training.checkpoints import load_checkpoint
from dieindex.training.config import TrainConfig
from dieindex.training.learner import Clock, Learner, choose_pairs, rate_factor
from dieindex.training.plots import plot_run
from dieindex.training.pool import ShardPool
from dieindex.training.rendering import SHARD_SETTINGS, RenderOrder, render, render_workers
from dieindex.training.shards import (
    POOL_SIZE,
    TRUTH_SIZE,
    Shard,
    aligned_frames,
    centred_frames,
    concatenated,
    on_die_frame,
    read_shard,
    shard_files,
    write_shard,
)
from dieindex.training.train import train
from dieindex.training.validation import (
    ValidationOrder,
    describe_shard,
    score,
    validate,
    vector_similarity,
)

TINY = DescriptorConfig(
    input_size=64, width=12, blocks=1, context=0, descriptor=16, dimension=16, vector_channels=8
)
QUICK = TrainConfig(
    steps=6, types=1, dies=3, strikes=2, pairs=8, network=TINY, workers=0, uses=None, mixed=False
)


def made_shard(seed: int, dies: int = 4, strikes: int = 3) -> Shard:
    """A type of dies that are random reliefs, under light of either sign."""
    rng = np.random.default_rng(seed)
    steps = np.linspace(-1.2, 1.2, POOL_SIZE)
    flan = (steps[:, None] ** 2 + steps[None] ** 2 < 1).astype(np.uint8) * 255
    pictures, die = [], []
    for name in range(dies):
        coarse = torch.from_numpy(rng.random((1, 1, 28, 28), np.float32))
        relief = F.interpolate(coarse, POOL_SIZE, mode="bicubic")[0, 0].clamp(0, 1).numpy()
        for _ in range(strikes):
            light = relief if rng.random() < 0.5 else 1 - relief
            noisy = light + 0.03 * rng.standard_normal(light.shape)
            pictures.append([np.clip(40 + 170 * noisy, 0, 255).astype(np.uint8), flan])
            die.append(seed * 100 + name)
    n = len(die)
    return Shard(
        picture=np.array(pictures, np.uint8),
        visible=np.full((n, TRUTH_SIZE, TRUTH_SIZE), 255, np.uint8),
        flow=np.zeros((n, 2, TRUTH_SIZE, TRUTH_SIZE), np.float16),
        die=np.array(die, np.int64),
        type=np.full(n, seed, np.int64),
        frame=np.repeat(np.eye(3, dtype=np.float32)[None], n, 0),
    )


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    folder = tmp_path / "pool"
    folder.mkdir()
    for seed in range(3):
        write_shard(made_shard(seed), folder / f"1-0-{seed:06d}.npz")
    return folder


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------- pool


def test_faces_of_the_mint_coincide_on_the_die_frame() -> None:
    settings = replace(
        SHARD_SETTINGS, dies_per_type=1, dies_in_type=1, strikes_per_die=4, difficulty="easy"
    )
    batch = MintStream(3, None, TRAIN_TYPES, settings).batch(0)
    placed = see(on_die_frame(batch), PLAIN, seeded(0), 192)

    def likeness(faces: torch.Tensor) -> float:
        """Mean correlation of edge strength over pairs of faces, at a scale that shows misfits."""
        grey = faces[:, :1] - F.avg_pool2d(faces[:, :1], 13, 1, 6)
        edges = F.avg_pool2d((grey[..., 1:, 1:] - grey[..., :-1, :-1]).abs(), 3, 2)
        flat = edges[:, 0, 20:75, 20:75].flatten(1)
        return float(torch.corrcoef(flat)[np.triu_indices(4, 1)].mean())

    grey = batch.pictures.float().mean(1, keepdim=True) / 255
    only_centred = F.interpolate(grey, 192, mode="area")
    assert likeness(placed.faces) > likeness(only_centred) + 0.1
    # A die's own point is at the same place on all faces, but for the flow of the metal.
    assert (placed.place - placed.place.mean(0)).abs().max() < 0.08


def test_real_frames_lay_faces_nearly_as_the_truth_does_and_leave_out_what_does_not_align() -> None:
    settings = replace(
        SHARD_SETTINGS, dies_per_type=3, dies_in_type=3, strikes_per_die=4, difficulty="easy"
    )
    batch = MintStream(3, None, TRAIN_TYPES, settings).batch(0)
    frames = aligned_frames(batch)
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([0.7 * np.cos(turn), 0.7 * np.sin(turn), np.ones(12)])
    placed = frames @ ring
    placed = placed[:, :2] / placed[:, 2:]
    apart = np.hypot(*(placed - np.median(placed, 0)).transpose(1, 0, 2)).mean(1) / 2
    assert np.median(apart) < 0.02  # of the diameter; dies of a type differ by about as much
    lost = frames.copy()
    lost[[1, 5]] = np.nan
    shard = on_die_frame(batch, lambda _: lost)
    assert len(shard) == 10
    assert np.array_equal(shard.die, np.delete(batch.die.numpy(), [1, 5]))


def test_centred_frames_leave_faces_as_they_were_cut_and_unknown_ones_are_refused(
    tmp_path: Path,
) -> None:
    settings = replace(SHARD_SETTINGS, dies_per_type=1, dies_in_type=1, strikes_per_die=2)
    batch = MintStream(3, None, TRAIN_TYPES, settings).batch(0)
    frames = centred_frames(batch)
    middle = batch.homography.numpy() @ np.linalg.inv(frames) @ np.array([0, 0, 1.0])
    assert middle[:, :2] / middle[:, 2:] == pytest.approx(np.full((2, 2), (FACE_SIZE - 1) / 2))
    with pytest.raises(TrainingError, match="upright"):
        render(RenderOrder(tmp_path, settings=settings, frames="upright"), 1)


def test_true_frames_are_jittered_more_than_real_ones() -> None:
    shard = made_shard(1)
    shifted = np.array([[1, 0, 0.05], [0, 1, 0], [0, 0, 1]], np.float32)
    real = replace(shard, frame=np.repeat(shifted[None], len(shard), 0))
    still = AugmentSettings(shared_turn=False, shared_affine=0, tail=0)
    true_spread = (frame_matrices(shard, still, seeded(0)) - torch.eye(3)).std(0).mean()
    real_spread = frame_matrices(real, still, seeded(0)).std(0).mean()
    assert real_spread == pytest.approx(float(true_spread) * still.real, rel=0.05)


def test_a_shard_comes_back_from_disk_and_nothing_else_does(tmp_path: Path) -> None:
    shard = made_shard(1)
    write_shard(shard, tmp_path / "a.npz")
    back = read_shard(tmp_path / "a.npz")
    for name, value in vars(shard).items():
        assert np.array_equal(getattr(back, name), value)
        assert getattr(back, name).dtype == value.dtype
    (tmp_path / "b.npz").write_bytes(b"half a file")
    with pytest.raises(TrainingError, match=r"b\.npz"):
        read_shard(tmp_path / "b.npz")


def test_a_batch_holds_several_dies_of_each_of_several_types(pool: Path) -> None:
    sampled = ShardPool(pool).sample(np.random.default_rng(0), types=2, dies=3, strikes=2)
    assert len(sampled) == 12
    for kind in np.unique(sampled.type):
        _, counts = np.unique(sampled.die[sampled.type == kind], return_counts=True)
        assert counts.tolist() == [2, 2, 2]
    again = ShardPool(pool).sample(np.random.default_rng(0), types=2, dies=3, strikes=2)
    assert np.array_equal(sampled.picture, again.picture)
    with pytest.raises(TrainingError, match="3 shards, 4 are needed"):
        ShardPool(pool).sample(np.random.default_rng(0), types=4, dies=3, strikes=2)


def test_shards_give_way_after_their_uses_but_never_the_newest(pool: Path) -> None:
    shards = ShardPool(pool, uses=2, least=1)
    for step in range(20):
        shards.sample(np.random.default_rng(step), 1, 2, 2)
    # The newest file says where its worker goes on.
    assert [p.name for p in shard_files(pool)] == ["1-0-000002.npz"]


def test_a_worker_goes_on_behind_the_last_shard_and_ends_with_the_block(pool: Path) -> None:
    settings = replace(SHARD_SETTINGS, dies_per_type=2, dies_in_type=2, strikes_per_die=2)
    with render_workers(RenderOrder(pool, 1, capacity=4, settings=settings, frames="true"), 1):
        ShardPool(pool).wait(4, seconds=120)
    fresh = read_shard(pool / "1-0-000003.npz")
    assert len(fresh) == 4
    assert np.unique(fresh.die).size == 2
    assert fresh.picture[:, 0].std() > 1
    assert fresh.visible.max() > 100
    with pytest.raises(TrainingError, match="fewer than 9 shards"):
        ShardPool(pool).wait(9, seconds=0)


def test_training_and_validation_share_no_type() -> None:
    assert RenderOrder(Path()).types is TRAIN_TYPES
    assert ValidationOrder(Path()).first == VALIDATION_TYPES.start
    assert not set(TRAIN_TYPES) & set(VALIDATION_TYPES)


# ------------------------------------------------------------------------------------ augmentation


def test_the_frame_an_alignment_gave_is_taken_into_account() -> None:
    shard = made_shard(2, dies=1, strikes=1)
    turned = np.array([[[0, -1, 0], [1, 0, 0], [0, 0, 1]]], np.float32)
    plain = see(shard, PLAIN, seeded(0), 64).faces
    seen = see(replace(shard, frame=turned), PLAIN, seeded(0), 64).faces
    # A frame turned by a quarter (x to y) shows the same face turned by a quarter.
    assert torch.allclose(seen, torch.rot90(plain, -1, (2, 3)), atol=1e-3)
    assert not torch.allclose(seen, plain, atol=0.1)


def test_types_are_turned_alike_and_faces_jittered_apart() -> None:
    shard = concatenated([made_shard(3, 2, 2), made_shard(4, 2, 2)])
    only_shared = replace(PLAIN, shared_turn=True, shared_affine=0.1)
    shared = frame_matrices(shard, only_shared, seeded(1))
    assert torch.allclose(shared[:4], shared[:1].expand(4, 3, 3))
    assert not torch.allclose(shared[0], shared[4], atol=0.05)
    jittered = frame_matrices(shard, replace(PLAIN, shift=0.02, turn=2), seeded(1))
    assert (jittered[0] - jittered[1]).abs().max() > 1e-3
    assert (jittered - torch.eye(3)).abs().max() < 0.3


def test_the_true_displacement_is_where_the_like_cell_lies() -> None:
    # One die struck twice, seen under different jitter: the picture of the first, looked up at
    # the displaced places of the second, is found again.
    shard = made_shard(5, dies=1, strikes=1).take([0, 0])
    own = replace(
        PLAIN,
        shift=0.03,
        turn=4.0,
        scale=0.03,
        affine=0.02,
        shared_turn=True,
        shared_affine=0.1,
        tail=0,
    )
    seen = see(shard, own, seeded(2), 192)
    moved, weight = true_displacement(seen, torch.tensor([0]), torch.tensor([1]))
    assert moved.abs().max() > 1
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    grid = ((torch.stack([x + moved[0, 0], y + moved[0, 1]], -1) + 0.5) * 2 / 48 - 1)[None]
    coarse = F.avg_pool2d(seen.faces[:, :1], 4)
    found = F.grid_sample(coarse[1:], grid, align_corners=False)
    inner = weight > 0.99
    assert inner.float().mean() > 0.4
    missed = (found - coarse[:1])[inner].abs().mean()
    assert missed < 0.25 * (coarse[1:] - coarse[:1])[inner].abs().mean()


def test_equal_seeds_give_equal_faces_and_another_look_stays_in_range() -> None:
    shard = made_shard(6)
    one, two = (see(shard, AugmentSettings(), seeded(3), 64) for _ in range(2))
    other = see(shard, AugmentSettings(), seeded(4), 64)
    assert torch.equal(one.faces, two.faces)
    assert not torch.equal(one.faces, other.faces)
    assert one.faces.min() >= 0
    assert one.faces.max() <= 1
    assert set(one.faces[:, 1].unique().tolist()) == {0.0, 1.0}


# ------------------------------------------------------------------------------------------ steps


def test_pairs_are_half_of_one_die_and_half_of_two_dies_of_one_type() -> None:
    die = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3, 3])
    group = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1])
    vectors = F.normalize(torch.randn(9, 8, generator=seeded(0)), dim=1)
    first, second = choose_pairs(vectors, die, group, 12, seeded(1))
    same = die[first] == die[second]
    assert same.tolist() == [True] * 6 + [False] * 6
    assert (group[first] == group[second]).all()
    assert (first != second).all()
    unordered = {frozenset(p) for p in zip(first.tolist(), second.tolist(), strict=True)}
    hard = [p for p in unordered if len(p) == 2]
    assert len(hard) >= 9
    # The nearest different-die pair of one type is always among them.
    similarity = vectors @ vectors.T
    similarity[(die[:, None] == die) | (group[:, None] != group)] = -2
    nearest = divmod(int(similarity.argmax()), 9)
    assert frozenset(nearest) in unordered


def test_a_tiny_set_is_learned_by_heart() -> None:
    shard = made_shard(7, dies=3, strikes=3)
    easy = replace(PLAIN, shift=0.005, turn=0.5, scale=0.005, tail=0)
    learner = Learner(replace(QUICK, steps=60, dies=3, strikes=3, augment=easy, rate=8e-3))
    losses = [learner.advance(shard, Clock()) for _ in range(60)]
    early = torch.stack([x.total for x in losses[:5]]).mean()
    late = torch.stack([x.total for x in losses[-5:]]).mean()
    assert late < 0.6 * early
    assert torch.stack([x.verdict for x in losses[-5:]]).mean() < 0.2
    assert torch.stack([x.flow for x in losses[-5:]]).mean() < losses[0].flow - 0.3
    described = describe_shard(learner.network.eval(), shard, 0, settings=PLAIN)
    assert score(vector_similarity(described, less_mean=True), shard.die).ap > 0.95


def test_the_rate_rises_then_falls() -> None:
    assert rate_factor(0, 0.0) == pytest.approx(0.01)
    falling = [rate_factor(1000, p) for p in (0.0, 0.3, 0.6, 1.0)]
    assert falling[0] == 1.0
    assert all(a > b for a, b in pairwise(falling))
    assert falling[-1] == pytest.approx(0.01)


# ------------------------------------------------------------------------------------- whole runs


def test_a_resumed_run_ends_as_an_unbroken_one(pool: Path, tmp_path: Path) -> None:
    whole = train(QUICK, tmp_path / "whole", pool)
    config = replace(QUICK, steps=12)  # broken off half way, where the rate depends on the whole

    class Stop(Exception):
        pass

    learner_advance = Learner.advance

    def advance(self: Learner, shard: Shard, clock: Clock) -> object:
        if self.step == 5 and not (tmp_path / "broken" / "seen").exists():
            (tmp_path / "broken" / "seen").touch()
            raise Stop
        return learner_advance(self, shard, clock)

    unbroken = train(config, tmp_path / "unbroken", pool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "advance", advance)
        with pytest.raises(Stop):
            train(config, tmp_path / "broken", pool)
        broken = train(config, tmp_path / "broken", pool)
    states = []
    for run in (unbroken, broken):
        learner = Learner(config)
        learner.load(run / "last.safetensors")
        assert learner.step == 12
        states.append(learner)
    for one, other in zip(
        states[0].average.state_dict().values(),
        states[1].average.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(one, other)
    shorter = Learner(QUICK)
    shorter.load(whole / "last.safetensors")
    assert not torch.equal(shorter.network.project.weight, states[0].network.project.weight)
    # What is kept to be used is small, and loads without the training code.
    assert (broken / "last.safetensors").stat().st_size < 15e6
    assert load_descriptors(broken / "best.safetensors").config == TINY
    assert json.loads((broken / "config.json").read_text())["steps"] == 12


def test_a_leg_ends_by_the_clock_and_the_next_one_goes_on(pool: Path, tmp_path: Path) -> None:
    leg = replace(QUICK, steps=3, leg_minutes=0.0)
    for done in (1, 2, 3):
        train(leg, tmp_path / "legs", pool)
        learner = Learner(leg)
        learner.load(tmp_path / "legs" / "last.safetensors")
        assert learner.step == done
        assert load_descriptors(tmp_path / "legs" / "best.safetensors").config == TINY
    unbroken = Learner(leg)
    run = train(replace(leg, leg_minutes=None), tmp_path / "unbroken", pool)
    unbroken.load(run / "last.safetensors")
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, learner.network.state_dict()[name]), name


def test_a_run_can_begin_with_another_ones_encoder(pool: Path, tmp_path: Path) -> None:
    first = train(replace(QUICK, steps=2), tmp_path / "first", pool)
    start = first / "best.safetensors"
    with safe_open(str(start), "pt") as stored:
        story = {**(stored.metadata() or {}), "provenance": "Begun elsewhere."}
        state = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    save_file(state, start, metadata=story)
    second = train(replace(QUICK, steps=0), tmp_path / "second", pool, start=start)
    train(replace(QUICK, steps=0), second, pool)
    assert read_card(second / "best.safetensors").provenance == "Begun elsewhere."
    given, taken = (load_descriptors(run / "best.safetensors") for run in (first, second))
    for one, other in zip(given.parameters(), taken.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_cannot_begin_with_weights_that_are_not_there(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"gone\.safetensors: no such weights file"):
        train(QUICK, tmp_path / "run", pool, start=tmp_path / "gone.safetensors")


def test_statistics_stand_still_towards_the_end() -> None:
    shard = made_shard(10)
    learner = Learner(replace(QUICK, steps=10, still_norms=0.5))
    norms = [m for m in learner.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    means = []
    for _ in range(8):
        learner.advance(shard, Clock())
        means.append(norms[0].running_mean.clone())
    assert not torch.equal(means[3], means[4])
    assert torch.equal(means[5], means[7])


def test_a_run_of_another_network_is_not_gone_on_with(pool: Path, tmp_path: Path) -> None:
    train(replace(QUICK, steps=1), tmp_path / "run", pool)
    with pytest.raises(TrainingError, match="no checkpoint of this network"):
        train(replace(QUICK, network=replace(TINY, width=15)), tmp_path / "run", pool)
    with pytest.raises(TrainingError, match="no checkpoint"):
        load_checkpoint(tmp_path / "missing.safetensors", {})


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(TrainingError, match="at least 2"):
        replace(QUICK, strikes=1).check()
    with pytest.raises(TrainingError, match="Unknown loss cosine"):
        replace(QUICK, vector_losses={"cosine": 1.0}).check()
    with pytest.raises(TrainingError, match="Unknown setting rat"):
        TrainConfig.from_json({"rat": 1})
    for wrong in ({"network": {"bogus": 1}}, {"network": 5}, {"augment": {"bogus": 1}}):
        with pytest.raises(TrainingError, match=r"network|augment"):
            TrainConfig.from_json(wrong)
    assert TrainConfig.from_json(json.loads(json.dumps(QUICK.to_json()))) == QUICK


def test_a_run_is_plotted(pool: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run = train(replace(QUICK, steps=20), tmp_path / "run", pool)
    with (run / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["20"]
    assert float(rows[0]["s_backward"]) > 0
    plot_run(run, tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 5000
    with pytest.raises(TrainingError, match=r"no log\.csv"):
        plot_run(tmp_path, tmp_path / "none.png")


# ------------------------------------------------------------------------------------- validation


def test_scores_of_perfect_and_of_blind_similarities() -> None:
    die = np.repeat(np.arange(12), 3)
    perfect = (die[:, None] == die).astype(float)
    assert score(perfect, die).ap == 1
    assert score(perfect, die).recall == 1
    blind = score(np.zeros((36, 36)), die)
    assert blind.ap == pytest.approx(blind.chance) == pytest.approx(36 / (36 * 35 / 2))
    assert blind.recall == pytest.approx(20 / 35)


def test_a_share_of_the_different_pairs_stands_for_all() -> None:
    rng = np.random.default_rng(0)
    die = np.repeat(np.arange(40), 3)
    noisy = 1.5 * (die[:, None] == die) + rng.standard_normal((120, 120))
    noisy = (noisy + noisy.T) / 2
    whole = score(noisy, die).ap
    partly = []
    for _ in range(40):
        dropped = (rng.random((120, 120)) < 0.4) & (die[:, None] != die)
        partly.append(score(np.where(dropped | dropped.T, np.nan, noisy), die).ap)
    # Fewer negatives miss some that would have stood on top: a little is always gained.
    assert np.mean(partly) == pytest.approx(whole, abs=0.02)
    assert np.isnan(score(np.where(dropped | dropped.T, np.nan, noisy), die).recall)


def test_validation_leaves_the_learner_as_it_was_and_is_repeatable() -> None:
    learner = Learner(QUICK)
    learner.network.train()
    shards = {"easy": [made_shard(8)], "hard": [made_shard(9)]}
    before = [p.clone() for p in learner.network.state_dict().values()]
    one, two = (validate(learner.network, learner.comparator, shards) for _ in range(2))
    assert one == two
    assert learner.network.training
    for kept, now in zip(before, learner.network.state_dict().values(), strict=True):
        assert torch.equal(kept, now)
    assert 0 <= one["hard"]["comparator"].ap <= 1


def test_what_a_type_shares_can_hide_its_dies() -> None:
    # Not of this code but of the reason for it: with a strong common part, cosines say little.
    rng = torch.randn(12, 16, generator=seeded(0))
    die = np.repeat(np.arange(4), 3)
    own = rng[:4].repeat_interleave(3, 0) + 0.3 * torch.randn(12, 16, generator=seeded(1))
    strength = torch.linspace(5, 30, 12)[:, None]
    vectors = F.normalize(own + strength * F.normalize(rng[4], dim=0), dim=1)
    group = torch.zeros(12, dtype=torch.long)
    raw = (vectors @ vectors.T).double().numpy()
    less = (centred(vectors, group) @ centred(vectors, group).T).double().numpy()
    assert score(less, die).ap > score(raw, die).ap


def test_training_needs_only_torch_numpy_and_opencv() -> None:
    import subprocess
    import sys

    others = ("sklearn", "faiss", "pandas", "scipy", "openpyxl", "PIL", "click", "torchvision")
    check = (
        "import dieindex.training.train, dieindex.alignment.align, sys; "
        f"print([m for m in {(*others, 'matplotlib')} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1:] == ["[]"], result.stdout + result.stderr
