from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from dieindex.errors import MintError
from dieindex.mint import camera, dieage
from dieindex.mint import store as store_module
from dieindex.mint.jpeg import by_blocks, compressed
from dieindex.mint.order import TEST_TYPES, TRAIN_TYPES, VALIDATION_TYPES
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.stream import FaceBatch, MintStream, StreamSettings

SMALL = StreamSettings(
    types_per_batch=1, dies_per_type=2, strikes_per_die=2, dies_in_type=4, working_types=2, size=64
)


def _equal(a: FaceBatch, b: FaceBatch) -> bool:
    names = ("pictures", "mask", "visible", "die", "type", "homography", "flow")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


def test_shapes_ranges_and_labels() -> None:
    batch = next(iter(MintStream(1, settings=SMALL)))
    assert len(batch) == 4
    assert batch.pictures.shape == (4, 3, 64, 64)
    assert batch.pictures.dtype == torch.uint8
    assert batch.mask.shape == batch.visible.shape == (4, 64, 64)
    assert batch.flow.shape == (4, 2, 64, 64)
    assert batch.homography.shape == (4, 3, 3)
    assert batch.die[0] == batch.die[1] != batch.die[2] == batch.die[3]
    assert len(batch.type.unique()) == 1
    assert 0 <= batch.visible.min() <= batch.visible.max() <= 1
    assert 0.5 < batch.mask.float().mean() < 0.8  # the flan fills the middle of the picture
    assert batch.visible[~batch.mask].max() == 0
    assert len({picture.numpy().tobytes() for picture in batch.pictures}) == 4


def test_the_same_seed_streams_the_same_and_workers_differ() -> None:
    first = list(islice(MintStream(3, settings=SMALL), 2))
    again = MintStream(3, settings=SMALL)
    assert _equal(first[1], again.batch(1))
    assert _equal(first[0], again.batch(0))
    other = MintStream(3, settings=SMALL, worker=1).batch(0)
    assert not torch.equal(first[0].pictures, other.pictures)


def test_a_die_is_the_same_die_for_every_worker() -> None:
    types = [TEST_TYPES[0]]
    settings = StreamSettings(**{**SMALL.__dict__, "working_types": 1, "dies_in_type": 2})
    a = MintStream(1, "obverse", types, settings, worker=0).batch(0)
    b = MintStream(1, "obverse", types, settings, worker=1).batch(0)
    assert set(a.die.tolist()) == set(b.die.tolist())
    assert a.type.tolist() == b.type.tolist()


def test_homography_lays_the_die_where_it_shows() -> None:
    """Same die, two photographs: registered by the truth they agree better than shifted."""
    settings = StreamSettings(
        types_per_batch=1,
        dies_per_type=1,
        strikes_per_die=6,
        dies_in_type=1,
        working_types=1,
        size=192,
        difficulty="easy",
    )
    batch = MintStream(5, "reverse", settings=settings).batch(0)
    grid = np.array([[0.008, 0, -0.8], [0, 0.008, -0.8], [0, 0, 1]])
    edges = []
    for picture, homography in zip(batch.pictures, batch.homography, strict=True):
        grey = picture.float().mean(0).numpy()
        back = np.linalg.inv(homography.numpy() @ grid)
        face = cv2.GaussianBlur(cv2.warpPerspective(grey, back, (200, 200)), (0, 0), 1.5)
        size = np.hypot(cv2.Sobel(face, cv2.CV_32F, 1, 0), cv2.Sobel(face, cv2.CV_32F, 0, 1))
        edges.append(size - cv2.GaussianBlur(size, (0, 0), 8))
    window = cv2.createHanningWindow((200, 200), cv2.CV_32F)
    apart = [
        np.hypot(*cv2.phaseCorrelate(a, b, window)[0])
        for i, a in enumerate(edges)
        for b in edges[i + 1 :]
    ]
    # Metal flow alone moves a design by up to about two of these pixels.
    assert np.median(apart) < 2


def test_stored_dies_are_the_same_to_the_last_bit(tmp_path: Path) -> None:
    order = DieOrder("obverse", 7, 3)
    fresh = DieStore().get(order)
    store = DieStore(tmp_path)
    written = store.get(order)
    read = DieStore(tmp_path).get(order)
    for relief in (written, read):
        assert np.array_equal(relief.height, fresh.height)
        assert np.array_equal(relief.design, fresh.design)
        assert (relief.radius, relief.die_key, relief.state) == (
            fresh.radius,
            fresh.die_key,
            fresh.state,
        )
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])  # cut off by a full disk
    assert np.array_equal(DieStore(tmp_path).get(order).height, fresh.height)


