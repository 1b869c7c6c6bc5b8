"""The encoder: unit vectors that depend on the face alone, and weights that are checked."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dieindex.alignment.warping import centred_place
from dieindex.calibration.distance import Calibration
from dieindex.collection.faces import cut_faces
from dieindex.encoder.baseline import BaselineEncoder
from dieindex.encoder.encode import (
    BATCH,
    Encoder,
    choose_device,
    prepare,
)
from dieindex.encoder.pairs import aligned_pair
from dieindex.encoder.weights import BASELINE_WEIGHTS, INDEX, PAIR, SHIPPED_WEIGHTS, read_card
from dieindex.errors import EncoderError, UsageError
from dieindex.records import Face
from tests.collections_for_tests import draw_coin


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(device="cpu")


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    return [cut_faces(draw_coin(die, strike))[0] for die in range(6) for strike in range(3)]


@pytest.fixture(scope="module")
def places() -> list[np.ndarray]:
    """Near the middle, each a little elsewhere."""
    rng = np.random.default_rng(0)
    return [
        centred_place() + np.array([[0, 0, x], [0, 0, y], [0, 0, 0]])
        for x, y in rng.normal(0, 0.5, (18, 2))
    ]


def test_vectors_have_unit_length(
    encoder: Encoder, faces: list[Face], places: list[np.ndarray]
) -> None:
    vectors = encoder.encode(faces, places)
    assert vectors.shape == (18, encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([], []).shape == (0, encoder.dimension)


@pytest.mark.parametrize(("precision", "turned"), [("float32", 1e-4), ("bfloat16", 2e-3)])
def test_a_vector_does_not_depend_on_batch_or_threads(
    precision: str,
    turned: float,
    faces: list[Face],
    places: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for rounding: sums are shared out by the shape of a batch, and bfloat16 keeps eight bits.
    (In filled batches nothing differs: see below.)"""
    import torch

    chosen = getattr(torch, precision)
    monkeypatch.setattr("dieindex.encoder.encode.network_precision", lambda _: chosen)
    encoder = Encoder.load(device="cpu")
    together = encoder.encode(faces, places)
    alone = np.concatenate(
        [encoder.encode([face], [place]) for face, place in zip(faces, places, strict=True)]
    )
    np.testing.assert_allclose(alone, together, atol=turned)
    threads = torch.get_num_threads()
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            np.testing.assert_allclose(encoder.encode(faces, places), together, atol=turned)
        finally:
            torch.set_num_threads(threads)


def test_filled_batches_make_vectors_equal_to_the_last_bit(
    encoder: Encoder, faces: list[Face], places: list[np.ndarray]
) -> None:
    whole = encoder.encode(faces[:BATCH], places[:BATCH], fill=True)
    for part in (slice(0, 3), slice(5, 6), slice(2, BATCH)):
        assert np.array_equal(encoder.encode(faces[part], places[part], fill=True), whole[part])


def test_faces_of_one_die_lie_nearer_than_of_another(
    encoder: Encoder, faces: list[Face], places: list[np.ndarray]
) -> None:
    vectors = encoder.encode(faces, places).reshape(6, 3, -1)
    for die in range(6):
        own = vectors[die] @ vectors[die].T
        other = vectors[die] @ np.delete(vectors, die, axis=0).reshape(15, -1).T
        assert own.min() > other.max()


def test_brightness_and_contrast_hardly_matter(encoder: Encoder) -> None:
    coin = draw_coin(3, ground=255)
    dark = np.where(coin == 255, 255, 0.5 * coin + 10).astype(np.uint8)
    first, second = encoder.encode([cut_faces(coin)[0], cut_faces(dark)[0]], [None, None])
    assert first @ second > 0.95


def test_a_face_takes_less_than_60_ms_of_one_core(encoder: Encoder, faces: list[Face]) -> None:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        encoder.encode(faces, [None] * 18)
        started = time.process_time()
        encoder.encode(faces, [None] * 18)
    finally:
        torch.set_num_threads(threads)
    assert (time.process_time() - started) / 18 < 0.06


def test_a_face_enters_as_grey_and_mask_on_its_frame(faces: list[Face]) -> None:
    entered = prepare(faces[0], None, 128)
    assert entered.shape == (2, 128, 128)
    assert entered.dtype == np.float32
    assert entered.min() >= 0
    assert 0.3 < entered[0].max() <= 1
    assert set(np.unique(entered[1])) == {0, 1}
    # The flan stands in the middle, and moves with its place.
    assert entered[1, 64, 64] == 1
    assert entered[1, 2, 2] == 0
    away = centred_place() + np.array([[0, 0, 30], [0, 0, 0], [0, 0, 0]])
    moved = prepare(faces[0], away, 128)[1]  # 30 of 192 pixels are 20 of 128
    assert abs(np.nonzero(moved)[1].mean() - np.nonzero(entered[1])[1].mean() - 20) < 4


