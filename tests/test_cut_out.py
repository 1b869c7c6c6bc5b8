"""A face on a dark page: no halo of its ground, and nothing of the coin taken away."""

import numpy as np

from dieindex.api.cut_out import shown_of
from dieindex.records import Mask, Picture

SIZE, RADIUS = 256, 108.0


def photographed(ground: int, coin: int) -> tuple[Picture, Mask]:
    """A coin with a raised line near its rim, its shadow below it; the disc that it is."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    away = np.hypot(columns, rows)
    shadow = np.clip((np.hypot(columns - 4, rows - 6) - RADIUS) / 9, 0, 1)
    picture = ground * (0.75 + 0.25 * shadow)
    picture = np.where(away < RADIUS, coin + 25 * (np.abs(away - 0.9 * RADIUS) < 3), picture)
    noisy = picture + np.random.default_rng(3).normal(0, 3, picture.shape)
    grey = np.clip(noisy, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2), away < RADIUS


def mask_with_shadow() -> Mask:
    rows, columns = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return np.hypot(columns - 2, rows - 3) < RADIUS + 4


def test_no_halo_of_a_light_ground() -> None:
    """Where the mask holds the coin's shadow and a strip of the light ground, neither is shown; the
    coin is, up to its edge."""
    picture, coin = photographed(ground=240, coin=90)
    shown = shown_of(picture, mask_with_shadow())
    assert (shown[~coin] > 0.5).sum() < 0.02 * (mask_with_shadow() & ~coin).sum()
    assert (shown[coin] > 0.5).mean() > 0.96


def test_a_coin_on_a_dark_ground_keeps_its_mask() -> None:
    """A strip of dark ground is not seen: nothing is sought, and nothing can be lost."""
    picture, _ = photographed(ground=60, coin=150)
    mask = mask_with_shadow()
    assert ((shown_of(picture, mask) > 0) & ~mask).sum() == 0
    assert (shown_of(picture, mask)[mask] > 0.5).mean() > 0.97


def test_a_light_coin_on_a_light_ground_is_whole() -> None:
    """Where coin and ground are of one colour they are not told apart, and nothing is lost."""
    picture, coin = photographed(ground=235, coin=215)
    assert (shown_of(picture, coin)[coin] > 0.5).mean() > 0.97


def test_a_face_that_fills_its_picture() -> None:
    """No ground is beside it."""
    picture, _ = photographed(ground=240, coin=90)
    assert shown_of(picture, np.ones((SIZE, SIZE), bool)).min() == 1