def test_the_store_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    engraved: list[DieOrder] = []
    real = store_module._engrave

    def counted(order: DieOrder) -> object:
        engraved.append(order)
        return real(order)

    monkeypatch.setattr(store_module, "_engrave", counted)
    store = DieStore(capacity=1)
    first, second = DieOrder("obverse", 1, 1), DieOrder("obverse", 1, 2)
    for order in (first, first, second, first):
        store.get(order)
    assert engraved == [first, second, first]


def test_types_for_training_validation_and_test_are_apart() -> None:
    ranges = (TRAIN_TYPES, VALIDATION_TYPES, TEST_TYPES)
    for i, a in enumerate(ranges):
        for b in ranges[i + 1 :]:
            assert a.stop <= b.start or b.stop <= a.start
    assert len(TRAIN_TYPES) >= 1_000_000


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (StreamSettings(dies_per_type=30), "dies_per_type 30"),
        (StreamSettings(types_per_batch=0), "types_per_batch is 0"),
        (StreamSettings(working_types=1), "types_per_batch 2"),
        (StreamSettings(size=8), "size 8"),
        (StreamSettings(difficulty="awful"), "awful"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: StreamSettings, said: str) -> None:
    with pytest.raises(MintError, match=said):
        MintStream(1, settings=settings)


def test_an_empty_list_of_types_is_refused() -> None:
    with pytest.raises(MintError, match="types is empty"):
        MintStream(1, types=[])


def _devices() -> list[object]:
    needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    return [torch.device("cpu", 0), pytest.param(torch.device("cuda", 0), marks=needs_cuda)]


@pytest.mark.parametrize("device", _devices())
def test_a_batch_lies_on_the_device_asked_for(device: torch.device) -> None:
    """On any device: the same dies in the same places, and pictures that look the same."""
    batch = MintStream(1, settings=SMALL, device=device).batch(0)
    plain = MintStream(1, settings=SMALL).batch(0)
    for name in ("pictures", "mask", "visible", "die", "type", "homography", "flow"):
        assert getattr(batch, name).device.type == device.type
    assert torch.equal(batch.die.cpu(), plain.die)
    assert torch.equal(batch.homography.cpu(), plain.homography)
    apart = (batch.pictures.cpu().float() - plain.pictures.float()).abs().mean()
    assert apart < 4  # but for the sensor's noise, which each device draws itself


def test_nothing_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device without values answers no question and mixes with no other device."""
    monkeypatch.setattr(camera, "_noise", lambda rgb, seeds, device: torch.zeros_like(rgb))
    batch = MintStream(1, settings=SMALL, device="meta").batch(0)
    assert batch.pictures.shape == (4, 3, 64, 64)
    assert batch.pictures.device.type == batch.visible.device.type == "meta"


def test_clashed_dies_show_in_the_stream_as_often_as_in_collections() -> None:
    seen = []
    for seed in range(300):
        birth = next(life for life in np.linspace(0, 3.1, 100) if dieage.has_clashed(seed, life))
        seen.append(birth < 1)
        assert not dieage.has_clashed(seed, birth - 0.1)
    assert 0.2 < np.mean(seen) < 0.4
    # The partner is engraved and its ghost is in the metal.
    settings = StreamSettings(**{**SMALL.__dict__, "dies_in_type": 2, "size": 96})
    stream = MintStream(1, settings=settings)
    asked: list[bool] = []
    real = stream._clashed_with

    def told(*given: object) -> object:
        asked.append(real(*given) is not None)  # type: ignore[arg-type]
        return None

    pairs = []
    for number in range(24):
        with_clash = stream.batch(number)
        stream._clashed_with = told  # type: ignore[assignment,method-assign]
        without = stream.batch(number)
        del stream._clashed_with  # type: ignore[method-assign]
        pairs.append(torch.equal(with_clash.pictures, without.pictures))
        if asked[-1]:
            break
    assert asked[-1], "no die of 24 batches had clashed"
    assert not pairs[-1]
    assert all(same for same, clash in zip(pairs, asked, strict=True) if not clash)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_by_blocks_is_nearly_jpeg(quality: int) -> None:
    picture = MintStream(2, settings=SMALL).batch(0).pictures
    real, made = compressed(picture, [quality] * 4), by_blocks(picture, [quality] * 4)
    apart = (real.float() - made.float()).abs().mean()
    lost = (real.float() - picture.float()).abs().mean()
    assert apart < 0.4 * lost + 0.6


def test_jpeg_of_odd_sizes_and_bad_qualities() -> None:
    picture = torch.randint(0, 256, (1, 3, 37, 51), dtype=torch.uint8)
    assert by_blocks(picture, [60]).shape == compressed(picture, [60]).shape == picture.shape
    with pytest.raises(MintError, match="quality 0"):
        compressed(picture, [0])
    with pytest.raises(MintError, match="1 pictures but 2"):
        compressed(picture, [50, 60])
