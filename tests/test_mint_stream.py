from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from dieindex.errors import MintError
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
        strikes_per_die=4,
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
    for other in edges[1:]:
        (x, y), _ = cv2.phaseCorrelate(edges[0], other, window)
        assert np.hypot(x, y) < 2.5


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
    from dieindex.mint import store as module

    engraved: list[DieOrder] = []
    real = module._engrave

    def counted(order: DieOrder) -> object:
        engraved.append(order)
        return real(order)

    monkeypatch.setattr(module, "_engrave", counted)
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


def test_streaming_needs_torch_numpy_and_opencv_alone() -> None:
    code = (
        "import sys, dieindex.mint.stream;"
        "bad = {'PIL','openpyxl','click','pandas','sklearn','scipy','faiss'} & set(sys.modules);"
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
