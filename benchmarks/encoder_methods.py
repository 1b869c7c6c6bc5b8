"""The ways of comparing that the encoder's benchmark sets side by side.

A method turns an aligned collection into similarities ``(n, n)`` by name; pairs with a face that
the alignment gave up rank last where the method needs aligned faces. What a method computes is kept
on disk under a hash of everything that it depends on.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from encoder_collections import (
    Aligned,
    Cache,
    Order,
    displacement,
    read_arrays,
    source_hash,
    write_arrays,
)
from encoder_measures import LAST
from encoder_siamese import PlainSiamese, enter, train_siamese
from torch import Tensor
from torch.nn import functional as F

import dieindex.encoder
from dieindex.alignment.warping import warp_to_frame
from dieindex.collection.light import normalise_light
from dieindex.encoder.competition import FACES_OF_DOUBT, frames_less_shared
from dieindex.encoder.descriptors import DescriptorNetwork, load_descriptors
from dieindex.encoder.encode import Encoder
from dieindex.encoder.refine_faces import refine_faces
from dieindex.encoder.trunk import mobilenet_trunk
from dieindex.encoder.weights import read_card
from dieindex.evaluation.matcher import load_matcher
from dieindex.records import SIDES, Floats, Floats32, Ints, Vectors

Similarities = dict[str, Floats]
VECTORS = "vectors, as indexed"
PCA = (128, 256, 512)
_BATCH = 16


@dataclass(frozen=True)
class Method:
    """``names`` of the ways that ``compare`` gives; ``key`` changes with whatever they depend on.

    ``largest`` is the largest collection the method is run on; a ``slow`` one is run on few.
    """

    names: tuple[str, ...]
    key: str
    compare: Callable[[Aligned], Similarities]
    largest: int = 10**9
    slow: bool = False
    on_aligned: bool = True
    """Whether it looks at faces in their frames, or at faces that are only centred."""


def similarities(method: Method, collection: Aligned, folder: Path) -> Similarities:
    """A method's similarities of a collection, from disk where it has been there before."""
    found = computed(method, collection, folder)
    return {name: found[name].astype(np.float64) for name in method.names}


def vectors_by(method: Method, collection: Aligned, folder: Path) -> Vectors | None:
    """The vectors ``(n, dimension)`` that an index would hold, where the method gives them."""
    return computed(method, collection, folder).get(VECTORS)


def computed(method: Method, collection: Aligned, folder: Path) -> dict[str, Floats32]:
    """All that a method gives, from disk where it has been there before."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{method.key} {method.names}".encode()).hexdigest()[:12]
    key = collection.key if method.on_aligned else collection.faces_key
    path = folder / f"{key}.{digest}.npz"
    if path.exists():
        return read_arrays(path)
    found = {name: v.astype(np.float32) for name, v in method.compare(collection).items()}
    write_arrays(path, found)
    return found


# ------------------------------------------------------------------------ on aligned faces


def frame_faces(collection: Aligned, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each face rendered in its frame: picture (size, size, 3), mask (size, size)."""
    return [
        warp_to_frame(picture, mask, to_frame, size)
        for picture, mask, to_frame in zip(
            collection.faces.picture,
            collection.faces.mask,
            collection.alignment.to_frame,
            strict=True,
        )
    ]


def network_input(collection: Aligned, size: int) -> Tensor:
    """(n, 2, size, size): grey 0…1 and mask, as the descriptor network takes them."""
    import cv2

    rows = []
    for picture, mask in frame_faces(collection, size):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        rows.append(np.stack([grey, mask.astype(np.float32)]))
    return torch.from_numpy(np.stack(rows))


def less_mean(values: Tensor, group: Ints) -> Tensor:
    """Rows ``(n, d)``, each brought to unit length, less their frame's mean, of unit length again.

    Of the mean of n faces n/(n + ``FACES_OF_DOUBT``) is taken, as an index does where it takes a
    frame for one type. Faces in no frame stay as they are.
    """
    values = F.normalize(values, dim=1)
    out = values.clone()
    for number in np.unique(group[group >= 0]):
        rows = torch.from_numpy(np.flatnonzero(group == number))
        out[rows] -= values[rows].mean(0) * (len(rows) / (len(rows) + FACES_OF_DOUBT))
    return F.normalize(out, dim=1)


def as_indexed(raw: Tensor, group: Ints, radius: float) -> Tensor:
    """Unit vectors ``(n, d)`` less what faces of their type share, exactly as an index does."""
    return torch.from_numpy(frames_less_shared(F.normalize(raw, dim=1).numpy(), group, radius))


def cosines(unit: Tensor) -> Floats:
    return (unit @ unit.T).double().numpy()