def test_two_files_are_laid_on_each_other_in_either_order(
    encoder: Encoder, faces: list[Face]
) -> None:
    turned = cut_faces(np.ascontiguousarray(np.rot90(draw_coin(0, 7))))[0]
    pair = aligned_pair(encoder, faces[0], turned, any_rotation=True)
    assert pair is not None
    corner = np.array([40.0, 60.0, 1.0])
    # A point of the coin and the same point after the turn, 90 degrees counter-clockwise.
    there = np.array([corner[1], 255 - corner[0], 1.0])
    a, b = pair.places[0] @ corner, pair.places[1] @ there
    np.testing.assert_allclose(a[:2] / a[2], b[:2] / b[2], atol=2)
    again = aligned_pair(encoder, turned, faces[0], any_rotation=True)
    assert again is not None
    for one, other in zip(pair.places, again.places[::-1], strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(pair.described.vectors, again.described.vectors[::-1])
    seen = encoder.encode([faces[0], turned], pair.places)
    np.testing.assert_allclose(pair.described.vectors, seen, atol=1e-4)


def test_a_face_that_shows_nothing_is_laid_on_none(encoder: Encoder, faces: list[Face]) -> None:
    blank = replace(faces[0], picture=np.full_like(faces[0].picture, 120))
    assert aligned_pair(encoder, faces[0], blank) is None
    assert aligned_pair(encoder, blank, faces[0]) is None


def test_the_card_tells_what_travels_with_the_weights(encoder: Encoder) -> None:
    card = read_card()
    assert card.version
    assert "rendered" in card.provenance
    for use in (INDEX, PAIR):
        calibration = Calibration.from_json(card.calibration_for(use))
        assert 0 < calibration.threshold < 2
        assert calibration.same_pairs > 100
    assert card.config["dimension"] == encoder.dimension
    assert SHIPPED_WEIGHTS.stat().st_size < 15_000_000


def test_sizes_are_those_of_the_file(tmp_path: Path, faces: list[Face]) -> None:
    from dieindex.encoder.descriptor_config import DescriptorConfig
    from dieindex.encoder.descriptors import DescriptorNetwork
    from dieindex.encoder.module_files import save_modules

    config = DescriptorConfig(input_size=96, width=12, dimension=20, context=0)
    path = tmp_path / "small.safetensors"
    about = {"config": json.dumps(vars(config)), "provenance": "a test"}
    save_modules({"encoder": DescriptorNetwork(config)}, path, about)
    encoder = Encoder.load(path, "cpu")
    assert encoder.encode(faces[:2], [None, None]).shape == (2, 20)
    with pytest.raises(EncoderError, match="calibrate"):
        encoder.card.calibration_for(INDEX)
    other = read_card(path).version
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert read_card(path).version != other


def test_the_baseline_is_still_there(faces: list[Face]) -> None:
    baseline = BaselineEncoder(device="cpu")
    vectors = baseline.encode(faces[:3])
    assert vectors.shape == (3, baseline.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert "MobileNetV2" in baseline.card.provenance
    assert baseline.card.path == BASELINE_WEIGHTS


@pytest.mark.parametrize("content", [b"", b"x" * 100, (2**40).to_bytes(8, "little")])
def test_weights_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=r"weights\.safetensors"):
        Encoder.load(path)
    with pytest.raises(EncoderError, match="no such"):
        Encoder.load(tmp_path / "absent.safetensors")


def test_truncated_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(SHIPPED_WEIGHTS.read_bytes()[:200_000])
    with pytest.raises(EncoderError, match="not weights"):
        Encoder.load(path)


def test_devices() -> None:
    import torch

    assert choose_device("cpu") == "cpu"
    with pytest.raises(UsageError, match="tpu"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(EncoderError, match="device=cpu"):
            choose_device("cuda")


@pytest.mark.parametrize("blocks", [1, 7, 14, 18])
def test_the_trunk_is_torchvisions(blocks: int) -> None:
    import torch

    from dieindex.encoder.trunk import mobilenet_trunk
    from dieindex.encoder.vision import reference_trunk

    torch.manual_seed(blocks)
    reference = reference_trunk(blocks).eval()
    trunk, channels = mobilenet_trunk(blocks)
    trunk.load_state_dict(reference.state_dict())
    faces = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = reference(faces)
        found = trunk.eval()(faces)
    assert found.shape[1] == channels
    assert torch.equal(found, expected)
