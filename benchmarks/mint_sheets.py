"""Contact sheets of the mint for its documentation."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from dieindex.mint.difficulty import NAMED_DIFFICULTIES
from dieindex.mint.order import PUNCHED_TEST_TYPES, TEST_TYPES
from dieindex.mint.photography import photograph, sample_photo, sample_source
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.stream import FaceBatch, MintStream, StreamSettings
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.mint.types import OBVERSE_KINDS, PUNCHED_KINDS, REVERSE_KINDS
from dieindex.records import SIDES, Floats32, Picture, Side

MOST_BYTES = 300_000


def render_all(out: Path, seed: int = 1) -> None:
    """Every sheet, as JPEG of at most ``MOST_BYTES``."""
    out.mkdir(parents=True, exist_ok=True)
    one_die = MintStream(seed, "obverse", TEST_TYPES, _settings(1, 24))
    save(out / "mint-one-die.jpg", grid(pictures(one_die.batch(0)), 8))
    many = StreamSettings(**{**_settings(16, 1).__dict__, "difficulty": "easy", "near_share": 0})
    dies = [MintStream(seed + 1, side, TEST_TYPES, many).batch(0) for side in SIDES]
    save(out / "mint-one-type.jpg", grid([p for batch in dies for p in pictures(batch)], 8))
    few = StreamSettings(**{**_settings(3, 7).__dict__, "difficulty": "medium"})
    batch = MintStream(seed + 2, "reverse", TEST_TYPES, few).batch(0)
    save(out / "mint-registered.jpg", registered_rows(batch, 3))
    save(out / "mint-kinds.jpg", grid(kinds(seed), 8))
    save(out / "mint-punched.jpg", grid(punched(seed), 8))


def _settings(dies: int, strikes: int) -> StreamSettings:
    return StreamSettings(
        types_per_batch=1,
        dies_per_type=dies,
        strikes_per_die=strikes,
        dies_in_type=24,
        working_types=1,
        size=192,
    )


def pictures(batch: FaceBatch) -> list[Picture]:
    """The batch's pictures as arrays ``(S, S, 3)``."""
    return list(batch.pictures.permute(0, 2, 3, 1).numpy())


def grid(tiles: list[Picture], columns: int) -> Picture:
    """Tiles of one size in rows."""
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack([row for row in rows if row.shape == rows[0].shape])


def registered(batch: FaceBatch, size: int = 192, reach: float = 1.05) -> list[Picture]:
    """Every face aligned to its die frame by the true homography."""
    step = 2 * reach / size
    frame = np.array([[step, 0, -reach], [0, step, -reach], [0, 0, 1]])
    aligned = []
    for picture, homography in zip(pictures(batch), batch.homography.numpy(), strict=True):
        back = np.linalg.inv(homography @ frame)
        warped = cv2.warpPerspective(picture, back, (size, size), borderMode=cv2.BORDER_REPLICATE)
        aligned.append(np.asarray(warped, np.uint8))
    return aligned


def registered_rows(batch: FaceBatch, dies: int) -> Picture:
    """A row a die: faces aligned to it, their mean at the end; last the mean over the dies."""
    aligned = registered(batch)
    each = len(aligned) // dies
    rows, means = [], []
    for die in range(dies):
        faces = aligned[die * each : (die + 1) * each]
        grey = [cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32) for face in faces]
        mean = np.mean([(g - g.mean()) / g.std() for g in grey], axis=0)
        means.append(mean)
        rows.append(np.hstack([*faces, _grey(mean)]))
    return np.vstack(rows)


def _grey(values: Floats32) -> Picture:
    scaled = np.clip(128 + 60 * values, 0, 255).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2)


def kinds(seed: int, size: int = 192) -> list[Picture]:
    """One face of every engraved kind of design, photographed plainly."""
    named: list[tuple[Side, str]] = [("obverse", kind) for kind in OBVERSE_KINDS]
    named += [("reverse", kind) for kind in REVERSE_KINDS]
    named = [(side, kind) for side, kind in named if kind not in PUNCHED_KINDS]
    rng, store = np.random.default_rng(seed), DieStore()
    orders = [
        DieOrder(side, TEST_TYPES[100 + seed + number], 0, kind)
        for number, (side, kind) in enumerate(named)
    ]
    return [one_face(rng, store, order, "easy", size) for order in orders]


def punched(seed: int, types: int = 16, dies: int = 16, size: int = 192) -> list[Picture]:
    """Punched types, medium and wild by turns, and dies of one of them by the same punches."""
    rng, store = np.random.default_rng(seed), DieStore()
    each = [
        DieOrder("obverse", PUNCHED_TEST_TYPES[seed + number], 0, PUNCHED_KINDS[number % 8])
        for number in range(types)
    ]
    one = [
        DieOrder("obverse", PUNCHED_TEST_TYPES[seed], die, "cross", hand=0) for die in range(dies)
    ]
    return [
        *(
            one_face(rng, store, order, ("medium", "wild")[number % 2], size)
            for number, order in enumerate(each)
        ),
        *(one_face(rng, store, order, "easy", size) for order in one),
    ]


def one_face(
    rng: np.random.Generator, store: DieStore, order: DieOrder, difficulty: str, size: int
) -> Picture:
    """A coin of a young die."""
    relief, level = store.get(order), NAMED_DIFFICULTIES[difficulty]
    struck = sample_strike(
        rng, level, 0.2, die_seed=die_seed(relief.die_key), die_depth=relief.depth
    )
    photo = sample_photo(rng, level, sample_source(rng, level))
    with torch.inference_mode():
        maps = [torch.from_numpy(m)[None, None] for m in (relief.height, relief.design)]
        face = strike(maps[0], maps[1], [relief.radius], [struck], size)
        return np.asarray(photograph(face, [photo], size).pictures()[0], np.uint8)


def save(path: Path, picture: Picture) -> None:
    """As JPEG at the best quality that keeps within ``MOST_BYTES``."""
    for quality in (90, 85, 80, 72, 64, 50):
        done, data = cv2.imencode(
            ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        if done and data.nbytes <= MOST_BYTES:
            break
    path.write_bytes(data.tobytes())
    print(f"{path}: {picture.shape[1]} x {picture.shape[0]}, {data.nbytes // 1000} kB")
