"""ImageNet features of faces that are only centred: what the descriptor network is measured by.

A MobileNetV2 trained on ImageNet, with a projection fitted on rendered coins. No command uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from dieindex.collection.light import normalise_light
from dieindex.encoder.encode import BATCH, choose_device
from dieindex.encoder.network import NetworkConfig, SiameseNetwork
from dieindex.encoder.weights import BASELINE_WEIGHTS, read_card
from dieindex.errors import EncoderError
from dieindex.records import Face, Floats32, Vectors


class BaselineEncoder:
    """The network of centred faces, ready to encode."""

    def __init__(self, path: Path = BASELINE_WEIGHTS, device: str = "auto") -> None:
        card = read_card(path)
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

    @property
    def dimension(self) -> int:
        return int(self.card.config["dimension"])

    def encode(self, faces: Sequence[Face]) -> Vectors:
        """Unit vectors ``(len(faces), dimension)`` float32 of faces as they were cut."""
        if not faces:
            return np.zeros((0, self.dimension), dtype=np.float32)
        size = int(self.card.config["input_size"])
        inputs = np.stack([prepare(face, size) for face in faces])
        vectors = []
        for start in range(0, len(faces), BATCH):
            tensor = torch.from_numpy(inputs[start : start + BATCH])[:, None].to(self.device)
            with torch.inference_mode():
                vectors.append(self._network(tensor).float().cpu().numpy())
        return np.concatenate(vectors)


def prepare(face: Face, size: int) -> Floats32:
    """A face as the network takes it: light-normalised grey ``(size, size)`` in -1…1."""
    grey = normalise_light(face.picture, face.mask)
    if grey.shape[0] != size:
        interpolation = cv2.INTER_AREA if size < grey.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(grey, (size, size), interpolation=interpolation), np.float32)
    return grey
