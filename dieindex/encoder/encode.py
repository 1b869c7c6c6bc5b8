"""Turn faces, aligned to the frame of their type, into unit vectors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dieindex.elsewhere import FromWeights
from dieindex.encoder.precision import network_precision
from dieindex.encoder.weights import EncoderCard, read_card
from dieindex.errors import EncoderError, UsageError
from dieindex.records import (
    FACE_SIZE,
    OBVERSE,
    Circle,
    Face,
    Flan,
    Floats32,
    Matrix,
    Vectors,
)
from dieindex.text import Parameter

BATCH = 16
"""Faces that make a piece of work; a multiple of those that enter the network at once."""
_ON_CPU = 4
"""Faces that enter the network at once on a processor: what it holds between its layers then stays
in the cache. Of sixteen each takes a fifth longer, and two such batches hold 250 MB more."""
_AT_ONCE = threading.BoundedSemaphore(4)
"""Batches in the network at one time, whatever the number of workers: each takes 90 MB on a
processor."""
DEVICES = ("auto", "cpu", "cuda", "mps")


def check_device(name: str) -> None:
    """Raise UsageError for a name that no device has; whether this machine has it is not asked."""
    kind = name.split(":")[0] if isinstance(name, str) and name != "auto" else name
    if kind not in DEVICES or (kind == "auto" and name != "auto"):
        raise UsageError(
            Parameter("device", str(name)), f": unknown; choose one of {', '.join(DEVICES)}."
        )


def choose_device(name: str = "auto") -> str:
    """The device to run on: the one asked for, or the best there is.

    Raises UsageError for an unknown name and EncoderError for a device this machine lacks.
    """
    check_device(name)
    import torch

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if available[device])
    kind = name.split(":")[0]
    if not available[kind]:
        raise EncoderError(
            Parameter("device", name),
            ": this machine has none; use ",
            Parameter("device", "cpu"),
            ".",
        )
    return name


@dataclass(frozen=True, eq=False)
class DescribedFaces:
    """``n`` faces: ``vectors`` (n, dimension) of unit length; ``descriptors`` (n, channels, grid,
    grid) of unit length in every cell; ``reliability`` (n, 1, grid, grid) 0…1."""

    vectors: Vectors
    descriptors: npt.NDArray[np.float16]
    reliability: npt.NDArray[np.float16]

    def take(self, rows: Sequence[int]) -> DescribedFaces:
        """Some of the faces, in this order."""
        at = list(rows)
        return DescribedFaces(self.vectors[at], self.descriptors[at], self.reliability[at])


class Encoder(FromWeights):
    """The shipped descriptor network, ready to encode; safe to call from several threads."""

    def __init__(self, card: EncoderCard, device: str = "auto") -> None:
        from dieindex.encoder.descriptors import load_descriptors

        self.card, self.weights = card, card.path
        self.device = choose_device(device)
        self._network = load_descriptors(card.path).to(self.device)
        self._precision = network_precision(self.device)
        self.input_size = self._network.config.input_size
        self.dimension = self._network.config.length
        self.grid, self.channels = self._network.config.grid, self._network.config.descriptor
        self._batch = _ON_CPU if self.device == "cpu" else BATCH

    @classmethod
    def load(cls, path: Path | None = None, device: str = "auto") -> Encoder:
        """Load weights (the shipped ones by default) onto a device."""
        return cls(read_card(path), device)

    @classmethod
    def from_weights(cls, weights: Path, device: str) -> Encoder:
        return cls.load(weights, device)

    @property
    def precision(self) -> str:
        return str(self._precision)

    @property
    def version(self) -> str:
        return self.card.version

    def check(self) -> DescribedFaces:
        """Describe a face that shows a disc; gives it. Raises EncoderError where what comes of it
        is no vector: the weights load, and are damaged all the same."""
        y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE] - FACE_SIZE / 2
        mask = np.hypot(x, y) < FACE_SIZE / 3
        grey = np.where(mask, 128 + 60 * np.sin(x / 5) * np.sin(y / 7), 255).astype(np.uint8)
        flan = Flan(Circle(FACE_SIZE / 2, FACE_SIZE / 2, FACE_SIZE / 3), 1.0, True)
        face = Face(OBVERSE, np.repeat(grey[..., None], 3, axis=2), mask, flan, 0.0)
        found = self.describe([face], [None], fill=True)
        whole = all(
            np.isfinite(each).all()
            for each in (found.vectors, found.descriptors, found.reliability)
        )
        if not whole or abs(np.linalg.norm(found.vectors[0]) - 1) > 1e-3:
            raise EncoderError(
                f"{self.card.path}: the weights are damaged: what they make of a face is no vector."
            )
        return found

    def encode(
        self, faces: Sequence[Face], places: Sequence[Matrix | None], *, fill: bool = False
    ) -> Vectors:
        """Unit vectors ``(len(faces), dimension)`` float32 of faces, in their order.

        ``places`` ``(3, 3)`` take pixels of each face to pixels of its frame
        (``Alignment.to_frame``); None, for a face that lies on no frame: as it was cut, in the
        middle. What all dies of a type show is still in these vectors.

        With ``fill`` every batch has the same shape, the missing faces being blank: then a face's
        vector does not depend, to the last bit, on which others were encoded beside it, so that an
        interrupted build ends with the same index as an unbroken one.
        """
        return self.describe(faces, places, fill=fill).vectors

    def describe(
        self, faces: Sequence[Face], places: Sequence[Matrix | None], *, fill: bool = False
    ) -> DescribedFaces:
        """Faces as vectors and as dense descriptors, in their order; arguments as ``encode``'s."""
        import torch

        grid, channels, most = self.grid, self.channels, self._batch
        vectors = np.zeros((len(faces), self.dimension), np.float32)
        descriptors = np.zeros((len(faces), channels, grid, grid), np.float16)
        reliability = np.zeros((len(faces), 1, grid, grid), np.float16)
        for start in range(0, len(faces), most):
            part = slice(start, start + most)
            batch = np.stack(
                [
                    prepare(face, place, self.input_size)
                    for face, place in zip(faces[part], places[part], strict=True)
                ]
            )
            used = len(batch)
            if fill and used < most:
                blank = np.zeros((most - used, *batch.shape[1:]), np.float32)
                batch = np.concatenate([batch, blank])
            with (
                _AT_ONCE,
                torch.inference_mode(),
                torch.autocast(
                    self.device.split(":")[0],
                    self._precision,
                    enabled=self._precision is torch.bfloat16,
                ),
            ):
                described = self._network(torch.from_numpy(batch).to(self.device))
            vectors[part] = described.vectors[:used].float().cpu().numpy()
            descriptors[part] = described.descriptors[:used].half().cpu().numpy()
            reliability[part] = described.reliability[:used].half().cpu().numpy()
        return DescribedFaces(vectors, descriptors, reliability)


def prepare(face: Face, place: Matrix | None, size: int) -> Floats32:
    """A face as the network takes it: grey and mask on its frame, ``(2, size, size)``, 0…1.

    ``place`` as in ``Encoder.encode``.
    """
    import cv2

    from dieindex.alignment.warping import centred_place, warp_to_frame

    matrix = centred_place() if place is None else place
    picture, mask = warp_to_frame(face.picture, face.mask, matrix, size)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.stack([grey / np.float32(255), mask]).astype(np.float32)
