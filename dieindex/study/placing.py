"""How a study takes its place in a folder: the old one or the new one is there, whole, whenever the
work is broken off, and nothing that an earlier study did not provably write is touched.

All is written beside. Where the folder holds an earlier study and nothing else, the two folders
change places at one stroke. Where a person keeps files of his own in it too, those stay where they
are: the new study is first decided on (one rename), then its files go to their places one by one; a
study broken off there is finished by the next.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dieindex.errors import UsageError
from dieindex.files import content_hash, new_folder_mode
from dieindex.outputs import (
    STUDY_LIST_NAME,
    Sources,
    is_one_of,
    is_own,
    lies_in,
    lies_in_index,
    list_text,
    read_list,
    real,
    twin_of,
)
from dieindex.text import Parameter

FOLDERS = ("plates", "charts", "pictures")
"""Folders of a study: one of these names is a person's where no study wrote a file into it."""
_PREFIX = ".study-"
_DECIDED = f"{_PREFIX}new"
"""Inside a study's folder: a whole new study on its way into place."""
_LONGEST_WORK = 86_400
"""Seconds after which a folder beside is stale where the system cannot tell who works in it."""
_AT_FDCWD, _SWAP = -100, 2


def check_study_folder(out: Path, names: Collection[str], sources: Sources) -> None:
    """Raise UsageError where a study of files with these names (paths below ``out``, or names of
    its folders) must not be written: over a file, into the collection or what holds it, into the
    index, over what an earlier study did not write or a person changed since."""
    folder = real(out)
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(Parameter("out", out), ": is a file; name a folder.")
    if sources.data is not None and lies_in(folder, sources.data):
        raise UsageError(
            Parameter("out", out), f": lies in the collection {sources.data}; choose another."
        )
    if sources.data is not None and lies_in(real(sources.data), folder):
        raise UsageError(
            Parameter("out", out),
            f": holds the collection {sources.data}; name a folder for the study alone, such as "
            f"{out / 'study'}.",
        )
    if lies_in_index(folder, sources):
        raise UsageError(Parameter("out", out), ": lies in an index; choose another.")
    # (Of a study that was broken off on its way into place, some files are there already.)
    lists = [read_list(each / STUDY_LIST_NAME) for each in (folder, folder / _DECIDED)]
    for name in names:
        _check_free(out / name, folder / name, name, lists, sources)


def _check_free(
    shown: Path, path: Path, name: str, lists: Sequence[Mapping[str, str]], sources: Sources
) -> None:
    """Raise UsageError where a file or folder is in a study's way that no study wrote."""
    # (Below the top only a study's own folders are looked into, thousands of times.)
    there = twin_of(path) if "/" not in name else path
    if there is None or not os.path.lexists(there):
        return
    if is_one_of(there, sources.files):
        raise UsageError(
            f"{shown}: is what was read, and is never written over; name another folder with ",
            Parameter("out", "DIR"),
            ".",
        )
    if name in FOLDERS:
        is_free = path.is_dir() and not path.is_symlink() and _has_files_in(lists, name)
    else:
        is_free = _is_as_written(path, *(listed.get(name) for listed in lists))
    if not is_free or there != path:
        raise UsageError(
            f"{shown.with_name(there.name)}: is there already, and is not as an earlier study "
            "wrote it; move it away, or name another folder with ",
            Parameter("out", "DIR"),
            ". Nothing was changed.",
        )


def _has_files_in(lists: Sequence[Mapping[str, str]], folder: str) -> bool:
    return any(name.startswith(f"{folder}/") for listed in lists for name in listed)


def _is_as_written(path: Path, *digests: str | None) -> bool:
    """Whether a file is as a study, or another command, wrote it."""
    if path.is_symlink() or not path.is_file():
        return False
    return content_hash(path) in digests or is_own(path)


@contextmanager
def placed_study(out: Path, sources: Sources) -> Iterator[Path]:
    """Give an empty folder; what is written into it is the study in ``out`` when the block ends
    well. Raises OSError where it cannot be written, UsageError as ``check_study_folder``."""
    folder = real(out)
    _finish(folder)
    _sweep(folder)
    if folder.is_dir() and not _can_be_moved(folder):
        place = folder
    else:
        place = folder.parent
        place.mkdir(parents=True, exist_ok=True)
    beside = _begun(place)
    try:
        with _held(beside):
            yield beside
            names = sorted(_files_below(beside))
            digests = {name: content_hash(beside / name) for name in names}
            (beside / STUDY_LIST_NAME).write_text(list_text(digests), "utf-8", newline="")
            check_study_folder(out, [*_folders_of(names), *names], sources)
            _put_in_place(beside, folder)
    finally:
        _take_away(beside, folder)


def _begun(place: Path) -> Path:
    """A new folder that its list, empty yet, shows to be a study's, however early the work is
    broken off."""
    while True:
        beside = Path(tempfile.mkdtemp(dir=place, prefix=_PREFIX))
        # (Another study may have taken it for one that was broken off.)
        with suppress(FileNotFoundError):
            (beside / STUDY_LIST_NAME).touch()
            return beside


