"""The camera: exposure of each face by itself, tone curve, and JPEG's quality at another size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from dieindex.mint.camera import develop, expose, sample_camera
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.parameters import Camera
from dieindex.mint.photography import quality_at, sample_photo, sample_source

EASY = DIFFICULTIES["easy"]


def _camera(**changes: object) -> Camera:
    rng = np.random.default_rng(2)
    plain = replace(
        sample_camera(rng, sample_source(rng, EASY)),
        plate=False,
        blur=0.0,
        noise=0.0,
        sharpening=0.0,
        veil=0.0,
        contrast=1.0,
        white_balance=(1.0, 1.0, 1.0),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_each_face_of_a_batch_is_exposed_as_by_itself() -> None:
    light = torch.rand(3, 3, 64, 64) * torch.tensor([0.2, 1.0, 3.0]).view(3, 1, 1, 1)
    mask = torch.zeros(3, 1, 64, 64)
    mask[:2, :, 16:48, 16:48] = 1  # the third coin covers nothing
    cameras = [_camera(exposure=0.3), _camera(exposure=0.3), _camera()]
    together = expose(light, mask, cameras)
    assert together.isfinite().all()
    for i, camera in enumerate(cameras):
        alone = expose(light[i : i + 1], mask[i : i + 1], [camera])
        assert torch.equal(alone[0], together[i])
    inside = mask[0, 0] > 0.5
    before, after = (
        float(x[1][:, inside].mean() / x[0][:, inside].mean()) for x in (light, together)
    )
    assert 1 < after < 0.7 * before  # a dark coin is lifted, and still the darker one
    assert together[:2].max() < 1


def test_a_steeper_curve_holds_the_middle_down_and_leaves_the_ends() -> None:
    ramp = torch.linspace(0, 1, 64).view(1, 1, 1, -1).expand(2, 3, 64, 64)
    soft, steep = develop(ramp, [_camera(curve=1.1), _camera(curve=1.5)], [1, 2], 1.0)
    assert (soft[:, 32, 8:40] > steep[:, 32, 8:40]).all()
    for picture in (soft, steep):
        values = picture[0, 32]
        assert (values.diff() >= -1e-6).all()
        assert values[0] < 0.01
        assert 0.95 < values[-1] <= 1


@pytest.mark.parametrize("size", [128, 256, 1024])
def test_a_shrunk_picture_has_lost_less_to_jpeg(size: int) -> None:
    rng = np.random.default_rng(3)
    photo = sample_photo(rng, EASY, replace(sample_source(rng, EASY), face_size=500))
    quality = quality_at(photo, size)
    if photo.share * size >= 500:
        assert quality == photo.jpeg_quality
    else:
        lost = 100 - photo.jpeg_quality
        assert 100 - quality == pytest.approx(max(3, lost * photo.share * size / 500), abs=0.51)
