"""What takes most time of aligning, for many faces at once by torch: so that a GPU does it.

The same as ``realigning.ONE_BY_ONE`` to within what single precision and the sampling of pictures
leave (OpenCV samples between pixels in steps of a 32nd): a test holds places within a tenth of a
pixel of the frame of each other. What is small or not worth its way to the device, as the distance
from the rim and the eight unknowns of a step, stays on the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from dieindex.alignment.affine import (
    FRAME_RADIUS,
    LEAST_WEIGHT,
    Hill,
    departure,
    ran_away,
    solved_step,
)
from dieindex.alignment.fields import FaceField, inner, rotation_of, saturated
from dieindex.alignment.realigning import Pass
from dieindex.alignment.search import Bank, Peak, Spectrum, centred, peaks_of, score_of
from dieindex.alignment.warping import frame_matrix, softened
from dieindex.collection.light import (
    FLOOR,
    LEAST_SPREAD,
    LIMIT,
    NEIGHBOURHOOD,
    box_widths,
    grid_step,
)
from dieindex.records import Face, Matrix

Planes = torch.Tensor
"""``(n, planes, s, s)``."""


class Together:
    """Aligns many faces at once on a ``device`` of torch (see ``realigning.Aligner``)."""

    at_once = 64

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)

    # -------------------------------------------------------- searching

    def search(self, asked: Sequence[tuple[Spectrum, Bank, int]]) -> list[list[Peak]]:
        found: list[list[Peak]] = [[] for _ in asked]
        by_bank: dict[int, list[int]] = {}
        for k, (_, bank, _) in enumerate(asked):
            by_bank.setdefault(id(bank), []).append(k)
        for rows in by_bank.values():
            bank = asked[rows[0]][1]
            spectra, power, cover = (
                self._there(each) for each in (bank.spectra, bank.power, bank.cover)
            )
            for start in range(0, len(rows), self.at_once // 4):
                part = rows[start : start + self.at_once // 4]
                faces = [asked[k][0] for k in part]
                values, own_power, own_cover = (
                    self._there(np.stack([getattr(face, name) for face in faces]))
                    for name in ("values", "power", "cover")
                )
                agreement = _shifts(values[:, None, None] * spectra)
                of_face = _shifts(own_power[:, None] * cover)
                of_pattern = _shifts(own_cover[:, None] * power)
                for k, face, *maps in zip(part, faces, agreement, of_face, of_pattern, strict=True):
                    score = score_of(maps, face.energy, bank.energy)
                    found[k] = peaks_of(score, bank.grid, asked[k][2])
        return found

    # -------------------------------------------------------- climbing

    def climb(
        self, hills: Sequence[Hill], starts: Sequence[Matrix], steps: int, least_gain: float
    ) -> list[tuple[Matrix, float]]:
        found: list[tuple[Matrix, float]] = []
        for start in range(0, len(hills), self.at_once):
            part = slice(start, start + self.at_once)
            found += self._climb(hills[part], starts[part], steps, least_gain)
        return found

    def _climb(
        self, hills: Sequence[Hill], starts: Sequence[Matrix], steps: int, least_gain: float
    ) -> list[tuple[Matrix, float]]:
        template = self._complex(np.stack([hill.template for hill in hills]))
        weight = self._there(np.stack([hill.weight for hill in hills]))
        planes = self._there(np.stack([hill.planes[..., :3] for hill in hills]))
        planes = planes.permute(0, 3, 1, 2).contiguous()
        places, scores = list(starts), [0.0] * len(hills)
        moved, both = self._sampled(planes, weight, hills, starts)
        for k, score in enumerate(_correlations(template, moved, both)):
            scores[k] = score
        climbing = list(range(len(hills)))
        for _ in range(steps):
            if not climbing:
                break
            departed = [departure(hills[k].before @ places[k]) for k in climbing]
            towards = _steps(template[climbing], moved, both, departed)
            tried: dict[int, Matrix] = {}
            for k, step in zip(climbing, towards, strict=True):
                place = places[k] @ step
                place = place / place[2, 2]
                if not ran_away(place, hills[k].origin):
                    tried[k] = place
            climbing = list(tried)
            if not climbing:
                break
            moved, both = self._sampled(
                planes[climbing],
                weight[climbing],
                [hills[k] for k in climbing],
                list(tried.values()),
            )
            going = []
            for row, (k, better) in enumerate(
                zip(climbing, _correlations(template[climbing], moved, both), strict=True)
            ):
                gain = better - scores[k]
                if gain > 0:
                    places[k], scores[k] = tried[k], better
                if gain >= least_gain:
                    going.append(row)
            climbing = [climbing[row] for row in going]
            moved, both = moved[going], both[going]
        return list(zip(places, scores, strict=True))

    def _sampled(
        self,
        planes: Planes,
        weight: torch.Tensor,
        hills: Sequence[Hill],
        places: Sequence[Matrix],
    ) -> tuple[Planes, torch.Tensor]:
        """``Hill.sampled`` of each: ``(n, 2, s, s)`` and ``(n, s, s)``."""
        back = [hill.left @ place @ hill.right for hill, place in zip(hills, places, strict=True)]
        out = self._warped(planes, back, weight.shape[-1], "zeros")
        turn = np.exp(-2j * np.array([rotation_of(each) for each in back]))
        c, s = (
            self._there(part.astype(np.float32))[:, None, None] for part in (turn.real, turn.imag)
        )
        re, im = out[:, 0], out[:, 1]
        return torch.stack([c * re - s * im, s * re + c * im], 1), out[:, 2] * weight

    # -------------------------------------------------------- rendering

    def render(self, one: Pass, faces: Sequence[Face], places: Sequence[Matrix]) -> list[FaceField]:
        found: list[FaceField] = []
        for start in range(0, len(faces), self.at_once):
            part = slice(start, start + self.at_once)
            found += self._render(one, faces[part], places[part])
        return found

    def _render(
        self, one: Pass, faces: Sequence[Face], places: Sequence[Matrix]
    ) -> list[FaceField]:
        edge, radius = one.edge, FRAME_RADIUS * one.edge
        maps = [frame_matrix(place, edge) for place in places]
        pictures = [
            cv2.cvtColor(softened(face.picture, each), cv2.COLOR_RGB2GRAY)
            for face, each in zip(faces, maps, strict=True)
        ]
        masks = [
            cv2.warpPerspective(
                face.mask.astype(np.uint8), each, (edge, edge), flags=cv2.INTER_NEAREST
            )
            for face, each in zip(faces, maps, strict=True)
        ]
        grey = self._there(np.stack(pictures)).float()[:, None]
        back = [np.linalg.inv(each) for each in maps]
        grey = torch.round(self._warped(grey, back, edge, "border"))
        mask = self._there(np.stack(masks)).float()[:, None]
        inside = self._there(np.stack([inner(each > 0, radius) for each in masks]))[:, None]
        votes = _votes(_normalised(grey, mask), inside, one.scale)
        if one.shrink > 1:
            votes = functional.avg_pool2d(votes, one.shrink)
            inside = functional.avg_pool2d(inside, one.shrink)
        fields = votes.permute(0, 2, 3, 1).contiguous().cpu().numpy().view(np.complex64)[..., 0]
        return [
            FaceField(np.ascontiguousarray(values), np.ascontiguousarray(weight))
            for values, weight in zip(fields, inside[:, 0].cpu().numpy(), strict=True)
        ]

    # -------------------------------------------------------- in common

    def _there(self, values: npt.NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device)

    def _complex(self, values: npt.NDArray[np.complex64]) -> Planes:
        """``(n, 2, s, s)``: real and imaginary parts."""
        return torch.stack([self._there(values.real), self._there(values.imag)], 1)

    def _warped(self, planes: Planes, back: Sequence[Matrix], size: int, outside: str) -> Planes:
        """Planes sampled on other grids of ``size`` pixels: ``back`` takes pixels of these to
        pixels of the planes."""
        edge = planes.shape[-1]
        # (In double precision as far as it is known for all pixels at once.)
        to_share = np.array([[2 / (edge - 1), 0, -1], [0, 2 / (edge - 1), -1], [0, 0, 1]])
        maps = self._there(np.stack([to_share @ each / each[2, 2] for each in back]).astype("f4"))
        at = torch.arange(size, dtype=torch.float32, device=self._device)
        y, x = torch.meshgrid(at, at, indexing="ij")
        spots = torch.stack([x, y, torch.ones_like(x)], -1).reshape(-1, 3)
        there = spots @ maps.transpose(1, 2)
        grid = (there[..., :2] / there[..., 2:]).reshape(len(back), size, size, 2)
        return functional.grid_sample(
            planes, grid, mode="bilinear", padding_mode=outside, align_corners=True
        )


def _shifts(spectra: torch.Tensor) -> npt.NDArray[np.float32]:
    """The shifts that are looked at of each product of spectra, in the middle shift 0."""
    return np.asarray(centred(torch.fft.ifft2(spectra).real.cpu().numpy()), np.float32)


def _correlations(template: Planes, moved: Planes, weight: torch.Tensor) -> list[float]:
    """``affine.correlation`` of each."""
    over = weight[:, None]
    across, a, b = (
        (one * other * over).sum((1, 2, 3)).cpu().numpy().astype(float)
        for one, other in ((template, moved), (template, template), (moved, moved))
    )
    known = (a > 1e-6) & (b > 1e-6)
    found = np.where(known, across / np.sqrt(np.where(known, a * b, 1.0)), 0.0)
    return [float(each) for each in found]


def _steps(
    template: Planes,
    moved: Planes,
    weight: torch.Tensor,
    departed: Sequence[npt.NDArray[np.floating]],
) -> list[Matrix]:
    """``affine.step_towards`` of each."""
    count, _, size, _ = moved.shape
    counted = weight > LEAST_WEIGHT
    root = torch.where(counted, weight, torch.zeros_like(weight)).sqrt()[:, None]
    slope = root * (FRAME_RADIUS * size / 32)
    dx, dy = (_scharr(moved, axis) * slope for axis in (0, 1))
    here, wanted = moved * root, template * root
    at = torch.arange(size, dtype=torch.float32, device=moved.device)
    unit = (at - (size - 1) / 2) / (FRAME_RADIUS * size)
    x, y = unit[None, None, None], unit[None, None, :, None]
    grown, stretched = x * dx + y * dy, x * dx - y * dy
    tilted, turned = x * dy + y * dx, x * dy - y * dx
    # A turn by d of the place turns the directions back by 2d.
    turned = turned - 2 * torch.stack([-here[:, 1], here[:, 0]], 1)
    slopes = torch.stack(
        [turned, grown, stretched, tilted, dx, dy, -x * grown, -y * grown], 1
    ).reshape(count, 8, -1)
    both = torch.stack([wanted, here], 1).reshape(count, 2, -1)
    normal = (slopes @ slopes.transpose(1, 2)).cpu().numpy().astype(np.float64)
    right = (slopes @ both.transpose(1, 2)).cpu().numpy().astype(np.float64)
    sums = (both @ both.transpose(1, 2)).cpu().numpy().astype(np.float64)
    pixels = counted.sum((1, 2)).cpu().numpy()
    found: list[Matrix] = []
    for k in range(count):
        if pixels[k] < 20:
            found.append(np.eye(3))
            continue
        gain = max(sums[k, 0, 1] / max(sums[k, 1, 1], 1e-9), 1e-3)
        left = sums[k, 0, 0] - 2 * gain * sums[k, 0, 1] + gain**2 * sums[k, 1, 1]
        noise = max(left, 0.0) / (2 * int(pixels[k]))
        along = (right[k, :, 0] - gain * right[k, :, 1]) * gain
        found.append(solved_step(normal[k] * gain**2, along, noise, size, departed[k]))
    return found


def _scharr(planes: Planes, axis: int) -> Planes:
    """OpenCV's derivative along x (axis 0) or y, not divided."""
    apart, beside = (-1.0, 0.0, 1.0), (3.0, 10.0, 3.0)
    return _weighed(_weighed(planes, apart, 3 - axis), beside, 2 + axis)


