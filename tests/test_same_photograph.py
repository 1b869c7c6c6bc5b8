"""One photograph in two forms is told from two strikes of one die, on the sample collection."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dieindex.collection.faces import cut_faces
from dieindex.collection.layout import read_collection
from dieindex.collection.pictures import read_picture
from dieindex.collection.same_photograph import contradicted, same_photograph
from dieindex.records import OBVERSE, Face, Picture
from tests.commands_for_tests import Command

SAMPLE = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def one_die() -> list[Picture]:
    """Photographs of five coins of the sample's commonest obverse die."""
    collection = read_collection(SAMPLE)
    by_die: dict[str, list[str]] = defaultdict(list)
    for photograph in collection:
        die = collection.coins[photograph.coin].dies.get(OBVERSE)
        if die:
            by_die[die].append(photograph.file)
    files = max(by_die.values(), key=len)[:5]
    assert len(files) == 5
    return [read_picture(SAMPLE / file).picture for file in files]


def obverse(picture: Picture) -> Face:
    return cut_faces(picture)[0]


def compressed(image: Image.Image, quality: int) -> Picture:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def reduced(image: Image.Image) -> Picture:
    return compressed(image.resize((image.width // 2, image.height // 2)), 60)


def cropped(image: Image.Image) -> Picture:
    width, height = image.size
    part = (width // 50, height // 30, width - width // 90, height - height // 50)
    return compressed(image.crop(part), 80)


def brightened(image: Image.Image) -> Picture:
    return compressed(image.point(lambda value: min(255, int(1.15 * value + 8))), 70)


@pytest.mark.parametrize("altered", [reduced, cropped, brightened])
def test_altered_copies_are_one_photograph(
    one_die: list[Picture], altered: Callable[[Image.Image], Picture]
) -> None:
    for picture in one_die[:3]:
        copy = altered(Image.fromarray(picture))
        assert same_photograph(obverse(picture), obverse(copy))


def test_strikes_of_one_die_are_not(one_die: list[Picture]) -> None:
    faces = [obverse(picture) for picture in one_die]
    assert not any(same_photograph(one, other) for one, other in combinations(faces, 2))


def test_other_sides_can_speak_against_it(one_die: list[Picture]) -> None:
    faces = [obverse(picture) for picture in one_die[:2]]
    assert contradicted(*faces)
    assert not contradicted(faces[0], obverse(reduced(Image.fromarray(one_die[0]))))


def test_a_build_says_that_two_coins_may_be_one(
    one_die: list[Picture], command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "sales"
    folder.mkdir()
    for number, picture in enumerate(one_die[:3], 1):
        Image.fromarray(picture).save(folder / f"CNG {number}.png")
    Image.fromarray(reduced(Image.fromarray(one_die[1]))).save(folder / "NAC 55.png")

    def said() -> list[str]:
        notes = command.document("build", folder)["warnings"]
        return [note.split(":")[0] for note in notes if "may be one coin" in note]

    assert said() == ["CNG 2 and NAC 55 may be one coin"]
    (folder / "coins.csv").write_text("file,coin\nCNG 2.png,x\nNAC 55.png,x\n", encoding="utf-8")
    assert not said(), "one coin by the sheet"
