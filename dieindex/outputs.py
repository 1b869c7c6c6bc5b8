"""What dieindex writes where a person asks for it: nothing of a person's is ever written over.

A file is replaced only where dieindex provably wrote it and nobody changed it since. A picture
carries its own digest (``marks``). Of tables, which can hold none, a hidden list in their folder
tells, written as ``sha256sum`` writes one (``sha256sum -c`` reads it). Whatever else lies there is
refused, unless a person asks for it to be replaced; and what a result was made of is not replaced
even then.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dieindex.errors import DieIndexError, UsageError
from dieindex.files import check_writable, content_hash, written_beside
from dieindex.marks import is_as_drawn
from dieindex.text import Parameter

PAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""Of pictures that go on in further ones."""
LIST_NAME = ".dieindex-written"
"""The list of tables written into a folder."""
STUDY_LIST_NAME = ".dieindex-study"
"""The list of a study's files, in the folder of the study."""
LISTS = frozenset((LIST_NAME, STUDY_LIST_NAME))
IN_EVERY_INDEX = frozenset(("catalogue.sqlite", "reviews.sqlite"))
"""Files of which an index holds one at least."""
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MOST_LISTED = 64 << 20
"""Bytes of a list that are read: half a million files."""


@dataclass(frozen=True)
class Sources:
    """What a result was made of: the collection's folder, the index, and files that were read."""

    data: Path | None = None
    index: Path | None = None
    files: tuple[Path, ...] = ()

    def with_files(self, *files: Path | None) -> Sources:
        """The same, and these files, those of them that are there."""
        more = tuple(path for path in files if path is not None and path.is_file())
        return Sources(self.data, self.index, (*self.files, *more))


NOTHING_READ = Sources()


@contextmanager
def written_output(
    path: Path,
    suffixes: Sequence[str],
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> Iterator[Path]:
    """Give a temporary path beside ``path``, which it replaces when the block ends well.

    Raises as ``check_output``; what was there is then as it was.
    """
    check_output(path, suffixes, force=force, sources=sources)
    target = real(path)
    with written_beside(target) as temporary:
        yield temporary
        # (The work may have taken hours.)
        check_output(path, suffixes, force=force, sources=sources)
        # Listed first: killed in between, a file too many is listed, and none is lost.
        with suppress(OSError):
            if not is_as_drawn(temporary):
                _add_to_list(target.parent / LIST_NAME, content_hash(temporary), target.name)


def write_text_output(
    path: Path,
    text: str,
    suffixes: Sequence[str],
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Write a UTF-8 text file; see ``written_output``."""
    with written_output(path, suffixes, force=force, sources=sources) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def check_output(
    path: Path,
    suffixes: Sequence[str],
    *,
    force: bool = False,
    sources: Sources = NOTHING_READ,
) -> None:
    """Raise where a file must not be written, or cannot be: before the work, not after it.

    UsageError: a suffix that is not one of ``suffixes`` (lower case), a folder, a place inside an
    index, a file that dieindex did not write or that was changed since. With ``force`` such a file
    may be replaced; never one of ``sources``, nor one in the collection. DieIndexError: the place
    cannot be written.
    """
    if path.suffix.lower() not in suffixes:
        what = "picture" if ".png" in suffixes else "table"
        raise UsageError(
            f"{path}: end the {what}'s name in {' or '.join(suffixes)}; nothing else is written."
        )
    target = real(path)
    if target.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it.")
    if lies_in_index(target.parent, sources):
        raise UsageError(
            f"{path}: lies in an index, which is dieindex's own; choose another place."
        )
    if not target.parent.is_dir():
        place = target.parent if path.is_symlink() else path.parent
        raise DieIndexError(f"{path}: there is no folder {place}; make it first.")
    there = twin_of(target)
    if there is not None:
        _check_replaced(path, there, force, sources)
    check_writable(target)


def _check_replaced(path: Path, target: Path, force: bool, sources: Sources) -> None:
    """Raise UsageError unless the file that is there may be replaced."""
    if is_one_of(target, sources.files):
        raise UsageError(
            f"{path}: is what was read, and is never written over; choose another name."
        )
    if is_own(target):
        return
    if sources.data is not None and lies_in(target, sources.data):
        raise UsageError(
            f"{path}: is there already and lies in the collection {sources.data}, of which nothing "
            "is ever written over; choose another name."
        )
    if not target.is_file():
        raise UsageError(f"{path}: is there already, and is no file; choose another name.")
    if not force:
        called = "" if target.name == real(path).name else f" as {target.name}"
        raise UsageError(
            f"{path}: is there already{called}, and is not as dieindex wrote it; choose another "
            "name, or replace it with ",
            Parameter("force"),
            ".",
        )


def page_name(path: Path, number: int) -> Path:
    """The file of a page, from 1: the first is ``path`` itself, the others ``sheet-2.png`` …"""
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def twin_of(path: Path) -> Path | None:
    """What is there of this name: also where only case differs, or how an accent is written, for
    another system would take the two for one."""
    if os.path.lexists(path):
        return path
    name = _same_everywhere(path.name)
    try:
        with os.scandir(path.parent) as entries:
            alike = (each for each in entries if _same_everywhere(each.name) == name)
            return next((path.with_name(each.name) for each in alike), None)
    except OSError:
        return None


def _same_everywhere(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def is_own(path: Path) -> bool:
    """Whether dieindex wrote this file, a table into this folder, under any name, and nobody
    changed it since."""
    # (A name can be listed several times: where a write was broken off, the earlier line holds.)
    listed = {digest for name in LISTS for _, digest in _lines(path.parent / name)}
    try:
        if not path.is_file():
            return False
        return is_as_drawn(path) or (bool(listed) and content_hash(path) in listed)
    except OSError:
        return False


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is the folder or below it, whatever way leads there."""
    return any(is_one_of(each, (folder,)) for each in (path, *path.parents))


def lies_in_index(folder: Path, sources: Sources) -> bool:
    """Whether a folder is any index, or lies in the one that was read."""
    if any((folder / name).is_file() for name in IN_EVERY_INDEX):
        return True
    return sources.index is not None and lies_in(folder, sources.index)


def is_one_of(path: Path, others: Iterable[Path]) -> bool:
    """Whether the path leads to the same file or folder as one of the others."""
    for other in others:
        try:
            if path.samefile(other):
                return True
        except OSError:
            continue
    return False


def real(path: Path) -> Path:
    """Where a path leads, by links too (also one to nothing, which a person set for a place)."""
    return Path(os.path.realpath(path))


# --- lists of files ----------------------------------------------------------------------------


def read_list(path: Path) -> dict[str, str]:
    """The digest of each file listed, by its path below the folder; empty where there is no list.

    A line that is none of a list, and a path that leads out of the folder, is passed over.
    """
    return dict(_lines(path))


def _lines(path: Path) -> list[tuple[str, str]]:
    """Path and digest of each line of a list."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_MOST_LISTED).decode("utf-8", "replace")
    except OSError:
        return []
    found = (_LINE.fullmatch(line) for line in text.split("\n"))
    return [(each[2], each[1]) for each in found if each is not None and _is_below(each[2])]


def _is_below(name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and not Path(name).is_absolute() and ".." not in parts


def list_text(digests: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def _add_to_list(path: Path, digest: str, name: str) -> None:
    """One line more, unless it is there: appended, so that two at work lose nothing."""
    name = " ".join(name.splitlines())
    if read_list(path).get(name) == digest:
        return
    with path.open("a", encoding="utf-8", errors="replace", newline="") as stream:
        stream.write(list_text({name: digest}))
