"""Photography: where things lie in the picture, sources' habits, composed photographs."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from dieindex.errors import MintError
from dieindex.mint.backgrounds import compose, sample_layout
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.flan import sample_coin
from dieindex.mint.grounds import GROUNDS, ground_picture
from dieindex.mint.parameters import PhotoParameters
from dieindex.mint.photography import Photographed, photograph, sample_photo, sample_source
from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN
from dieindex.mint.striking import Struck, sample_strike, split, strike

SIZE = 128
BUMPS = ((0.45, 0.1), (-0.4, 0.35), (-0.1, -0.5))


def _die() -> tuple[torch.Tensor, torch.Tensor]:
    steps = (np.arange(RELIEF_SIZE) + 0.5) * (2 * RELIEF_SPAN / RELIEF_SIZE) - RELIEF_SPAN
    x, y = np.meshgrid(steps, steps)
    height = np.zeros((RELIEF_SIZE, RELIEF_SIZE), np.float32)
    for cx, cy in BUMPS:
        height += (0.07 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.004)).astype(np.float32)
    maps = torch.from_numpy(height)[None, None]
    return maps, (maps > 0.01).float()


def _faces(
    count: int, seed: int = 5, difficulty: str = "medium", size: int = SIZE
) -> tuple[Struck, list[PhotoParameters]]:
    rng = np.random.default_rng(seed)
    level = DIFFICULTIES[difficulty]
    source = sample_source(rng, level)
    strikes = [sample_strike(rng, level, float(rng.random()), die_seed=i) for i in range(count)]
    photos = [sample_photo(rng, level, source) for _ in range(count)]
    height, design = _die()
    struck = strike(
        height.expand(count, -1, -1, -1),
        design.expand(count, -1, -1, -1),
        [1.1] * count,
        strikes,
        size,
    )
    return struck, photos


def _distance_to_bumps(photographed: Photographed) -> float:
    """Pixels between the bumps' marked places and where the homography puts them."""
    worst = 0.0
    for i, homography in enumerate(photographed.homography):
        for cx, cy in BUMPS:
            u, v, w = homography @ (cx, cy, 1.0)
            positions = photographed.die_positions[i].numpy()
            away = np.hypot(positions[0] - cx, positions[1] - cy)
            row, column = np.unravel_index(away.argmin(), away.shape)
            worst = max(worst, float(np.hypot(column - u / w, row - v / w)))
    return worst


def test_homography_and_die_positions_agree_but_for_metal_flow() -> None:
    struck, photos = _faces(4)
    done = photograph(struck, photos, SIZE)
    assert _distance_to_bumps(done) < 0.03 * SIZE
    steps = np.arange(SIZE)
    x, y = np.meshgrid(steps, steps)
    for i, homography in enumerate(done.homography):
        back = np.linalg.inv(homography) @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
        plain = (back[:2] / back[2]).reshape(2, SIZE, SIZE)
        rest = done.die_positions[i].numpy() - plain
        assert np.allclose(rest, done.flow[i].numpy(), atol=1e-4)
    # Where the design's mask lies high, die positions must point into the design.
    _, design = _die()
    grid = done.die_positions.permute(0, 2, 3, 1) / RELIEF_SPAN
    told = torch.nn.functional.grid_sample(design.expand(4, -1, -1, -1), grid, align_corners=False)
    on_coin = done.mask > 0.99
    assert float((told - done.design)[on_coin].abs().mean()) < 0.02


def test_the_coin_is_centred_at_its_share_of_the_picture() -> None:
    struck, photos = _faces(3, difficulty="easy")
    photos = [replace(p, share=0.9, shift=(0.0, 0.0)) for p in photos]
    done = photograph(struck, photos, SIZE)
    rows, columns = np.nonzero(done.mask[0, 0].numpy() > 0.5)
    assert rows.mean() == pytest.approx((SIZE - 1) / 2, abs=0.03 * SIZE)
    assert columns.mean() == pytest.approx((SIZE - 1) / 2, abs=0.03 * SIZE)
    radius = np.sqrt(len(rows) / np.pi)
    assert radius == pytest.approx(0.45 * SIZE, rel=0.06)


