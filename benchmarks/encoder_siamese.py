"""What the project began with, as a baseline: a plain Siamese network on faces that are not aligned
on any frame.

A few convolutions, pooled, one vector, contrastive loss (Hadsell, Chopra and LeCun 2006) on random
pairs of ONE collection of 91 coins. It is tested on types that it never saw.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dieindex.training.rendered import Faces

SIZE = 96
MARGIN = 1.0
_PAIRS = 32


class PlainSiamese(nn.Module):
    """(B, 1, SIZE, SIZE) grey → (B, 128) unit vectors."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for after in (32, 64, 128, 128):
            layers += [nn.Conv2d(before, after, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)]
            before = after
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * (SIZE // 16) ** 2, 128))

    def forward(self, faces: Tensor) -> Tensor:
        return F.normalize(self.layers(faces), dim=1)


def enter(faces: Faces) -> Tensor:
    """Faces as this network sees them: grey, centred on the flan, mean 0 and spread 1."""
    greys = [
        cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        for p in faces.picture
    ]
    stack = torch.from_numpy(np.stack(greys)).float()[:, None]
    spread = stack.std((1, 2, 3), keepdim=True).clamp(min=1.0)
    return (stack - stack.mean((1, 2, 3), keepdim=True)) / spread


def train_siamese(sides: Sequence[Faces], minutes: float, seed: int = 1) -> PlainSiamese:
    """Train on the pairs of a collection's sides, half of them of one die, for process minutes."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = PlainSiamese()
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-4)
    entering = [enter(side) for side in sides]
    pairs = []
    for side in sides:
        a, b = np.triu_indices(len(side), 1)
        same = side.die[a] == side.die[b]
        pairs.append(((a[same], b[same]), (a[~same], b[~same])))
    deadline = time.process_time() + 60 * minutes
    while time.process_time() < deadline:
        number = int(rng.integers(len(sides)))
        first, second, label = [], [], []
        for is_same, (a, b) in zip((1.0, 0.0), pairs[number], strict=True):
            chosen = rng.integers(len(a), size=_PAIRS // 2)
            first.append(a[chosen])
            second.append(b[chosen])
            label += [is_same] * len(chosen)
        one = network(entering[number][np.concatenate(first)])
        other = network(entering[number][np.concatenate(second)])
        distance = (one - other).square().sum(1).add(1e-9).sqrt()
        same = torch.tensor(label)
        loss = (same * distance**2 + (1 - same) * F.relu(MARGIN - distance) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()
