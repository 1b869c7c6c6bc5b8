"""Contact sheets of what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dieindex.collection.contact_sheet import (
    COLUMNS,
    ROWS,
    SURE,
    UNSURE,
    SheetItem,
    write_contact_sheet,
)
from dieindex.collection.faces import cut_faces
from dieindex.errors import DieIndexError
from dieindex.records import Circle
from tests.composed_photographs import finished, pair, photograph


def has_colour(path: Path, colour: tuple[int, int, int]) -> bool:
    page = np.asarray(Image.open(path).convert("RGB"))
    return bool((page == np.array(colour, np.uint8)).all(axis=2).sum() > 50)


def test_sure_circles_are_green_and_doubtful_ones_orange(tmp_path: Path) -> None:
    coin = photograph("white", Circle(150, 150, 120), 300, 300)
    write_contact_sheet([SheetItem("coin.jpg", coin, cut_faces(coin))], tmp_path / "sure.png")
    assert has_colour(tmp_path / "sure.png", SURE)
    assert not has_colour(tmp_path / "sure.png", UNSURE)
    noise = finished(np.random.default_rng(0).uniform(0, 255, (200, 200, 3)))
    write_contact_sheet([SheetItem("noise.jpg", noise, cut_faces(noise))], tmp_path / "not.png")
    assert has_colour(tmp_path / "not.png", UNSURE)
    assert not has_colour(tmp_path / "not.png", SURE)


def test_many_photographs_go_on_several_pages(tmp_path: Path) -> None:
    picture, _, _ = pair("white", (40, 40))
    faces = cut_faces(picture)
    items = (SheetItem(f"{i}.jpg", picture, faces) for i in range(COLUMNS * ROWS + 1))
    pages = write_contact_sheet(items, tmp_path / "sheet.png")
    assert pages == [tmp_path / "sheet.png", tmp_path / "sheet-2.png"]
    assert {each.name for each in tmp_path.iterdir()} == {"sheet.png", "sheet-2.png"}
    first, second = (Image.open(page) for page in pages)
    assert first.height == ROWS * second.height
    assert first.width == COLUMNS * second.width


def test_unreadable_pictures_and_odd_names_are_shown_too(tmp_path: Path) -> None:
    name = "Kölner Münz\nkabinett " + "ω" * 200 + ".jpg"
    item = SheetItem(name, None, problem="the file is not a picture")
    assert write_contact_sheet([item], tmp_path / "sheet.png")
    page = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert (page.min(axis=2) < 120).sum() > 100


def test_circles_of_a_reduced_picture_stand_in_place(tmp_path: Path) -> None:
    coin = photograph("white", Circle(300, 300, 240), 600, 600)
    faces = cut_faces(coin)
    item = SheetItem("coin.jpg", np.ascontiguousarray(coin[::2, ::2]), faces, scale=2.0)
    write_contact_sheet([item], tmp_path / "half.png")
    write_contact_sheet([SheetItem("coin.jpg", coin, faces)], tmp_path / "full.png")
    half, full = (
        np.argwhere((np.asarray(Image.open(tmp_path / name)) == SURE).all(axis=2))
        for name in ("half.png", "full.png")
    )
    assert np.abs(half.mean(axis=0) - full.mean(axis=0)).max() < 1.5
    assert np.abs(half.std(axis=0) - full.std(axis=0)).max() < 1.5


def test_a_sheet_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    item = SheetItem("a.jpg", None, problem="gone")
    with pytest.raises(DieIndexError, match="nowhere"):
        write_contact_sheet([item], tmp_path / "nowhere" / "sheet.png")