def _take_away(left: Path, folder: Path | None = None) -> None:
    """Remove what a study left beside: half a study, or an earlier one whose place another took.

    What a person added to that one or changed in it while they changed places goes into the
    ``folder`` where its name is free there, and else stays.
    """
    listed = read_list(left / STUDY_LIST_NAME)
    with suppress(OSError):
        for name in sorted(_files_below(left)) if listed else ():
            if _is_as_listed(left, name, listed):
                (left / name).unlink()
            elif folder is not None and not os.path.lexists(folder / name):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (left / name).rename(folder / name)
        if not listed or not any(_files_below(left)):
            _remove(left)


def _files_below(folder: Path) -> Iterator[str]:
    """Paths of all files (and links) below the folder, but for its list."""
    for top, folders, files in os.walk(folder):
        links = [name for name in folders if Path(top, name).is_symlink()]
        for name in (*files, *links):
            path = Path(top, name).relative_to(folder).as_posix()
            if path != STUDY_LIST_NAME:
                yield path


def _folders_of(names: Collection[str]) -> list[str]:
    return [name for name in FOLDERS if any(each.startswith(f"{name}/") for each in names)]


def _can_be_moved(folder: Path) -> bool:
    """Whether the folder is an earlier study and nothing else, and nothing holds it in place."""
    listed = read_list(folder / STUDY_LIST_NAME)
    return (
        not os.path.ismount(folder)
        and not lies_in(Path.cwd(), folder)
        and os.access(folder.parent, os.W_OK | os.X_OK)
        and all(_is_as_listed(folder, name, listed) for name in _files_below(folder))
    )


def _is_as_listed(folder: Path, name: str, listed: Mapping[str, str]) -> bool:
    path = folder / name
    if name not in listed or path.is_symlink() or not path.is_file():
        return False
    return content_hash(path) == listed[name]


def _put_in_place(beside: Path, folder: Path) -> None:
    beside.chmod(new_folder_mode())
    if not os.path.lexists(folder):
        beside.rename(folder)
        return
    if beside.parent != folder and _can_be_moved(folder):
        shutil.copymode(folder, beside)
        if _exchanged(beside, folder):
            return
    beside.rename(folder / _DECIDED)
    _finish(folder)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places at one stroke; False where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _SWAP) == 0)
        return bool(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _SWAP) == 0)
    except (AttributeError, TypeError, OSError):
        return False


def _finish(folder: Path) -> None:
    """Put the files of a study that was decided on into their places. What a person changed or
    added meanwhile stays as it is."""
    decided = folder / _DECIDED
    if not (decided / STUDY_LIST_NAME).is_file():
        return
    before, after = read_list(folder / STUDY_LIST_NAME), read_list(decided / STUDY_LIST_NAME)
    for name in before:
        if name not in after and _is_as_listed(folder, name, before):
            (folder / name).unlink()
    for name, digest in after.items():
        source, target = decided / name, folder / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        known = (digest, before.get(name))
        if not os.path.lexists(target) or _is_as_written(target, *known):
            source.replace(target)
        else:
            source.unlink()
    for name in FOLDERS:
        shutil.rmtree(decided / name, ignore_errors=True)
        with suppress(OSError):
            (folder / name).rmdir()
    # The list last: while it is in the other folder, the work is not finished.
    (decided / STUDY_LIST_NAME).replace(folder / STUDY_LIST_NAME)
    shutil.rmtree(decided, ignore_errors=True)


# --- what was broken off -----------------------------------------------------------------------


def _sweep(folder: Path) -> None:
    """Take away what studies that were broken off left beside."""
    for place in (folder, folder.parent):
        try:
            left = [each for each in place.iterdir() if each.name.startswith(_PREFIX)]
        except OSError:
            continue
        for each in left:
            # (What was decided on is the other folder's new study.)
            if each.name == _DECIDED or each.is_symlink() or not each.is_dir() or _is_held(each):
                continue
            if (each / STUDY_LIST_NAME).is_file():
                _take_away(each)
            else:
                with suppress(OSError):
                    each.rmdir()


def _remove(folder: Path) -> None:
    """Take away a folder of a study, its list last: broken off, the rest is still known for a
    study's the next time."""
    with suppress(OSError):
        for each in folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            elif each.name != STUDY_LIST_NAME:
                each.unlink()
        (folder / STUDY_LIST_NAME).unlink(missing_ok=True)
        folder.rmdir()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Show others that work goes on in a folder: a lock of the kernel's, which ends with this
    process."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _is_held(folder: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        return time.time() - folder.stat().st_mtime < _LONGEST_WORK
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return time.time() - folder.stat().st_mtime < _LONGEST_WORK
    finally:
        os.close(handle)
    return False
