"""The index folder: where it is, and who may write to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dieindex.encoder.weights import EncoderCard, read_card
from dieindex.errors import EncoderError, IndexFolderError, UsageError
from dieindex.outputs import LISTS
from dieindex.storage.schema import (
    CATALOGUE_NAME,
    DETAILS_NAME,
    NUMBERS_NAME,
    REVIEWS_NAME,
    VERDICTS_NAME,
)
from dieindex.text import BuildCall, Message, Parameter

LOCK_NAME = "lock"
WEIGHTS_NAME = "encoder.safetensors"
"""The encoder of an index that has one of its own (see ``training``)."""
INDEXES = Path("indexes")
_OF_AN_INDEX = (CATALOGUE_NAME, REVIEWS_NAME, DETAILS_NAME)
"""A folder that holds one of these is an index, also where the others were deleted."""
_HARMLESS = frozenset((VERDICTS_NAME, NUMBERS_NAME, LOCK_NAME, "README.md", *LISTS))
"""What may lie in a folder that becomes an index."""
ENVIRONMENT_VARIABLE = "DIEINDEX_INDEX"


def default_index_folder(data: Path) -> Path:
    """``indexes/<name of DATA>`` below the current folder."""
    return INDEXES / (data.resolve().name or "collection")


def encoder_card(folder: Path) -> EncoderCard:
    """The encoder of an index: its own, where it keeps one, else the shipped one.

    Raises EncoderError where the weights are damaged.
    """
    own = folder / WEIGHTS_NAME
    if not own.is_file():
        return read_card()
    try:
        return read_card(own)
    except EncoderError as error:
        raise EncoderError(
            f"{own}: damaged. Delete it and build again with ",
            Parameter("reencode"),
            ", with the encoder that dieindex brings along; verdicts and die numbers are kept.",
        ) from error


def find_index_folder(
    given: Path | None, *, reviews_suffice: bool = False
) -> tuple[Path, str | None]:
    """The index a command without DATA works on, and a note on how it was chosen (None: given).

    In order: ``given``, ``$DIEINDEX_INDEX``, the last one built below ``./indexes``. With
    ``reviews_suffice`` a folder in which persons' work alone is left will do. Raises
    IndexFolderError where there is none.
    """
    if given is not None:
        return _existing(given, reviews_suffice), None
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE)
    if from_environment:
        folder = _existing(Path(from_environment), reviews_suffice)
        return folder, f"index {folder} (from ${ENVIRONMENT_VARIABLE})"
    built = [path for path in INDEXES.glob(f"*/{CATALOGUE_NAME}") if path.is_file()]
    if reviews_suffice and not built:
        built = [path for path in INDEXES.glob(f"*/{REVIEWS_NAME}") if path.is_file()]
    if not built:
        raise IndexFolderError(
            f"No index found below {INDEXES}/; build one with ",
            BuildCall(),
            ", or name one with ",
            Parameter("index", "DIR"),
            ".",
        )
    folder = max(built, key=lambda path: (path.stat().st_mtime_ns, path)).parent
    note = (f"index {folder} (the last one built; choose another with ", Parameter("index", "DIR"))
    return folder, Message(*note, ")")


def _existing(folder: Path, reviews_suffice: bool) -> Path:
    if not folder.exists():
        raise IndexFolderError(f"{folder}: no such index; build it with ", BuildCall(), ".")
    if (folder / CATALOGUE_NAME).is_file() or (reviews_suffice and holds_reviews(folder)):
        return folder
    raise IndexFolderError(
        f"{folder}: not an index (it holds no {CATALOGUE_NAME}); build one there with ",
        BuildCall(index=folder),
        ".",
    )


def holds_reviews(folder: Path) -> bool:
    """Whether persons' work lies in the folder, whatever else does."""
    return any((folder / name).is_file() for name in (REVIEWS_NAME, VERDICTS_NAME, NUMBERS_NAME))


def create_index_folder(folder: Path) -> None:
    """Make the folder. Raises UsageError or IndexFolderError where it cannot become an index."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(Parameter("index", folder), ": is a file; name a folder.")
    if folder.is_dir() and not any((folder / name).exists() for name in _OF_AN_INDEX):
        foreign = sorted(p.name for p in folder.iterdir() if p.name not in _HARMLESS)
        if foreign:
            raise UsageError(
                Parameter("index", folder),
                f": holds other files ({foreign[0]} …) and no index; name a new or empty folder.",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexFolderError(
            f"{folder}: the index folder cannot be made ({error.strerror}); choose another with ",
            Parameter("index", "DIR"),
            ".",
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
            f"{folder}: the index folder cannot be written ({error.strerror}); choose another "
            "with ",
            Parameter("index", "DIR"),
            " or correct its permissions.",
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
