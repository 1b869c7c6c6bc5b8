"""What a distance means, fitted on types and carried by a weights file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, VERIFIED_PAIR, Fusion
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.descriptors import DescriptorNetwork
from dieindex.encoder.module_files import save_modules
from dieindex.encoder.weights import INDEX, PAIR, SHIPPED_WEIGHTS, read_card
from dieindex.errors import EncoderError
from dieindex.mint.order import VALIDATION_TYPES
from dieindex.records import Face
from dieindex.training import calibrate
from dieindex.training.calibrate import (
    AlignedType,
    Distances,
    fit_calibrations,
    type_radius,
    write_calibration,
)
from dieindex.verification.agreement import SCALE, DisplacementScale
from dieindex.verification.comparator import Comparator
from tests.coins_for_alignment import coin, design, place

DIES, STRIKES, PAIRS = 4, 3, 4


def rendered_type(kind: int, difficulty: str) -> tuple[list[Face], np.ndarray]:
    """Dies of a type share a design, each with one of its own over it."""
    faces, common = [], design(kind)
    for die in range(DIES):
        relief = 0.7 * common + 0.5 * design(1000 * kind + die + 1)
        for strike in range(STRIKES):
            turn, x = 4 * strike - 4, 0.03 * strike
            faces.append(coin(relief, place(turn, x=x), 30 + 15 * strike, die * 10 + strike))
    return faces, np.repeat(np.arange(DIES), STRIKES)


def save_network(path: Path, seed: int = 0) -> Path:
    config = DescriptorConfig(
        input_size=64, width=12, blocks=1, context=0, dimension=0, vector_channels=4
    )
    torch.manual_seed(seed)
    about = {"config": json.dumps(asdict(config)), "provenance": "a test", "step": "7"}
    modules = {"encoder": DescriptorNetwork(config), "comparator": Comparator()}
    save_modules(modules, path, about)
    return path


@pytest.fixture(scope="module")
def asked() -> list[tuple[int, str]]:
    """Types and difficulties that were rendered."""
    return []


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, str]]
) -> tuple[Path, Path]:
    """A weights file, and what calibrating it wrote."""
    folder = tmp_path_factory.mktemp("calibrate")
    plain, out = save_network(folder / "plain.safetensors"), folder / "calibrated.safetensors"

    def render(kind: int, difficulty: str) -> tuple[list[Face], np.ndarray]:
        asked.append((kind, difficulty))
        return rendered_type(kind, difficulty)

    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "render_type", render)
        # (A network that has learned nothing: its few bits decide nothing here.)
        patch.setattr("dieindex.encoder.encode.network_precision", lambda _: torch.float32)
        patch.setattr(calibrate, "PAIRS_A_TYPE", PAIRS)
        patch.setattr(calibrate, "FEWEST_FUSED", 3)
        calibrate.main([str(plain), "--types", "2", "--out", str(out)])
    torch.set_num_threads(threads)
    return plain, out


def test_both_calibrations_and_the_radius_arrive(files: tuple[Path, Path]) -> None:
    card = read_card(files[1])
    assert card.calibration["prior"] == calibrate.PRIOR == 0.5
    assert 0 < card.type_radius < 2
    index = Calibration.from_json(card.calibration_for(INDEX))
    pair = Calibration.from_json(card.calibration_for(PAIR))
    # All pairs of a type in the index; some of either kind for two files alone.
    assert 10 <= index.same_pairs <= 2 * DIES * STRIKES * (STRIKES - 1) // 2
    assert index.different_pairs > index.same_pairs
    assert PAIRS < pair.same_pairs <= 2 * PAIRS
    assert PAIRS < pair.different_pairs <= 2 * PAIRS
    # Near is evidence for one die, far against it.
    assert index.log_likelihood_ratio(0.0) > 0 > index.log_likelihood_ratio(2.0)
    assert 0 < index.threshold < 2


def test_evidence_is_weighed_on_the_same_pairs(files: tuple[Path, Path]) -> None:
    card = read_card(files[1])
    index = Calibration.from_json(card.calibration_for(INDEX))
    pair = Calibration.from_json(card.calibration_for(PAIR))
    assert DisplacementScale.of(card.calibration) == DisplacementScale(
        **json.loads(card.calibration_for(SCALE))
    )
    fused = Fusion.from_json(card.calibration_for(VERIFIED))
    two = Fusion.from_json(card.calibration_for(VERIFIED_PAIR))
    assert (fused.same_pairs, fused.different_pairs) == (index.same_pairs, index.different_pairs)
    assert (two.same_pairs, two.different_pairs) == (pair.same_pairs, pair.different_pairs)
    # The comparator has learned nothing; the distance tells dies apart.
    assert fused.distance < 0
    assert 0 < fused.least_shared < 1
    # (Of two files alone, on no frame, an untrained network may tell nothing at all.)
    assert two.logit >= 0 >= two.distance


def test_its_types_are_held_out_ones_in_turn_of_all_difficulties(
    files: tuple[Path, Path], asked: list[tuple[int, str]]
) -> None:
    assert [kind for kind, _ in asked] == [VALIDATION_TYPES[-1], VALIDATION_TYPES[-2]]
    assert [difficulty for _, difficulty in asked] == ["easy", "medium"]


def test_tensors_and_story_stay_as_they_were(files: tuple[Path, Path]) -> None:
    plain, out = files
    before, after = load_file(plain), load_file(out)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert tensor.dtype == after[name].dtype
        assert torch.equal(tensor, after[name]), name
    one, two = read_card(plain), read_card(out)
    assert (one.config, one.provenance) == (two.config, two.provenance)
    # What a distance means is part of what an index must know its encoder by.
    assert one.version != two.version
    assert not one.calibration


def some_calibration(scale: float = 1.0) -> dict:
    rng = np.random.default_rng(4)
    found = Distances()
    for same, middle in ((True, 0.7), (False, 1.2)):
        distance = scale * rng.normal(middle, 0.1, 200)
        found.add(distance.clip(0, 2), np.full(200, same))
    frames = np.zeros(6, np.int64)
    aligned = [
        AlignedType(unit(rng.normal(size=(6, 8))), frames, np.repeat(np.arange(3), 2))
        for _ in range(2)
    ]
    return fit_calibrations(aligned, found)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_calibration_replaces_the_one_before_in_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_network(tmp_path / "weights.safetensors")
    first, second = some_calibration(), some_calibration(0.5)
    write_calibration(path, first, path)
    assert read_card(path).calibration == first
    monkeypatch.setattr(calibrate, "calibrate", lambda weights, types: second)
    calibrate.main([str(path)])
    assert read_card(path).calibration == second
    assert second["pair"]["threshold"] < first["pair"]["threshold"]
    said = capsys.readouterr().out
    assert "pair: 200 pairs of one die, 200 of two" in said
    assert f"threshold {second['pair']['threshold']:.3f}" in said
    assert str(path) in said
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_that_is_no_weights_file_is_refused_and_kept(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.safetensors"
    for content in (b"", b"x" * 100, SHIPPED_WEIGHTS.read_bytes()[:5000]):
        wrong.write_bytes(content)
        with pytest.raises(EncoderError, match=r"wrong\.safetensors: not a weights file"):
            write_calibration(wrong, some_calibration(), wrong)
        with pytest.raises(EncoderError, match=r"wrong\.safetensors"):
            calibrate.calibrate(wrong, 2)
        assert wrong.read_bytes() == content
    with pytest.raises(EncoderError, match="absent"):
        write_calibration(tmp_path / "absent", some_calibration(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------------ parts


def circle(degrees: list[float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_the_radius_leaves_out_all_but_a_share_of_foreign_pairs() -> None:
    near, far = circle([0.0] * 10), circle([40.0] * 4 + [90.0] * 6)
    # Four tenths of the pairs lie at 40 degrees: the quarter ends among them.
    assert type_radius([near, far]) == pytest.approx(2 * np.sin(np.deg2rad(20)), abs=1e-6)
    rng = np.random.default_rng(0)
    raw = [unit(rng.normal(size=(40, 16))) for _ in range(4)]
    radius = type_radius(raw)
    apart = [
        np.linalg.norm(a - b) for i, x in enumerate(raw) for y in raw[:i] for a in x for b in y
    ]
    assert np.mean(np.array(apart) < radius) == pytest.approx(calibrate.FOREIGN, abs=0.002)
    with pytest.raises(ValueError, match="at least two types"):
        type_radius(raw[:1])


def test_only_pairs_of_one_type_on_one_frame_are_counted() -> None:
    rng = np.random.default_rng(1)
    die = np.repeat(np.arange(4), 3)
    aligned = [
        AlignedType(unit(rng.normal(size=(12, 16))), frame, die)
        # One type lies on one frame, the other was found in two halves.
        for frame in (np.zeros(12, np.int64), np.repeat([0, 1], 6))
    ]
    pair = Distances([0.5] * 8, [1.0] * 8)
    found = fit_calibrations(aligned, pair)
    assert found["index"]["same_pairs"] == 12 + 12
    assert found["index"]["different_pairs"] == (66 - 12) + 2 * (15 - 6)
    assert (found["pair"]["same_pairs"], found["pair"]["different_pairs"]) == (8, 8)


def test_what_a_type_shares_is_taken_off_before_distances_are_counted() -> None:
    """Dies of one type share a vector ten times as long as what tells them apart."""
    rng = np.random.default_rng(2)
    die = np.repeat(np.arange(8), 3)
    frame = np.zeros(len(die), np.int64)
    aligned = []
    for _ in range(2):
        own = rng.normal(size=(8, 32))[die] + 0.3 * rng.normal(size=(len(die), 32))
        aligned.append(AlignedType(unit(10 * rng.normal(size=32) + own), frame, die))
    index = fit_calibrations(aligned, Distances([0.5] * 8, [1.0] * 8))["index"]
    first, second = np.triu_indices(len(die), 1)
    raw = np.linalg.norm(aligned[0].raw[first] - aligned[0].raw[second], axis=1)
    assert raw.max() < 0.5
    assert index["threshold"] > 0.5
    fit = Calibration.from_json(json.dumps(index))
    assert fit.log_likelihood_ratio(0.4) > 2
    assert fit.log_likelihood_ratio(1.4) < -2


def test_a_type_that_does_not_align_is_left_out(files: tuple[Path, Path]) -> None:
    """Faces without a design lie on no frame; what lies has its die beside it."""
    from dieindex.encoder.encode import Encoder

    encoder = Encoder.load(files[0], "cpu")
    faces, die = rendered_type(3, "easy")
    blank = [coin(np.zeros((512, 512), np.float32), place(), seed=90 + k) for k in range(2)]
    mixed, of = [blank[0], *faces, blank[1]], np.concatenate([[77], die, [78]])
    aligned = calibrate.align_type(encoder, mixed, of)
    assert len(aligned.raw) == len(aligned.frame) == len(aligned.die) > len(faces) // 2
    assert not {77, 78} & set(aligned.die.tolist())
    np.testing.assert_allclose(np.linalg.norm(aligned.raw, axis=1), 1, atol=1e-5)
