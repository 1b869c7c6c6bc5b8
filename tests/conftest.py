"""What several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from dieindex.records import SIDES
from tests.collections_for_tests import DIES, write_collection
from tests.commands_for_tests import Command


@pytest.fixture(scope="session")
def coins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of eight pair pictures with its sheet. Read it only."""
    return write_collection(tmp_path_factory.mktemp("collections") / "coins", DIES)


@pytest.fixture(scope="session")
def built(coins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of ``coins``. Read it only."""
    from dieindex.indexing.run import build_index

    folder = tmp_path_factory.mktemp("indexes") / "coins"
    build_index(coins, folder, jobs=1)
    return folder


@pytest.fixture(scope="session")
def compared(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``built``, with all its pairs compared. Read it only."""
    import shutil

    from dieindex import api

    folder = Path(shutil.copytree(built, tmp_path_factory.mktemp("compared") / "coins"))
    for side in SIDES:
        api.open_index(folder).pairs(side)
    return folder


@pytest.fixture
def data(coins: Path, built: Path, tmp_path: Path) -> Path:
    """A copy of the collection that a test may change, with its index in ``indexes/data``."""
    import shutil

    from dieindex.storage.catalogue import Catalogue

    copy = Path(shutil.copytree(coins, tmp_path / "data"))
    index = Path(shutil.copytree(built, tmp_path / "indexes" / "data"))
    with Catalogue.open(index) as catalogue, catalogue.transaction():
        catalogue.set_meta("data", str(copy.resolve()))
        for side in SIDES:
            # (Another test may have clustered it.)
            catalogue.set_kinds(side, None)
    return copy


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.delenv("DIEINDEX_INDEX", raising=False)
    monkeypatch.chdir(tmp_path)
    return Command(capsys)
