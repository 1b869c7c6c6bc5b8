"""A critic: a small classifier that tells crops of real photographs from rendered ones.

What it keys on is what the mint still gets wrong. Crops are grey, of faces brought to one size, and
normalised in mean and contrast, so that neither colour nor exposure can tell them apart. It is
trained on even-numbered real photographs and judged on odd-numbered ones.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from dieindex.collection.photographs import cut_file
from dieindex.errors import PictureError
from dieindex.evaluation.ranking import roc_auc
from dieindex.records import FLAN_RADIUS, Face, Floats32, Ints, Picture

FACE_EDGE = 160
"""Faces are brought to this edge: the small real photographs have no more."""
CROP = 48
CROPS_A_FACE = 6


@dataclass(frozen=True, eq=False)
class Crops:
    """Normalised grey crops ``(m, CROP, CROP)`` float32, the face of each and its ring (0…1)."""

    values: Floats32
    face: Ints
    radius: Floats32


def real_faces(
    root: Path, even: bool, folders: Sequence[str] = ("roman_pairs", "roman_faces")
) -> list[Face]:
    """Faces of the real Roman photographs with an even (or odd) number in their name."""
    files = [file for folder in folders for file in sorted(root.glob(f"{folder}/images/*"))]
    faces: list[Face] = []
    for file in files:
        number = int(re.findall(r"\d+", file.stem)[-1])
        if (number % 2 == 0) is even:
            with contextlib.suppress(PictureError):  # one of the real pictures is blank
                faces += [face for face in cut_file(file) if face.flan.sure]
    return faces


def grey_face(face: Picture, edge: int = FACE_EDGE) -> Floats32:
    """The face in grey at the critic's size, 0…255."""
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (edge, edge), interpolation=cv2.INTER_AREA), np.float32)


def sample_crops(faces: Sequence[Face], seed: int) -> Crops:
    """Crops wholly inside the flan, each of zero mean and unit contrast."""
    rng = np.random.default_rng(seed)
    values, owner, radii = [], [], []
    reach = FLAN_RADIUS * FACE_EDGE - CROP * 0.71
    for number, face in enumerate(faces):
        grey = grey_face(face.picture)
        for _ in range(CROPS_A_FACE):
            away, angle = reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
            x = round(FACE_EDGE / 2 + away * np.cos(angle) - CROP / 2)
            y = round(FACE_EDGE / 2 + away * np.sin(angle) - CROP / 2)
            crop = grey[y : y + CROP, x : x + CROP]
            values.append((crop - crop.mean()) / (crop.std() + 2))
            owner.append(number)
            radii.append(away / reach)
    return Crops(
        np.asarray(values, np.float32), np.asarray(owner, np.int64), np.asarray(radii, np.float32)
    )


def statistics(crops: Floats32) -> dict[str, Floats32]:
    """Single numbers a crop, each a way in which rendered metal can differ from real."""
    rows: dict[str, list[float]] = {}
    frequency = np.hypot(np.fft.fftfreq(CROP)[:, None], np.fft.fftfreq(CROP)[None])
    window = np.outer(np.hanning(CROP), np.hanning(CROP))
    bands = [(0.02, 0.06), (0.06, 0.12), (0.12, 0.22), (0.22, 0.36), (0.36, 0.5)]
    for crop in crops:
        gx, gy = cv2.Sobel(crop, cv2.CV_32F, 1, 0), cv2.Sobel(crop, cv2.CV_32F, 0, 1)
        size = np.hypot(gx, gy)
        power = np.abs(np.fft.fft2(crop * window)) ** 2
        band = np.array(
            [power[(frequency >= low) & (frequency < high)].mean() for low, high in bands]
        )
        flat = np.sort(size.ravel())
        xx, yy, xy = float((gx**2).mean()), float((gy**2).mean()), float((gx * gy).mean())
        values = {
            "gradient mean": float(size.mean()),
            "gradient tail (p99/p50)": float(flat[int(0.99 * len(flat))] / (np.median(flat) + 0.1)),
            "quiet share": float((size < 0.35 * size.mean()).mean()),
            "skewness": float((crop**3).mean()),
            "kurtosis": float((crop**4).mean()),
            "dark tail (p1)": float(np.percentile(crop, 1)),
            "bright tail (p99)": float(np.percentile(crop, 99)),
            "one direction": float(np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)),
            "ridge sign": float((cv2.Laplacian(crop, cv2.CV_32F) ** 3).mean()),
            "noise": float(np.median(np.abs(cv2.Laplacian(crop, cv2.CV_32F)))),
        }
        for (low, high), share in zip(bands, np.log(band / band.sum() + 1e-9), strict=True):
            values[f"spectrum {low}-{high}"] = float(share)
        for name, value in values.items():
            rows.setdefault(name, []).append(value)
    return {name: np.asarray(column, np.float32) for name, column in rows.items()}


class Critic(nn.Module):
    """Five small convolutions and one logit: rendered (positive) or real."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for level in range(4):
            wider = width * min(level + 1, 3)
            layers += [nn.Conv2d(channels, wider, 3, padding=1), nn.BatchNorm2d(wider), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
            channels = wider
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(channels, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """Logits ``(m,)`` of crops ``(m, 1, CROP, CROP)``."""
        logits: Tensor = self.head(self.body(crops).mean((2, 3)))
        return logits[:, 0]


def train_critic(real: Floats32, rendered: Floats32, seed: int = 0, epochs: int = 12) -> Critic:
    """A critic trained on balanced crops, with mirrored and turned copies."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    critic = Critic()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=2e-3, weight_decay=1e-3)
    count = min(len(real), len(rendered))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, epochs * (2 * count // 64))
    for _ in range(epochs):
        order = rng.permutation(2 * count)
        pool = np.concatenate([rng.permutation(real)[:count], rng.permutation(rendered)[:count]])
        labels = np.repeat([0.0, 1.0], count).astype(np.float32)
        for start in range(0, 2 * count - 63, 64):
            chosen = order[start : start + 64]
            batch = torch.from_numpy(pool[chosen])[:, None]
            batch = torch.rot90(batch, int(rng.integers(4)), (2, 3))
            if rng.random() < 0.5:
                batch = batch.flip(-1)
            loss = nn.functional.binary_cross_entropy_with_logits(
                critic(batch), torch.from_numpy(labels[chosen])
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return critic.eval()


@torch.inference_mode()
def judge(critic: Critic, crops: Floats32) -> Floats32:
    """Logit of "rendered" for each crop."""
    parts = torch.split(torch.from_numpy(crops)[:, None], 256)
    return np.concatenate([critic(part).numpy() for part in parts])


def auc(rendered: Floats32, real: Floats32) -> float:
    """Area under the curve of telling rendered from real: 0.5 is blindness."""
    scores = np.concatenate([rendered, real])
    labels = np.repeat([True, False], [len(rendered), len(real)])
    return float(roc_auc(scores, labels))


def by_face(scores: Floats32, face: Ints) -> Floats32:
    """Mean over the crops of each face."""
    return np.asarray([scores[face == number].mean() for number in np.unique(face)], np.float32)


def ablated(crops: Floats32, sigma_low: float | None, sigma_high: float | None) -> Floats32:
    """Crops with only the detail between two Gaussian scales (pixels), normalised again."""
    kept = []
    for crop in crops:
        value = crop if sigma_high is None else cv2.GaussianBlur(crop, (0, 0), sigma_high)
        if sigma_low is not None:
            value = value - cv2.GaussianBlur(value, (0, 0), sigma_low)
        kept.append((value - value.mean()) / (value.std() + 1e-3))
    return np.asarray(kept, np.float32)
