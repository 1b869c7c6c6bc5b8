"""Plain statistics of a face's picture, to compare rendered coins with photographed ones.

NumPy and OpenCV alone. Pictures are brought to one size first, so that faces photographed larger
or smaller can be compared; all figures are taken inside the flan, a little away from its edge.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.records import Flags, Floats32

SIZE = 192
"""Every face is judged at this edge length, pixels."""
INSIDE = 0.92
"""Share of the mask's radius that is judged: the flan's edge is left out."""


def face_statistics(picture: npt.NDArray[np.uint8], mask: Flags) -> dict[str, float]:
    """Figures of one square face.

    ``picture`` (n, n, 3) uint8 RGB, ``mask`` (n, n) True on the coin. Returns, inside the flan:
    mean, deviation and percentiles of grey (0…1), share of highlights (> 0.95) and of blacks
    (< 0.05), local contrast (median and 90th percentile of the deviation in 9 px windows), gradient
    magnitude (mean, 90th percentile, share above 0.1, kurtosis), evenness of gradient orientations
    (entropy of 18 unsigned bins over its maximum, and the strength of the light's direction:
    |mean gradient| over mean |gradient|), slope of the log-log radial power spectrum between 4 and
    64 cycles, the share of its power above 32 cycles, skewness of the grey's high-pass, and
    saturation (mean and deviation). Raises ValueError for an empty mask or a picture not square.
    """
    if picture.ndim != 3 or picture.shape[0] != picture.shape[1]:
        raise ValueError("face_statistics needs a square RGB picture.")
    if not mask.any():
        raise ValueError("face_statistics needs a mask with the coin in it.")
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    box = cv2.resize(picture[top:bottom, left:right], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    shape = mask[top:bottom, left:right].astype(np.uint8)
    cover = cv2.resize(shape, (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 0
    depth = cv2.distanceTransform(np.pad(cover.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = depth > (1 - INSIDE) * SIZE / 2
    if inside.sum() < 64:
        raise ValueError("The mask is too thin to judge the coin in it.")
    rgb = box.astype(np.float32) / 255
    grey: Floats32 = np.asarray(rgb @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    values = grey[inside]
    out = {
        "mean": float(values.mean()),
        "deviation": float(values.std()),
        "p05": float(np.quantile(values, 0.05)),
        "p50": float(np.quantile(values, 0.5)),
        "p95": float(np.quantile(values, 0.95)),
        "highlights": float((values > 0.95).mean()),
        "blacks": float((values < 0.05).mean()),
        "skewness": _skewness(values),
    }
    out |= _local_contrast(grey, inside)
    out |= _gradients(grey, inside)
    out |= _spectrum(grey, inside)
    high = grey - cv2.GaussianBlur(grey, (0, 0), 2.0)
    out["detail_skewness"] = _skewness(np.asarray(high[inside], np.float32))
    saturation = (rgb.max(2) - rgb.min(2)) / np.maximum(rgb.max(2), 0.02)
    out["saturation"] = float(saturation[inside].mean())
    out["saturation_deviation"] = float(saturation[inside].std())
    return out


def _skewness(values: Floats32) -> float:
    centred = values - values.mean()
    return float((centred**3).mean() / max(float(centred.std()) ** 3, 1e-9))


def _local_contrast(grey: Floats32, inside: Flags) -> dict[str, float]:
    mean = cv2.blur(grey, (9, 9))
    deviation = np.sqrt(np.maximum(cv2.blur(grey * grey, (9, 9)) - mean * mean, 0))[inside]
    relative = deviation / (mean[inside] + 0.05)
    return {
        "local_contrast": float(np.median(deviation)),
        "local_contrast_p10": float(np.quantile(deviation, 0.1)),
        "local_contrast_p90": float(np.quantile(deviation, 0.9)),
        "relative_contrast": float(np.median(relative)),
    }


def _gradients(grey: Floats32, inside: Flags) -> dict[str, float]:
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.7)
    x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)[inside] / 8
    y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)[inside] / 8
    size = np.hypot(x, y)
    turn = np.mod(np.arctan2(y, x), np.pi)
    bins = np.histogram(turn, 18, (0, np.pi), weights=size)[0]
    share = bins / max(float(bins.sum()), 1e-9)
    entropy = -float((share * np.log(share + 1e-12)).sum()) / float(np.log(18))
    doubled = np.hypot((size * np.cos(2 * turn)).sum(), (size * np.sin(2 * turn)).sum())
    return {
        "gradient": float(size.mean()),
        "gradient_median": float(np.median(size)),
        "gradient_p90": float(np.quantile(size, 0.9)),
        "gradient_strong": float((size > 0.1).mean()),
        "gradient_peakedness": float(np.quantile(size, 0.95) / max(np.median(size), 1e-4)),
        "orientation_entropy": entropy,
        "orientation_bias": float(doubled / max(float(size.sum()), 1e-9)),
    }


def _spectrum(grey: Floats32, inside: Flags) -> dict[str, float]:
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 4.0)
    level = float((grey * soft).sum() / soft.sum())
    power = np.abs(np.fft.fft2((grey - level) * soft)) ** 2
    rings = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None]) * SIZE
    cycles = np.round(rings).astype(int)
    radial = np.bincount(cycles.ravel(), power.ravel()) / np.maximum(np.bincount(cycles.ravel()), 1)
    band = np.arange(4, 65)
    slope = np.polyfit(np.log(band), np.log(radial[band] + 1e-12), 1)[0]
    total = float(power[rings >= 4].sum())
    return {
        "spectrum_slope": float(slope),
        "fine_share": float(power[rings > 32].sum() / max(total, 1e-12)),
        "finest_share": float(power[rings > 64].sum() / max(total, 1e-12)),
    }
