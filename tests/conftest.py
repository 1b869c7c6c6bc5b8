"""What several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collections_for_tests import DIES, write_collection


@pytest.fixture(scope="session")
def coins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of eight pair pictures with its sheet. Read it only."""
    return write_collection(tmp_path_factory.mktemp("collections") / "coins", DIES)


@pytest.fixture(scope="session")
def built(coins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of ``coins``. Read it only."""
    from dieindex.index.build import build_index

    folder = tmp_path_factory.mktemp("indexes") / "coins"
    build_index(coins, folder)
    return folder
