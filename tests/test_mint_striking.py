"""Striking: geometry, determinism, what ages and wears, and what the visible mask says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.errors import MintError
from dieindex.mint import dieage
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.flan import sample_coin
from dieindex.mint.noise import TILE, tiles
from dieindex.mint.parameters import StrikeParameters, mirrored
from dieindex.mint.relief import RELIEF_SIZE, RELIEF_SPAN
from dieindex.mint.striking import Struck, die_seed, sample_strike, strike
from dieindex.mint.surface import blur, cast_shadow, soft_min

SIZE = 96


def _die(shift: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three bumps that no symmetry maps on themselves."""
    steps = (np.arange(RELIEF_SIZE) + 0.5) * (2 * RELIEF_SPAN / RELIEF_SIZE) - RELIEF_SPAN
    x, y = np.meshgrid(steps, steps)
    height = np.zeros((RELIEF_SIZE, RELIEF_SIZE), np.float32)
    for cx, cy, top in ((0.3 + shift, 0.1, 0.08), (-0.4, 0.35, 0.06), (-0.1, -0.5, 0.07)):
        height += (top * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.006)).astype(np.float32)
    maps = torch.from_numpy(height)[None, None]
    return maps, (maps > 0.005).float()


def _plain(seed: int = 1, **changes: object) -> StrikeParameters:
    """A coin as new: nothing but the blow."""
    rng = np.random.default_rng(seed)
    coin = replace(
        sample_coin(rng, DIFFICULTIES["easy"]),
        outline=np.ones(360, np.float32),
        splits=np.zeros((0, 4), np.float32),
        hole=np.zeros(4, np.float32),
        dish=0.0,
        wear=0.0,
        corrosion=0.0,
        deposits=0.0,
        cast=0.0,
        unevenness=0.0,
        pitting=0.0,
        staining=0.0,
        roughness=0.0,
    )
    parameters = sample_strike(rng, DIFFICULTIES["easy"], 0.0, coin=coin)
    parameters = replace(
        parameters,
        offset=(0.0, 0.0),
        weakness=0.0,
        tilt=0.0,
        relief=1.0,
        flow=0.0,
        double=0.0,
        wear=0.0,
        corrosion=0.0,
        deposits=0.0,
        scratches=0.0,
        tooling=0.0,
        gouges=np.zeros((0, 5), np.float32),
        cuts=np.zeros((0, 5), np.float32),
        punches=np.zeros((0, 5), np.float32),
    )
    return replace(parameters, **changes)  # type: ignore[arg-type]


def _strike(parameters: StrikeParameters, size: int = SIZE) -> Struck:
    height, design = _die()
    return strike(height, design, [1.1], [parameters], size)


def _random(count: int, difficulty: str = "hard") -> list[StrikeParameters]:
    rng = np.random.default_rng(7)
    return [
        sample_strike(
            rng, DIFFICULTIES[difficulty], float(rng.random()), die_seed=i, reverse=i % 2 == 1
        )
        for i in range(count)
    ]


def test_same_seed_gives_the_same_face_in_any_batch_and_with_any_threads() -> None:
    height, design = _die()
    parameters = _random(5)
    maps = height.expand(5, -1, -1, -1), design.expand(5, -1, -1, -1)
    together = strike(*maps, [1.1] * 5, parameters, SIZE)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        for i in (4, 2):
            alone = strike(height, design, [1.1], [parameters[i]], SIZE)
            for name in ("height", "mask", "visible", "flow"):
                assert torch.equal(getattr(alone, name)[0], getattr(together, name)[i]), name
            assert torch.equal(alone.layers.albedo[0], together.layers.albedo[i])
    finally:
        torch.set_num_threads(threads)


def test_maps_are_finite_and_within_their_ranges() -> None:
    height, design = _die()
    for difficulty in DIFFICULTIES:
        parameters = _random(4, difficulty)
        struck = strike(
            height.expand(4, -1, -1, -1), design.expand(4, -1, -1, -1), [1.0] * 4, parameters, SIZE
        )
        assert torch.isfinite(struck.height).all()
        for values in (struck.mask, struck.visible, struck.layers.albedo, struck.layers.shine):
            assert float(values.min()) >= 0
            assert float(values.max()) <= 1.0001
        assert not struck.visible[struck.mask < 0.4].any()