def _weighed(planes: Planes, weights: Sequence[float], axis: int) -> Planes:
    """Sums of neighbours along an axis, mirrored beyond the edge. (Not torch's convolution: GPUs
    round what they convolve to ten bits.)"""
    reach = len(weights) // 2
    padded = _mirrored(planes, reach, axis)
    size = planes.shape[axis]
    return sum(
        (w * padded.narrow(axis, k, size) for k, w in enumerate(weights) if w),
        torch.zeros_like(planes),
    )


def _mirrored(planes: Planes, reach: int, axis: int) -> Planes:
    sides = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
    return functional.pad(planes, sides, mode="reflect")


def _normalised(grey: Planes, mask: Planes) -> Planes:
    """``collection.light.normalise_light`` of each."""
    edge = grey.shape[-1]
    sigma = NEIGHBOURHOOD * edge
    step = grid_step(edge, sigma)

    def blurred(planes: Planes) -> Planes:
        planes = functional.avg_pool2d(planes, step)
        for width in box_widths(sigma / step):
            across = functional.avg_pool2d(_mirrored(planes, width // 2, 3), (1, width), stride=1)
            planes = functional.avg_pool2d(_mirrored(across, width // 2, 2), (width, 1), stride=1)
        return planes

    weight = blurred(mask).clamp(min=1e-3)

    def mean_of(planes: Planes) -> Planes:
        mean = blurred(planes) / weight
        return functional.interpolate(mean, (edge, edge), mode="bilinear", align_corners=False)

    apart = (grey - mean_of(grey * mask)) * mask
    variance = mean_of(apart * apart)
    shown = mask.sum((1, 2, 3), keepdim=True)
    overall = (variance * mask).sum((1, 2, 3), keepdim=True) / shown.clamp(min=1.0)
    overall = torch.where(shown > 0, overall, torch.ones_like(overall))
    normalised = apart / (variance + FLOOR * overall + LEAST_SPREAD).sqrt()
    return normalised.clamp(-LIMIT, LIMIT) / LIMIT


@lru_cache(maxsize=8)
def _gaussian(sigma: float) -> tuple[float, ...]:
    """As OpenCV makes it for single precision."""
    size = round(sigma * 8 + 1) | 1
    return tuple(cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel().tolist())


def _votes(light: Planes, inside: Planes, scale: float) -> Planes:
    """``(n, 2, s, s)``: ``fields.rendered_field`` of each; 0 where of one plain colour."""
    smooth = _weighed(_weighed(light, _gaussian(scale), 3), _gaussian(scale), 2)
    x, y = _scharr(smooth, 0), _scharr(smooth, 1)
    power = x * x + y * y
    total = inside.sum((1, 2, 3), keepdim=True).clamp(min=1e-6)
    usual = (power * inside).sum((1, 2, 3), keepdim=True) / total
    vote = saturated(power, inside, usual)
    found = torch.cat([(x * x - y * y) * vote, 2 * x * y * vote], 1)
    return torch.where(usual < 1e-8, torch.zeros_like(found), found)
