"""docs/python.md does what it says: its code runs, from top to bottom, on a small collection."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


SAMPLE = Path(__file__).parents[1] / "data"
COINS = 12


def test_the_guide_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a folder with the first coins of the sample in ``data/``, as the guide has it."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    for number in range(1, COINS + 1):
        shutil.copy(SAMPLE / "images" / f"{number:03}.jpg", tmp_path / "data" / "images")
    shutil.copy(SAMPLE / "dies.xlsx", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIEINDEX_INDEX", raising=False)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    text = GUIDE.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) > 10
    known: dict[str, Any] = {}
    for block in blocks:
        # The line in the guide, for the traceback.
        above = "\n" * text.count("\n", 0, block.start(1))
        code = block[1].replace('index.compare("12", "57")', 'index.compare("1", "5")')
        exec(compile(above + code, str(GUIDE), "exec"), known)
    printed = capsys.readouterr().out
    assert "choose 'obverse' or 'reverse'" in printed
    assert "20 1.0" in printed
    assert (tmp_path / "dies.xlsx").stat().st_size > 5000
    assert (tmp_path / "study" / "report.html").is_file()
    # What is no longer called so is not told of either.
    assert len(known["index"].reviews()) == 5


def test_every_error_in_its_table_is_exported() -> None:
    import dieindex as di

    named = re.findall(r"^\| `(\w+Error)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) > 5
    assert set(named) <= set(di.__all__)