def last_where_lost(similarity: Floats, group: Ints) -> Floats:
    """Pairs with a face that is in no frame rank last."""
    lost = group < 0
    similarity = similarity.copy()
    similarity[lost] = LAST
    similarity[:, lost] = LAST
    return similarity


def compressed(gram: Floats, dimension: int) -> Floats:
    """Cosines after principal components, from the products ``(n, n)`` of the rows alone."""
    values, vectors = np.linalg.eigh(gram)
    kept = np.argsort(values)[::-1][:dimension]
    coordinates = vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0))
    unit = coordinates / np.maximum(np.linalg.norm(coordinates, axis=1, keepdims=True), 1e-12)
    return np.asarray(unit @ unit.T)


def by_network(
    network: DescriptorNetwork, collection: Aligned, radius: float | None = None
) -> Similarities:
    """Vector and dense descriptors of one network, as they are and less their frame's mean.

    With ``radius`` the vector is less what faces nearer than it share, as in an index, and is given
    besides (``VECTORS``, ``(n, dimension)``).
    """
    entering = network_input(collection, network.config.input_size)
    raws, flats = [], []
    with torch.inference_mode():
        for start in range(0, len(entering), _BATCH):
            described = network(entering[start : start + _BATCH])
            raws.append(described.raw)
            flats.append((described.descriptors * described.reliability).flatten(1))
    group = collection.alignment.type
    raw, flat = torch.cat(raws), torch.cat(flats)
    dense = less_mean(flat, group)
    gram = cosines(dense)
    vectors = less_mean(raw, group) if radius is None else as_indexed(raw, group, radius)
    found = {
        "vector": cosines(vectors),
        "vector, mean kept": cosines(F.normalize(raw, dim=1)),
        "dense": gram,
        **{f"dense, PCA {d}": _pca_among_aligned(gram, group, d) for d in PCA},
    }
    found = {name: last_where_lost(value, group) for name, value in found.items()}
    return found if radius is None else {**found, VECTORS: vectors.double().numpy()}


def _pca_among_aligned(gram: Floats, group: Ints, dimension: int) -> Floats:
    """The components are those of the faces that are in a frame."""
    kept = np.flatnonzero(group >= 0)
    out = np.full(gram.shape, LAST)
    out[np.ix_(kept, kept)] = compressed(gram[np.ix_(kept, kept)], dimension)
    return out


NETWORK_WAYS = (
    "vector",
    "vector, mean kept",
    "dense",
    *(f"dense, PCA {d}" for d in PCA),
)


def trained(name: str, weights: Path) -> Method:
    """A weights file of the descriptor network."""
    network = load_descriptors(weights)
    card = read_card(weights)
    if "type_radius" not in card.calibration:
        return Method(
            tuple(f"{name}: {way}" for way in NETWORK_WAYS),
            f"{card.version} {_encoder_hash()}",
            lambda collection: _named(name, by_network(network, collection)),
        )
    encoder = Encoder.load(weights, "cpu")

    def compare(collection: Aligned) -> Similarities:
        found = by_network(network, refined_by(encoder, collection), card.type_radius)
        before = by_network(network, collection, card.type_radius)
        vectors = found.pop(VECTORS)
        return {**_named(name, {**found, UNREFINED: before["vector"]}), VECTORS: vectors}

    return Method(
        tuple(f"{name}: {way}" for way in (*NETWORK_WAYS, UNREFINED)),
        f"{card.version} {_encoder_hash()} refined, vectors",
        compare,
    )


UNREFINED = "vector, before refinement"


def refined_by(encoder: Encoder, collection: Aligned) -> Aligned:
    """A collection whose faces were refined on those that the encoder finds nearest to them."""
    alignment = collection.alignment
    began = time.process_time()
    places, _ = refine_faces(
        encoder,
        collection.faces.records(collection.side),
        alignment.places(),
        alignment.type.tolist(),
        alignment.means(),
        encoder.card.type_radius,
    )
    now = [old if new is None else new for old, new in zip(alignment.to_frame, places, strict=True)]
    after = replace(collection, alignment=replace(alignment, to_frame=np.stack(now)))
    print(
        f"{collection.name}: refined, same-die pairs {100 * displacement(collection):.2f} % apart, "
        f"then {100 * displacement(after):.2f} %; "
        f"{1e3 * (time.process_time() - began) / len(now):.0f} ms a face",
        file=sys.stderr,
    )
    return after


