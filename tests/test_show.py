"""``dieindex show`` as a person meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dieindex.commands.main import run


def test_show_draws_two_coins(
    built: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["show", "01", "02", "--index", str(built)]) == 0
    out, err = capsys.readouterr()
    assert "obverse:" in out
    assert "show-01-02.png" in err
    assert (tmp_path / "show-01-02.png").stat().st_size > 20_000
    assert run(["show", "01", "99", "--index", str(built)]) == 1
    assert run(["show", "01", "02", "--index", str(built), "--out", "x.pdf"]) == 2