def test_same_bytes_in_any_batch_and_with_any_threads() -> None:
    struck, photos = _faces(4, difficulty="hard")
    together = photograph(struck, photos, SIZE).pictures()
    again, _ = _faces(4, difficulty="hard")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        assert np.array_equal(photograph(again, photos, SIZE).pictures(), together)
        one = photograph(split(again)[3], [photos[3]], SIZE).pictures()
        assert np.array_equal(one[0], together[3])
    finally:
        torch.set_num_threads(threads)


def test_turning_the_lamp_turns_the_shading() -> None:
    struck, photos = _faces(1, seed=11, difficulty="easy")
    photo = photos[0]

    def lit_from(azimuth: float) -> np.ndarray:
        lamps = np.zeros_like(photo.lighting.lamps)
        lamps[0] = (azimuth, 0.5, 1.0, 0.1, 0.0)
        light = replace(photo.lighting, lamps=lamps, ambient=0.1, overhead=0.0, ring=0.0)
        plain = replace(photo.camera, noise=0.0, blur=0.0, sharpening=0.0, plate=False)
        picture = photograph(struck, [replace(photo, lighting=light, camera=plain)], SIZE).rgb
        return picture[0].mean(0).numpy()

    homography = photograph(struck, [photo], SIZE).homography[0]
    left, right = lit_from(np.pi), lit_from(0.0)
    for cx, cy in BUMPS:
        u, v, w = homography @ (cx, cy, 1.0)
        row, column = round(v / w), round(u / w)
        for picture, bright in ((left, -1), (right, 1)):
            window = picture[row - 1 : row + 2]
            lit = window[:, column + 4 * bright - 1 : column + 4 * bright + 2].mean()
            dark = window[:, column - 4 * bright - 1 : column - 4 * bright + 2].mean()
            assert lit > dark


def test_every_ground_and_plates_and_plaster_can_be_photographed() -> None:
    struck, photos = _faces(1)
    shown = []
    for ground in GROUNDS:
        photo = replace(photos[0], ground=ground, ground_colour=(0.5, 0.3, 0.2))
        picture = photograph(struck, [photo], SIZE)
        assert torch.isfinite(picture.rgb).all()
        shown.append(ground_picture([photo], 32, 48, "cpu"))
        assert shown[-1].shape == (1, 3, 32, 48)
    assert float(shown[GROUNDS.index("cloth")].std()) > float(shown[GROUNDS.index("white")].std())
    plate = replace(photos[0].camera, plate=True, halftone=1.0, plate_tint=(1.0, 1.0, 1.0))
    grey = photograph(struck, [replace(photos[0], camera=plate)], SIZE).rgb
    assert float((grey.amax(1) - grey.amin(1)).max()) < 0.01
    plaster = photograph(struck, [replace(photos[0], plaster=True)], SIZE)
    metal = photograph(struck, [replace(photos[0], plaster=False)], SIZE)
    inside = plaster.mask > 0.99
    spread = [
        float((p.rgb.amax(1, keepdim=True) - p.rgb.amin(1, keepdim=True))[inside].mean())
        for p in (plaster, metal)
    ]
    assert spread[0] < max(spread[1], 0.12)


def test_sources_keep_their_habits() -> None:
    rng = np.random.default_rng(2)
    level = DIFFICULTIES["easy"]
    sources = [sample_source(rng, level) for _ in range(12)]
    assert len({s.ground for s in sources}) > 2
    steadiness, lamps = [], []
    for source in sources[:6]:
        photos = [sample_photo(rng, level, source) for _ in range(20)]
        assert sum(p.ground == source.ground for p in photos) >= 14
        first = np.array([p.lighting.lamps[0, 0] for p in photos])
        steadiness.append(np.abs(np.exp(1j * first).mean()))
        lamps.append(first)
    # A house's lamp mostly stands where it stood, and steadier than those of all houses together.
    assert np.mean(steadiness) > 0.65
    assert np.mean(steadiness) > np.abs(np.exp(1j * np.concatenate(lamps)).mean())


