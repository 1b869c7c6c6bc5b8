"""The index folder: where it is, which encoder is its own, who may write to it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
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
WAIT = 10.0
"""Seconds for which a lock is waited for before it is said who holds it."""
_PAUSE = 0.05
_MOST_BYTES = 1000
_FAR = 1 << 30
"""Where Windows locks a byte: behind what is written in the file, which others read."""
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
        raise damaged_weights(own, error) from error


def damaged_weights(path: Path, error: EncoderError) -> EncoderError:
    """That weights cannot be used, and what to do: of those that an index keeps for itself."""
    if path.name != WEIGHTS_NAME or not (path.parent / LOCK_NAME).exists():
        return error
    # (The reason is in the first brackets; the remedy of weights elsewhere is none here.)
    reason = str(error).removeprefix(f"{path}: ").replace("; reinstall dieindex.", ".")
    return EncoderError(
        f"{path}: damaged: {reason.rstrip('.')}. Nothing was forgotten. Delete it and build again "
        "with ",
        Parameter("reencode"),
        ", with the encoder that dieindex brings along, or put a whole copy in its place; verdicts "
        "and die numbers are kept.",
    )


def built_indexes() -> list[Path]:
    """The indexes below ``./indexes``, that built last first."""
    found = [path for path in INDEXES.glob(f"*/{CATALOGUE_NAME}") if path.is_file()]
    found.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [path.parent for path in found]


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
    at_work = build_at_work(folder)
    if at_work is not None:
        raise IndexFolderError(at_work)
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


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: its ``command``, its ``process`` on a ``machine``, ``since`` when (local
    time), and whether it ``builds``; empty where it has not said so."""

    command: str = ""
    process: int = 0
    machine: str = ""
    since: str = ""
    builds: bool = False

    def message(self, folder: Path) -> str:
        """That it holds the folder, and what to do."""
        who = "a build is at work" if self.builds else "another dieindex is working"
        known = f"`{self.command}`, process {self.process}"
        if self.machine != socket.gethostname():
            known += f" on {self.machine}"
        known = f" ({known}, since {self.since})" if self.process else ""
        return f"{folder}: {who} on this index{known}; wait until it has finished."


@contextmanager
def locked(folder: Path, *, builds: bool = False, wait: float | None = None) -> Iterator[None]:
    """Hold the folder for writing. The lock is the kernel's: it ends with this process.

    Raises IndexFolderError where another process still holds it after ``wait`` seconds (``WAIT`` by
    default), and where the folder is read-only. Others are told who holds it, and whether it
    ``builds``.
    """
    try:
        stream = (folder / LOCK_NAME).open("a+b", buffering=0)
    except OSError as error:
        raise IndexFolderError(
            f"{folder}: the index folder cannot be written ({error.strerror}); choose another "
            "with ",
            Parameter("index", "DIR"),
            " or correct its permissions.",
        ) from error
    with stream:
        end = time.monotonic() + (WAIT if wait is None else wait)
        while not _try_lock(stream):
            if time.monotonic() >= end:
                raise IndexFolderError(_read_holder(stream).message(folder))
            time.sleep(_PAUSE)
        _write_holder(stream, builds)
        try:
            yield
        finally:
            with suppress(OSError):
                stream.truncate(0)


def holder_of(folder: Path) -> Holder | None:
    """Who is at work on an index now; None where nobody is."""
    try:
        stream = (folder / LOCK_NAME).open("rb")
    except OSError:
        return None
    with stream:
        return None if _try_lock(stream, shared=True) else _read_holder(stream)


def build_at_work(folder: Path) -> str | None:
    """That a build is at work on the folder, and what to do; None where none is."""
    holder = holder_of(folder)
    return holder.message(folder) if holder is not None and holder.builds else None


def _write_holder(stream: IO[bytes], builds: bool) -> None:
    """(On a full disk nobody is told; the lock holds all the same.)"""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    holder = Holder(_command(), os.getpid(), socket.gethostname(), since, builds)
    with suppress(OSError):
        stream.truncate(0)
        stream.write(json.dumps(asdict(holder)).encode())


def _command() -> str:
    """What this process was called as: the verb, or the name of a person's own program."""
    program = Path(sys.argv[0] if sys.argv else "")
    if program.stem not in ("dieindex", "__main__", "cli"):
        return program.name or "python"
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return f"dieindex {verb}".rstrip()


def _read_holder(stream: IO[bytes]) -> Holder:
    try:
        stream.seek(0)
        holder = Holder(**json.loads(stream.read(_MOST_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return Holder()
    texts = (holder.command, holder.machine, holder.since)
    known = all(isinstance(text, str) and text.isprintable() for text in texts)
    return holder if known and isinstance(holder.process, int) else Holder()


def _try_lock(stream: IO[bytes], *, shared: bool = False) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            stream.seek(_FAR)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(stream.fileno(), kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
