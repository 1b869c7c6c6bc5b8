"""The index folder: where it is, and who may write to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dieindex.errors import IndexFolderError, UsageError

CATALOGUE_NAME = "catalogue.sqlite"
LOCK_NAME = "lock"
WEIGHTS_NAME = "encoder.safetensors"
"""The encoder of an index that has one of its own (see ``dieindex train --index``)."""
INDEXES = Path("indexes")
ENVIRONMENT_VARIABLE = "DIEINDEX_INDEX"


def default_index_folder(data: Path) -> Path:
    """``indexes/<name of DATA>`` below the current folder."""
    return INDEXES / (data.resolve().name or "collection")


def own_weights(folder: Path) -> Path | None:
    """The weights that an index keeps for itself; None where it uses the shipped ones."""
    path = folder / WEIGHTS_NAME
    return path if path.is_file() else None


def find_index_folder(given: Path | None) -> tuple[Path, str | None]:
    """The index a command without DATA works on, and a note on how it was chosen (None: given).

    In order: ``given``, ``$DIEINDEX_INDEX``, the last one built below ``./indexes``. Raises
    IndexFolderError where there is none.
    """
    if given is not None:
        return _existing(given), None
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE)
    if from_environment:
        folder = _existing(Path(from_environment))
        return folder, f"index {folder} (from ${ENVIRONMENT_VARIABLE})"
    built = [path for path in INDEXES.glob(f"*/{CATALOGUE_NAME}") if path.is_file()]
    if not built:
        raise IndexFolderError(
            f"No index found below {INDEXES}/; build one with `dieindex build DATA`, "
            "or name one with --index DIR."
        )
    folder = max(built, key=lambda path: (path.stat().st_mtime_ns, path)).parent
    return folder, f"index {folder} (the last one built; choose another with --index)"


def _existing(folder: Path) -> Path:
    if not folder.exists():
        raise IndexFolderError(f"{folder}: no such index; build it with `dieindex build DATA`.")
    if not (folder / CATALOGUE_NAME).is_file():
        raise IndexFolderError(
            f"{folder}: not an index (it holds no {CATALOGUE_NAME}); "
            f"build one with `dieindex build DATA --index {folder}`."
        )
    return folder


def create_index_folder(folder: Path) -> None:
    """Make the folder. Raises UsageError or IndexFolderError where it cannot become an index."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--index {folder}: is a file; name a folder.")
    if folder.is_dir() and not (folder / CATALOGUE_NAME).exists():
        foreign = [p.name for p in folder.iterdir() if p.name not in (LOCK_NAME, "README.md")]
        if foreign:
            raise UsageError(
                f"--index {folder}: holds other files ({foreign[0]} …) and no index; "
                "name a new or empty folder."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexFolderError(
            f"{folder}: the index folder cannot be made ({error.strerror}); "
            "choose another with --index DIR."
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for writing. The lock is the kernel's: it ends with this process.

    Raises IndexFolderError at once where another process holds it or the folder is read-only.
    """
    path = folder / LOCK_NAME
    try:
        stream = path.open("a+b")
    except OSError as error:
        raise IndexFolderError(
            f"{folder}: the index folder cannot be written ({error.strerror}); "
            "choose another with --index DIR or correct its permissions."
        ) from error
    with stream:
        if not _try_lock(stream):
            raise IndexFolderError(
                f"{folder}: another dieindex is working on this index; wait until it has finished."
            )
        yield


def _try_lock(stream: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