@pytest.mark.parametrize("stacked", [False, True])
def test_a_composed_pair_shows_both_faces_where_it_says(stacked: bool) -> None:
    rng = np.random.default_rng(4)
    level = DIFFICULTIES["easy"]
    source = replace(sample_source(rng, level), stacked=stacked, face_size=220, caption=1.0)
    coin = sample_coin(rng, level)
    strikes = [sample_strike(rng, level, 0.2, coin=coin, reverse=r) for r in (False, True)]
    photos = [
        replace(sample_photo(rng, level, source), ground="black", ground_colour=(0.0, 0.0, 0.0))
        for _ in strikes
    ]
    photos = [replace(p, plaster=True, camera=replace(p.camera, plate=False)) for p in photos]
    layout = replace(sample_layout(rng, level, source), face_size=220, cut=0.0)
    height, design = _die()
    struck = strike(
        height.expand(2, -1, -1, -1),
        design.expand(2, -1, -1, -1),
        [1.1] * 2,
        strikes,
        layout.grid_size,
    )
    out = compose(struck, photos, layout)
    tall, wide = out.picture.shape[:2]
    assert out.picture.dtype == np.uint8
    assert (tall > wide) == stacked
    first, second = out.circles
    assert (first.y < second.y) if stacked else (first.x < second.x)
    yy, xx = np.mgrid[:tall, :wide]
    grey = out.picture.mean(2)
    on_coins = np.zeros(grey.shape, bool)
    for circle in out.circles:
        assert 2 * circle.radius == pytest.approx(220, rel=0.1)
        inside = np.hypot(xx - circle.x, yy - circle.y) < 0.9 * circle.radius
        assert grey[inside].mean() > 60
        on_coins |= np.hypot(xx - circle.x, yy - circle.y) < 1.2 * circle.radius
    assert np.median(grey[~on_coins]) < 30
    again = compose(struck, photos, layout)
    assert np.array_equal(again.picture, out.picture)
    for circle, homography, s in zip(out.circles, out.homographies, strikes, strict=True):
        u, v, w = homography @ (*s.coin_to_die()[:2, 2], 1.0)
        assert np.hypot(u / w - circle.x, v / w - circle.y) < 2


def test_a_cut_photograph_loses_the_coins_edge() -> None:
    rng = np.random.default_rng(8)
    level = DIFFICULTIES["easy"]
    source = replace(sample_source(rng, level), margin=0.02, face_size=200)
    layout = replace(sample_layout(rng, level, source, 1), cut=0.12, jitter=((0.0, 0.0),))
    struck, photos = _faces(1, difficulty="easy", size=layout.grid_size)
    out = compose(struck, photos[:1], layout)
    circle = out.circles[0]
    wide = out.picture.shape[1]
    assert circle.x - circle.radius < 0 or circle.x + circle.radius > wide


def test_wrong_numbers_of_faces_are_refused() -> None:
    struck, photos = _faces(2)
    rng = np.random.default_rng(0)
    source = sample_source(rng)
    with pytest.raises(MintError, match="2 faces but 1"):
        photograph(struck, photos[:1], SIZE)
    with pytest.raises(MintError, match="1 or 2"):
        sample_layout(rng, DIFFICULTIES["easy"], source, 3)
    layout = sample_layout(rng, DIFFICULTIES["easy"], source, 1)
    with pytest.raises(MintError, match="layout has 1"):
        compose(struck, photos, layout)


def _statistics() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "mint_statistics.py"
    spec = importlib.util.spec_from_file_location("mint_statistics", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_statistics_say_what_their_names_say() -> None:
    figures = _statistics().face_statistics
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:200, :200]
    mask = np.hypot(xx - 100, yy - 100) < 95
    flat = np.full((200, 200, 3), 128, np.uint8)
    noisy = np.clip(128 + rng.normal(0, 30, (200, 200, 1)), 0, 255).astype(np.uint8)
    noisy = np.repeat(noisy, 3, 2)
    stripes = np.repeat((128 + 60 * np.sin(xx / 3))[..., None], 3, 2).astype(np.uint8)
    a, b, c = (figures(p, mask) for p in (flat, noisy, stripes))
    assert a["mean"] == pytest.approx(128 / 255, abs=0.01)
    assert a["gradient"] < 1e-4 < b["gradient"]
    assert b["spectrum_slope"] > -0.6
    assert b["orientation_entropy"] > 0.99 > c["orientation_entropy"]
    assert c["orientation_bias"] > 0.9 > b["orientation_bias"]
    with pytest.raises(ValueError, match="mask"):
        figures(flat, np.zeros((200, 200), bool))
