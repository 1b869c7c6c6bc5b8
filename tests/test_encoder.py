"""The encoder: unit vectors that depend on the face alone, and weights that are checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dieindex.collection.faces import cut_faces
from dieindex.encoder.encode import BATCH, Encoder, choose_device, prepare
from dieindex.encoder.weights import SHIPPED_WEIGHTS, read_card
from dieindex.errors import EncoderError, UsageError
from dieindex.records import Face
from dieindex.verification.verdicts import Calibration
from tests.collections_for_tests import draw_coin


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(device="cpu")


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    return [cut_faces(draw_coin(die, strike))[0] for die in range(6) for strike in range(3)]


def test_vectors_have_unit_length(encoder: Encoder, faces: list[Face]) -> None:
    vectors = encoder.encode(faces)
    assert vectors.shape == (18, encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_a_vector_does_not_depend_on_batch_or_threads(encoder: Encoder, faces: list[Face]) -> None:
    import torch

    together = encoder.encode(faces)
    alone = np.concatenate([encoder.encode([face]) for face in faces])
    np.testing.assert_allclose(alone, together, atol=1e-4)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        np.testing.assert_allclose(encoder.encode(faces), together, atol=1e-4)
    finally:
        torch.set_num_threads(threads)


def test_filled_batches_make_vectors_equal_to_the_last_bit(
    encoder: Encoder, faces: list[Face]
) -> None:
    whole = encoder.encode(faces[:BATCH], fill=True)
    for part in (slice(0, 3), slice(5, 6), slice(2, BATCH)):
        assert np.array_equal(encoder.encode(faces[part], fill=True), whole[part])


def test_faces_of_one_die_lie_nearer_than_of_another(encoder: Encoder, faces: list[Face]) -> None:
    vectors = encoder.encode(faces).reshape(6, 3, -1)
    for die in range(6):
        own = vectors[die] @ vectors[die].T
        other = vectors[die] @ np.delete(vectors, die, axis=0).reshape(15, -1).T
        assert own.min() > other.max()


def test_brightness_and_contrast_hardly_matter(encoder: Encoder) -> None:
    coin = draw_coin(3, ground=255)
    dark = np.where(coin == 255, 255, 0.5 * coin + 10).astype(np.uint8)
    first, second = encoder.encode([cut_faces(coin)[0], cut_faces(dark)[0]])
    assert first @ second > 0.95


def test_a_face_enters_light_normalised(faces: list[Face]) -> None:
    entered = prepare(faces[0], 192)
    assert entered.shape == (192, 192)
    assert entered.dtype == np.float32
    assert np.abs(entered).max() <= 1
    assert entered[0, 0] == 0  # off the flan


def test_the_card_tells_what_travels_with_the_weights() -> None:
    card = read_card()
    assert card.version
    assert "MobileNetV2" in card.provenance
    assert 0 < card.threshold < 2
    calibration = Calibration.from_json(json.dumps(card.calibration))
    assert calibration.threshold == pytest.approx(card.threshold)
    assert calibration.same_pairs > 1000
    assert SHIPPED_WEIGHTS.stat().st_size < 15_000_000


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
    with pytest.raises(EncoderError, match="reinstall"):
        Encoder.load(path)


def test_devices() -> None:
    import torch

    assert choose_device("cpu") == "cpu"
    with pytest.raises(UsageError, match="tpu"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(EncoderError, match="--device cpu"):
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
