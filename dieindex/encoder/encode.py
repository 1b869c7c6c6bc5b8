"""Turn faces into unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dieindex.encoder.weights import EncoderCard, read_card
from dieindex.errors import EncoderError, UsageError
from dieindex.records import Face, Vectors

BATCH = 16
"""Faces that enter the network at once; shorter batches are filled up (see ``Encoder.encode``)."""
DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> str:
    """The device to run on: the one asked for, or the best there is.

    Raises UsageError for an unknown name and EncoderError for a device this machine lacks.
    """
    import torch

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if available[device])
    kind = name.split(":")[0]
    if kind not in available:
        raise UsageError(f"--device {name}: unknown; choose one of {', '.join(DEVICES)}.")
    if not available[kind]:
        raise EncoderError(f"--device {name}: this machine has none; use --device cpu.")
    return name


class Encoder:
    """The shipped Siamese network, ready to encode; safe to call from several threads."""

    def __init__(self, card: EncoderCard, device: str = "auto") -> None:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from dieindex.encoder.network import NetworkConfig, SiameseNetwork

        self.card = card
        self.device = choose_device(device)
        try:
            network = SiameseNetwork(NetworkConfig.from_dict(card.config))
            state = {name: tensor.float() for name, tensor in load_file(card.path).items()}
            missing, unexpected = network.load_state_dict(state, strict=False)
            # Batch counters only matter to training; the file does not carry them.
            wrong = [*unexpected, *(m for m in missing if not m.endswith("num_batches_tracked"))]
            if wrong:
                raise KeyError(wrong[0])
        except (SafetensorError, RuntimeError, KeyError, OSError) as error:
            raise EncoderError(
                f"{card.path}: the weights do not fit the network ({error}); reinstall dieindex."
            ) from error
        self._network: torch.nn.Module = network.eval().requires_grad_(False).to(self.device)

    @classmethod
    def load(cls, path: Path | None = None, device: str = "auto") -> Encoder:
        """Load weights (the shipped ones by default) onto a device."""
        return cls(read_card(path), device)

    @property
    def version(self) -> str:
        return self.card.version

    @property
    def dimension(self) -> int:
        return int(self.card.config["dimension"])

    def encode(self, faces: Sequence[Face], *, fill: bool = False) -> Vectors:
        """Unit vectors ``(len(faces), dimension)`` float32 of faces, in their order.

        With ``fill`` every batch has the same shape, the missing faces being blank: then a face's
        vector does not depend, to the last bit, on which others were encoded beside it, so that an
        interrupted build ends with the same index as an unbroken one.
        """
        import torch

        if not faces:
            return np.zeros((0, self.dimension), dtype=np.float32)
        size = int(self.card.config["input_size"])
        inputs = np.stack([prepare(face, size) for face in faces])
        vectors = []
        for start in range(0, len(faces), BATCH):
            batch = inputs[start : start + BATCH]
            used = len(batch)
            if fill and used < BATCH:
                batch = np.concatenate([batch, np.zeros((BATCH - used, size, size), np.float32)])
            tensor = torch.from_numpy(batch)[:, None].to(self.device)
            with torch.inference_mode():
                vectors.append(self._network(tensor)[:used].float().cpu().numpy())
        return np.concatenate(vectors)


def prepare(face: Face, size: int) -> npt.NDArray[np.float32]:
    """A face as the network takes it: light-normalised grey ``(size, size)`` in -1…1."""
    import cv2

    from dieindex.collection.light import normalise_light

    grey = normalise_light(face.picture, face.mask)
    if grey.shape[0] != size:
        interpolation = cv2.INTER_AREA if size < grey.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(grey, (size, size), interpolation=interpolation), np.float32)
    return grey