@given(
    x=st.floats(-0.15, 0.15),
    y=st.floats(-0.15, 0.15),
    rotation=st.floats(-3, 3),
)
@settings(max_examples=12, deadline=None)
def test_the_truth_says_where_each_bump_of_the_die_lies(
    x: float, y: float, rotation: float
) -> None:
    struck = _strike(_plain(offset=(x, y), rotation=rotation), 128)
    to_grid = struck.coin_to_grid()[0] @ np.linalg.inv(struck.coin_to_die[0])
    for cx, cy in ((0.3, 0.1), (-0.4, 0.35), (-0.1, -0.5)):
        u, v, _ = to_grid @ (cx, cy, 1.0)
        column, row = round(u), round(v)
        window = struck.height[0, 0, row - 5 : row + 6, column - 5 : column + 6]
        top = divmod(int(window.argmax()), 11)
        assert np.hypot(column - 5 + top[1] - u, row - 5 + top[0] - v) < 2.0


def test_metal_flow_moves_the_design_as_it_says_and_by_as_much() -> None:
    struck = _strike(_plain(flow=0.02), 128)
    steps = (np.arange(128) + 0.5) * (2 * struck.extents[0] / 128) - struck.extents[0]
    x, y = np.meshgrid(steps, steps)
    flow = struck.flow[0].numpy()
    inside = struck.mask[0, 0].numpy() > 0.5
    assert 0.008 < np.sqrt((flow[:, inside] ** 2).sum(0).mean() / 2) < 0.04
    die_x, die_y = x + flow[0], y + flow[1]
    near = np.hypot(die_x - 0.3, die_y - 0.1)
    row, column = np.unravel_index(near.argmin(), near.shape)
    window = struck.height[0, 0, row - 4 : row + 5, column - 4 : column + 5]
    top = divmod(int(window.argmax()), 9)
    assert np.hypot(top[0] - 4, top[1] - 4) <= 1.5


def test_cracks_grow_along_a_dies_life_and_are_the_dies_own() -> None:
    cracked = [s for s in range(60) if dieage.crack_relief(s, 1.0, 256, RELIEF_SPAN) is not None]
    assert 15 < len(cracked) < 60
    grown = 0
    for seed in cracked[:12]:
        late = dieage.crack_relief(seed, 1.0, 256, RELIEF_SPAN)
        early = dieage.crack_relief(seed, 0.6, 256, RELIEF_SPAN)
        assert late is not None
        assert np.array_equal(late, dieage.crack_relief(seed, 1.0, 256, RELIEF_SPAN))
        if early is not None:
            assert (early > 0.002).sum() <= (late > 0.002).sum()
            # An older die shows the old crack and more of it.
            known = early > 0.0015
            if known.any():
                assert late[known].mean() > 0.6 * early[known].mean()
                grown += 1
    assert grown >= 2
    assert dieage.crack_relief(cracked[0], 0.0, 256, RELIEF_SPAN) is None


def test_clashed_dies_show_the_other_side_only_late_and_only_in_the_field() -> None:
    height, _ = _die()
    other = height.flip(-2)
    changed = []
    for seed in range(40):
        new = dieage.clashed(height, other, [seed], [0.0])
        assert torch.equal(new, height)
        old = dieage.clashed(height, other, [seed], [1.0])
        changed.append(not torch.equal(old, height))
        assert torch.equal(old[height > 0.02], height[height > 0.02])
    assert 3 < sum(changed) < 35


def test_wear_takes_the_high_points_first() -> None:
    fresh, worn = _strike(_plain()), _strike(_plain(wear=0.9))
    to_grid = fresh.coin_to_grid()[0] @ np.linalg.inv(fresh.coin_to_die[0])
    u, v, _ = to_grid @ (0.3, 0.1, 1.0)
    tall = (0, 0, round(v), round(u))
    assert float(worn.height[tall]) < 0.75 * float(fresh.height[tall])
    field = (fresh.design < 0.01) & (fresh.edge > 0.2)
    moved = (worn.height - fresh.height)[field].abs().mean()
    assert float(moved) < 0.25 * float(fresh.height[tall] - worn.height[tall])
    assert float(worn.visible.mean()) < float(fresh.visible.mean())


def test_a_weak_blow_leaves_the_deep_of_the_die_unfilled_and_invisible() -> None:
    lost, seen = [], []
    for seed in range(1, 7):
        full, weak = _strike(_plain(seed)), _strike(_plain(seed, weakness=0.85))
        tall = full.design > 0.5
        lost.append(float((full.height - weak.height)[tall].mean() / full.height[tall].mean()))
        seen.append(float(weak.visible[tall].mean() - full.visible[tall].mean()))
    assert np.mean(lost) > 0.15
    assert np.mean(seen) < -0.15
    assert max(seen) < 0.02