def untrained(weights: Path) -> Method:
    """The same network before its first step, with the statistics that it was made with."""
    torch.manual_seed(1)
    network = DescriptorNetwork(load_descriptors(weights).config).eval()
    ways = ("vector", "dense")

    def compare(collection: Aligned) -> Similarities:
        found = by_network(network, collection)
        return _named("untrained", {way: found[way] for way in ways})

    return Method(
        tuple(f"untrained: {way}" for way in ways),
        f"untrained {network.config} {_encoder_hash()}",
        compare,
    )


def _named(name: str, found: Similarities) -> Similarities:
    return {f"{name}: {way}": value for way, value in found.items()}


def _encoder_hash() -> str:
    return source_hash(dieindex.encoder)


# ------------------------------------------------------------------------ ImageNet


def imagenet(weights: Path, blocks: int = 14, grid: int = 7, size: int = 224) -> Method:
    """Features of everyday photographs on aligned faces: 14 stages of MobileNetV2, averaged on a
    7 × 7 grid, each cell of unit length, no fitted projection. ``weights`` is the project's first
    encoder, whose trunk has ImageNet weights that were never changed."""
    from safetensors.torch import load_file

    trunk, _ = mobilenet_trunk(blocks)
    state = {
        name.removeprefix("trunk."): tensor.float()
        for name, tensor in load_file(weights).items()
        if name.startswith("trunk.")
    }
    missing, unexpected = trunk.load_state_dict(state, strict=False)
    wrong = [*unexpected, *(m for m in missing if not m.endswith("num_batches_tracked"))]
    if wrong:
        raise ValueError(f"{weights}: {wrong[0]} does not fit")
    trunk.eval().requires_grad_(False)

    def compare(collection: Aligned) -> Similarities:
        features = []
        entering = np.stack([normalise_light(p, m) for p, m in frame_faces(collection, size)])
        with torch.inference_mode():
            for start in range(0, len(entering), _BATCH):
                grey = torch.from_numpy(entering[start : start + _BATCH])[:, None]
                maps = trunk(2.0 * grey.expand(-1, 3, -1, -1))
                cells = F.normalize(F.adaptive_avg_pool2d(maps, grid), dim=1)
                features.append(cells.flatten(1))
        group = collection.alignment.type
        found = cosines(less_mean(torch.cat(features), group))
        return {"ImageNet features": last_where_lost(found, group)}

    return Method(("ImageNet features",), f"imagenet {blocks} {grid} {size}", compare)


# ------------------------------------------------------------------------ on centred faces


def siamese(cache: Cache, minutes: float) -> Method:
    """The plain Siamese network, trained on one collection of 91 medium coins of a training type;
    kept on disk with its training time."""
    from safetensors.torch import load_file, save_file

    network = PlainSiamese().eval()
    path = cache.folder / f"siamese-{minutes:g}min.safetensors"
    if path.exists():
        network.load_state_dict(load_file(path))
    else:
        sides = [cache.aligned(Order(1, side, 91, "medium", "train")).faces for side in SIDES]
        network = train_siamese(sides, minutes)
        save_file(network.state_dict(), path)

    def compare(collection: Aligned) -> Similarities:
        with torch.inference_mode():
            vectors = network(enter(collection.faces))
        return {"plain Siamese, centred": cosines(vectors)}

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Method(("plain Siamese, centred",), f"siamese {digest}", compare, on_aligned=False)


def matched(
    matcher: str, pairs: int, largest: int, label: str | None = None, key: str | None = None
) -> Method:
    """A matcher's scores: all same-die pairs, and ``pairs`` different-die ones (0: all)."""
    label = label or matcher.upper()

    def compare(collection: Aligned) -> Similarities:
        began = time.process_time()
        loaded = load_matcher(matcher)
        described = loaded.describe(list(collection.faces.picture))
        die = collection.faces.die
        first, second = np.triu_indices(len(die), 1)
        same = die[first] == die[second]
        other = np.flatnonzero(~same)
        if pairs:
            other = np.random.default_rng(0).permutation(other)[:pairs]
        chosen = np.concatenate([np.flatnonzero(same), other])
        found = np.full((len(die), len(die)), np.nan)
        np.fill_diagonal(found, 0.0)
        for a, b in zip(first[chosen], second[chosen], strict=True):
            found[a, b] = found[b, a] = loaded.score(described[a], described[b])
        spent = time.process_time() - began
        print(
            f"{collection.name}: {label}, {1e3 * spent / len(chosen):.0f} ms a pair of "
            f"{len(chosen)}",
            file=sys.stderr,
        )
        return {label: found}

    key = key or f"{matcher} {pairs}"
    return Method((label,), key, compare, largest, slow=True, on_aligned=False)


def tuned_peer(pairs: int, largest: int) -> Method:
    """Verified XFeat matches, as published but for the tuning."""
    return matched("xfeat", pairs, largest, "tuned peer (XFeat)", f"peer {pairs}")
