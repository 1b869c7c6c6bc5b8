"""What JPEG leaves of a picture: blocks of eight pixels, coarse colour, ringing at edges.

On a CPU each picture goes through OpenCV's own JPEG. On any other device the lossy steps are done
there, in batches, without the lossless coding between them: the colour transform of JFIF, chroma
halved in both directions, the cosine transform of 8 x 8 blocks, and rounding by the quantisation
tables of ITU-T T.81, annex K, scaled by quality as the Independent JPEG Group's library does.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dieindex.errors import MintError
from dieindex.records import Floats32

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def compressed(pictures: Tensor, qualities: list[int]) -> Tensor:
    """``pictures`` (B, 3, h, w) uint8 RGB as they come back from JPEG files of ``qualities``.

    Qualities are 1…100. Raises MintError where pictures and qualities disagree in number or a
    quality is out of range.
    """
    if len(pictures) != len(qualities):
        raise MintError(f"{len(pictures)} pictures but {len(qualities)} qualities were given.")
    for quality in qualities:
        if not 1 <= quality <= 100:
            raise MintError(f"JPEG quality {quality}: give 1 to 100.")
    if pictures.device.type == "cpu":
        return _by_opencv(pictures, qualities)
    return by_blocks(pictures, qualities)


def _by_opencv(pictures: Tensor, qualities: list[int]) -> Tensor:
    out = torch.empty_like(pictures)
    for row, picture, quality in zip(out, pictures, qualities, strict=True):
        # Channels are turned round before and after: an OpenCV picture is blue, green, red.
        bgr = np.ascontiguousarray(picture.flip(0).permute(1, 2, 0).numpy())
        done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise MintError("A picture could not be encoded as JPEG.")
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        assert decoded is not None, "what was just encoded can be decoded"
        row.copy_(torch.from_numpy(decoded).permute(2, 0, 1).flip(0))
    return out


def by_blocks(pictures: Tensor, qualities: list[int]) -> Tensor:
    """The lossy steps of JPEG with tensor operations, on any device; see ``compressed``."""
    device = pictures.device
    height, width = pictures.shape[-2:]
    bottom, right = -height % 16, -width % 16
    padded = F.pad(pictures.float(), (0, right, 0, bottom), mode="replicate")
    ycc = torch.einsum("ij,bjhw->bihw", torch.tensor(_TO_YCC, device=device), padded)
    luma, chroma = ycc[:, :1] - 128, F.avg_pool2d(ycc[:, 1:], 2)
    luma = _quantised(luma, _tables(_LUMA, qualities, device)) + 128
    chroma = _quantised(chroma, _tables(_CHROMA, qualities, device))
    # The decoder's triangular filter, as in the library that nearly everybody uses.
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    whole = torch.cat([luma, chroma], 1)[..., :height, :width]
    rgb = torch.einsum("ij,bjhw->bihw", torch.tensor(_TO_RGB, device=device), whole)
    return (rgb.clamp(0, 255) + 0.5).to(torch.uint8)


def _tables(
    base: tuple[tuple[int, ...], ...], qualities: list[int], device: torch.device
) -> Tensor:
    """Quantisation steps of each picture, ``(B, 1, 1, 1, 8, 8)``."""
    table = np.array(base, np.int64)
    steps = []
    for quality in qualities:
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        steps.append(np.clip((table * scale + 50) // 100, 1, 255))
    return torch.from_numpy(np.stack(steps).astype(np.float32)).to(device)[:, None, None, None]


def _quantised(plane: Tensor, steps: Tensor) -> Tensor:
    """``(B, c, h, w)``, edges multiples of 8, its cosine coefficients rounded to steps."""
    batch, channels, height, width = plane.shape
    basis = torch.from_numpy(_cosines()).to(plane.device)
    blocks = plane.reshape(batch, channels, height // 8, 8, width // 8, 8).permute(0, 1, 2, 4, 3, 5)
    coefficients = basis @ blocks @ basis.T
    coefficients = torch.round(coefficients / steps) * steps
    blocks = basis.T @ coefficients @ basis
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(batch, channels, height, width)


@lru_cache(maxsize=1)
def _cosines() -> Floats32:
    """The orthonormal cosine transform of eight values, ``(8, 8)``: a row a frequency."""
    k, n = np.mgrid[:8, :8]
    basis = np.cos((2 * n + 1) * k * np.pi / 16) * np.where(k == 0, np.sqrt(1 / 8), 0.5)
    return np.asarray(basis, np.float32)