def test_off_centre_dies_lose_what_falls_off_the_flan() -> None:
    struck = _strike(_plain(offset=(0.9, 0.0)))
    assert not struck.visible[struck.edge < 0].any()
    left = struck.visible[..., : SIZE // 8]
    assert float(left.max()) == 0.0, "beyond the die's edge nothing is struck"


def test_the_reverse_sees_the_flan_mirrored() -> None:
    rng = np.random.default_rng(3)
    coin = sample_coin(rng, DIFFICULTIES["hard"])
    assert np.array_equal(mirrored(mirrored(coin.outline)), coin.outline)
    front = sample_strike(rng, DIFFICULTIES["hard"], 0.1, coin=coin)
    back = sample_strike(rng, DIFFICULTIES["hard"], 0.1, coin=coin, reverse=True)
    height, design = _die()
    a = strike(height, design, [1.1], [front], 128).edge > 0
    b = strike(height, design, [1.1], [back], 128).edge > 0
    assert float((a == b.flip(-1)).float().mean()) > 0.995
    assert float((a == b).float().mean()) < 0.995


def test_corrosion_cuts_and_deposits_hide_the_design() -> None:
    whole = float(_strike(_plain()).visible.mean())
    assert float(_strike(_plain(corrosion=1.0)).visible.mean()) < whole - 0.05
    assert float(_strike(_plain(deposits=1.0)).visible.mean()) < whole
    cut = np.array([[0.0, 0.0, 0.5, 0.8, 0.1]], np.float32)
    assert float(_strike(_plain(cuts=cut)).visible.mean()) < whole


def test_tiles_are_seamless_and_of_unit_spread() -> None:
    for name in ("cloud", "hill", "grain", "grit"):
        tile = tiles()[name][0, 0]
        assert tile.shape == (2 * TILE, 2 * TILE)
        assert float(tile.std()) == pytest.approx(1, abs=0.05)
        inner = (tile[:, 1:TILE] - tile[:, : TILE - 1]).abs().mean()
        seam = (tile[:, TILE] - tile[:, TILE - 1]).abs().mean()
        assert float(seam) < 2 * float(inner)


def test_blur_keeps_the_mean_and_spreads_by_its_sigma() -> None:
    for sigma in (1.0, 3.0, 6.0):
        spot = torch.zeros(1, 1, 128, 128)
        spot[..., 64, 64] = 1
        out = blur(spot, sigma)
        assert float(out.sum()) == pytest.approx(1, abs=0.02)
        steps = torch.arange(128) - 64.0
        spread = float((out.sum((0, 1, 2)) * steps**2).sum() / out.sum()) ** 0.5
        assert spread == pytest.approx(sigma, rel=0.25)


def test_shadow_falls_away_from_the_lamp() -> None:
    ridge = torch.zeros(1, 1, 64, 64)
    ridge[..., 31:33] = 0.3
    one = torch.ones(1, 1, 1, 1)
    reach = cast_shadow(ridge, one * np.pi, one * 0.5, one * 0.03, one * 0.1)
    assert float(reach[..., 20:28].mean()) > 0.9, "the lamp stands on the left"
    assert float(reach[..., 34:38].mean()) < 0.3


@given(a=st.floats(-1, 1), b=st.floats(-1, 1))
def test_soft_min_never_exceeds_either(a: float, b: float) -> None:
    out = float(soft_min(torch.tensor(a), torch.tensor(b), 0.01))
    assert out <= min(a, b) + 1e-5
    assert out >= min(a, b) - 0.0051


def test_wrong_calls_are_refused_with_reasons() -> None:
    height, design = _die()
    with pytest.raises(MintError, match="equally many"):
        strike(height, design, [1.0, 1.0], [_plain()], SIZE)
    with pytest.raises(MintError, match="at least one"):
        strike(height[:0], design[:0], [], [], SIZE)
    with pytest.raises(MintError, match="0 to 1"):
        sample_strike(np.random.default_rng(0), DIFFICULTIES["easy"], 1.5)


def test_die_seeds_follow_the_key() -> None:
    assert die_seed("a/1") == die_seed("a/1") != die_seed("a/2")
