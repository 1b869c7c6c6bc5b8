"""What years do to a coin between two sales: toned or cleaned, handled, scratched a little more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dieindex.mint.parameters import CoinParameters, StrikeParameters
from dieindex.records import Side


def years_later(
    rng: np.random.Generator, strikes: Mapping[Side, StrikeParameters]
) -> dict[Side, StrikeParameters]:
    """The faces of one coin as they are years later.

    Outline, cracks, strike and wear stay, and so does every mark that was there: what changes is
    what grows on the metal or is taken off it, and a few scratches come to it.
    """
    coin = _later(rng, next(iter(strikes.values())).coin)
    return {side: _face_later(rng, strike, coin) for side, strike in strikes.items()}


def _later(rng: np.random.Generator, coin: CoinParameters) -> CoinParameters:
    if rng.random() < 0.4:  # cleaned
        return replace(
            coin,
            toning=coin.toning * float(rng.uniform(0.1, 0.7)),
            soil=coin.soil * float(rng.uniform(0.05, 0.5)),
            lustre=coin.lustre + float(rng.uniform(0.0, 0.2)),
        )
    return replace(
        coin,
        toning=float(np.clip(coin.toning + rng.uniform(0.0, 0.5), 0.05, 1.0)),
        soil=float(np.clip(coin.soil + rng.uniform(-0.1, 0.3), 0.05, 1.0)),
        lustre=coin.lustre - float(rng.uniform(0.0, 0.15)),
        staining=float(np.clip(coin.staining + rng.uniform(0.0, 0.2), 0.0, 1.0)),
    )


def _face_later(
    rng: np.random.Generator, strike: StrikeParameters, coin: CoinParameters
) -> StrikeParameters:
    rows = [_scratch(rng) for _ in range(rng.poisson(1.5))]
    return replace(
        strike,
        coin=coin,
        scratches=float(np.clip(strike.scratches * rng.uniform(1.0, 1.2), 0.0, 1.0)),
        gouges=np.concatenate([strike.gouges, np.array(rows, np.float32).reshape(-1, 5)]),
    )


def _scratch(rng: np.random.Generator) -> list[float]:
    """A scratch: x, y, angle, length, depth."""
    away, where = 0.9 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    length = min(0.05 * (rng.pareto(1.6) + 1), 0.7)
    return [
        float(away * np.cos(where)),
        float(away * np.sin(where)),
        float(rng.uniform(0, np.pi)),
        float(length),
        float(rng.uniform(0.002, 0.012)),
    ]
