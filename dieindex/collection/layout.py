"""Read a folder of photographs and its sheet into a collection, without looking at a picture.

Which photograph shows which coin and side is decided here from names and sheet alone; everything
doubtful goes into one list and never stops the work.
"""

from __future__ import annotations

import difflib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dieindex.collection import doubts as doubtful
from dieindex.collection.known_coins import by_the_column_that_meets, sheet_of_collection
from dieindex.collection.matching import FileNames, merge_rows, rows_to_coins
from dieindex.collection.names import NamedFile, NameReading, listed, read_names
from dieindex.collection.overrides import OVERRIDES_FILE, read_overrides
from dieindex.collection.pictures import PICTURE_SUFFIXES, UNREAD_SUFFIXES, picture_size
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.rows import Sheet
from dieindex.errors import CollectionError, PictureError
from dieindex.marks import is_own_picture
from dieindex.records import Collection, Doubt, Override, Photograph, SheetCoin, Side
from dieindex.text import natural_key

_SKIPPED_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information"})
_PAIR_SHAPE = 1.4
"""Long over short edge from which a picture more likely shows two faces than one."""
_SAMPLED = 48


@dataclass
class Files:
    """What lies in a folder: pictures (relative, naturally ordered) and what is passed over."""

    pictures: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    """Pictures that dieindex drew."""
    unread: list[str] = field(default_factory=list)
    others: int = 0
    doubts: list[Doubt] = field(default_factory=list)


def read_collection(
    folder: Path | str,
    labels: Path | str | Literal[False] | None = None,
    side: Side | None = None,
    options: SheetOptions | None = None,
) -> Collection:
    """The photographs below ``folder``, their coins and sides, and what the sheet knows of them.

    ``labels`` is the sheet to use instead of the one found beside the photographs, False for none;
    ``options`` say what its columns hold. Where several may be meant, none is used, and the doubts
    tell it. ``side`` is the
    side of pictures of one face of which neither sheet nor name says it (recorded as
    ``side_from="option"``). A photograph whose side stays None shows both sides or one: that is
    decided by looking. A sheet that knows the dies of one side alone gives the side of pictures
    shaped like one face, not of those shaped like two.

    Raises CollectionError (no such folder, no folder, no pictures, unreadable) and SheetError (the
    sheet cannot be understood, or fits ambiguously).
    """
    folder = Path(folder)
    _check_folder(folder)
    found = list_files(folder)
    if not found.pictures:
        raise CollectionError(_nothing_found(folder, found))
    doubts = [*found.doubts, *doubtful.unread(found.unread), *doubtful.own_pictures(found.own)]
    sheet = None if labels is False else sheet_of_collection(folder, labels, options, doubts)
    names = FileNames(found.pictures)
    reading = read_names(found.pictures)
    if reading.twos and not _order_holds(folder, reading, sheet, names):
        reading = read_names(found.pictures, by_order=False)
    named = _with_top_name(folder, reading.files)

    coins = own_ids(named)
    sides: dict[str, Side] = {}
    grouped: set[str] = set()
    known: Mapping[str, SheetCoin] = {}
    if sheet is not None:
        sheet = by_the_column_that_meets(sheet, options, set(coins.values()), doubts)
        doubts += sheet.doubts
        match = rows_to_coins(sheet, names, coins)
        coins, sides, grouped = match.coins, match.sides, set(match.files)
        known = merge_rows(sheet, match.rows, doubts)
        doubts += doubtful.sheet_and_pictures(sheet, match, known)
    overrides, more = read_overrides(folder)
    doubts += more
    corrections = _by_file(overrides, names, doubts)
    hints = {} if side else _hints(folder, sheet, known, named, coins, sides)
    if sheet is not None and hints:
        doubts.append(doubtful.sides_by_the_sheet(sheet, tuple(hints)))
    photographs = [
        _photograph(name, coins[name.file], sides, hints, side, corrections)
        for name in named
        if name.file not in reading.third or name.file in grouped
    ]
    doubts += doubtful.about_names(reading, sides)
    doubts += doubtful.about_photographs(photographs, grouped)
    doubts += doubtful.same_content(folder, [photograph.file for photograph in photographs])
    return Collection(
        folder=folder,
        photographs=tuple(photographs),
        sheet=sheet.path if sheet else None,
        coins=known,
        doubts=tuple(doubts),
        reading=sheet.reading if sheet else None,
    )


# --- the folder --------------------------------------------------------------------------------


def _check_folder(folder: Path) -> None:
    try:
        if folder.is_dir():
            return
        exists = folder.exists()
    except OSError as error:
        raise CollectionError(
            f"{folder}: cannot be reached ({error.strerror or error}); check its permissions"
        ) from error
    if exists:
        raise CollectionError(
            f"{folder}: is a file; give the folder that holds the photographs "
            f"(perhaps {folder.parent})"
        )
    try:
        beside = [entry.name for entry in os.scandir(folder.parent) if entry.is_dir()]
    except OSError:
        beside = []
    near = difflib.get_close_matches(folder.name, beside, n=3, cutoff=0.6)
    hint = f"; there is {', '.join(str(folder.parent / name) for name in near)}" if near else ""
    raise CollectionError(f"{folder}: there is no such folder{hint}")


def list_files(folder: Path) -> Files:
    """Every picture below ``folder``, relative with forward slashes, in natural order.

    Hidden files and folders are passed over, and so is what other programs leave (``__MACOSX``),
    and what dieindex itself drew (see ``marks``). A folder reached by several links is read once.
    Raises CollectionError where ``folder`` itself cannot be read.
    """
    found = Files()
    unreadable: list[str] = []
    odd: list[str] = []
    seen: set[tuple[int, int]] = set()
    # Links wait until every true folder is read, so that a folder keeps its true name.
    waiting: list[str] = [""]
    links: list[str] = []
    while waiting or links:
        below = waiting.pop() if waiting else links.pop(0)
        try:
            status = (folder / below).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder / below) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not below:
                raise CollectionError(
                    f"{folder}: cannot be read ({error.strerror or error}); check its permissions, "
                    "or whether the drive is connected"
                ) from error
            unreadable.append(below)
            continue
        for entry in listing:
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.name.startswith("."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # (A link round in a circle, or to where nobody may look.)
                unreadable.append(name)
                continue
            if is_folder:
                if entry.name.casefold() not in _SKIPPED_FOLDERS:
                    (links if entry.is_symlink() else waiting).append(name)
                continue
            suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 (100,000 names)
            if suffix in PICTURE_SUFFIXES:
                if not _is_text(name):
                    odd.append(name.encode("utf-8", "replace").decode())
                elif not entry.is_file():
                    unreadable.append(name)
                else:
                    own = is_own_picture(entry.path)
                    (found.own if own else found.pictures).append(name)
                continue
            found.others += 1
            if suffix in UNREAD_SUFFIXES:
                found.unread.append(name.encode("utf-8", "replace").decode())
    found.pictures.sort(key=natural_key)
    found.own.sort(key=natural_key)
    if unreadable:
        message = f"cannot be read and are passed over: {listed(unreadable)}"
        found.doubts.append(Doubt("unreadable", message, tuple(unreadable)))
    if odd:
        message = f"names that are no text are passed over; rename: {listed(odd)}"
        found.doubts.append(Doubt("unreadable", message, tuple(odd)))
    return found


def _is_text(name: str) -> bool:
    """False for names whose bytes are not UTF-8: they could be written into no catalogue."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _nothing_found(folder: Path, found: Files) -> str:
    suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
    seen = found.others + len(found.own)
    if not seen and not found.doubts:
        return f"{folder}: is empty; put the photographs of the coins into it ({suffixes})"
    hint = f", {len(found.unread)} of them pictures of other formats" if found.unread else ""
    hint += f", {len(found.own)} of them drawn by dieindex" if found.own else ""
    return (
        f"{folder}: holds no photographs among its {seen} files{hint}; pictures are read from "
        f"{suffixes}"
    )


# --- coins and sides ---------------------------------------------------------------------------


def _with_top_name(folder: Path, named: list[NamedFile]) -> list[NamedFile]:
    """``obv.jpg`` and ``rev.jpg`` at the very top show the coin that the folder is called after."""
    top = folder.resolve().name or "coin"
    return [
        name if name.stem else NamedFile(name.file, top, name.folder, name.side) for name in named
    ]


def own_ids(named: Iterable[NamedFile]) -> dict[str, str]:
    """Id of the coin in each file: the stem less its token; with the folder where stems collide.

    Stems collide where the same one occurs in two folders for the same side, or for a picture that
    may show both.
    """
    alike: dict[str, list[NamedFile]] = defaultdict(list)
    for name in named:
        alike[name.stem].append(name)
    ids = {}
    for stem, group in alike.items():
        qualified = len(group) > 1 and _collide(group)
        for name in group:
            ids[name.file] = f"{name.folder}/{stem}" if qualified and name.folder else stem
    return ids


def _collide(group: Sequence[NamedFile]) -> bool:
    if len({name.folder for name in group}) == 1:
        return False
    if any(name.side is None for name in group):
        return True
    folders: dict[Side | None, set[str]] = defaultdict(set)
    for name in group:
        folders[name.side].add(name.folder)
    return any(len(places) > 1 for places in folders.values())


def _order_holds(folder: Path, reading: NameReading, sheet: Sheet | None, names: FileNames) -> bool:
    """Whether names that come in twos by order alone may be the two sides of coins.

    Not where the pictures are shaped like pairs of faces, nor where the sheet knows each of the two
    as a coin of its own.
    """
    if _shaped_like_pairs(folder, [file for two in reading.twos for file in two]):
        return False
    if sheet is None:
        return True
    by_file: dict[str, set[str]] = defaultdict(set)
    for row in sheet.rows:
        texts = [text for text, _ in row.files] or [row.coin]
        for text in texts:
            for file in names.find(text):
                by_file[file].add(row.coin or text)
    apart = sum(
        bool(by_file[one]) and bool(by_file[two]) and not by_file[one] & by_file[two]
        for one, two in reading.twos
    )
    return apart < 0.5 * len(reading.twos)


def _hints(
    folder: Path,
    sheet: Sheet | None,
    known: Mapping[str, SheetCoin],
    named: Sequence[NamedFile],
    coins: Mapping[str, str],
    sides: Mapping[str, Side],
) -> dict[str, Side]:
    """Sides of files that nothing names, where the sheet knows the dies of one side alone and has a
    row for them.

    Many a study has only its obverses done and photographs of both sides, so pictures shaped like
    two faces are left to be looked at. A sample of headers tells the shape. Pictures without a row
    may be the other sides.
    """
    if sheet is None or not known or len(sheet.sides) != 1:
        return {}
    files = [
        name.file
        for name in named
        if name.side is None and name.file not in sides and coins[name.file] in known
    ]
    if not files or _shaped_like_pairs(folder, files):
        return {}
    return dict.fromkeys(files, sheet.sides[0])


def _shaped_like_pairs(folder: Path, files: Sequence[str]) -> bool:
    step = max(len(files) // _SAMPLED, 1)
    shapes = []
    for file in files[::step]:
        try:
            width, height = picture_size(folder / file)
        except PictureError:
            continue
        shapes.append(max(width, height) >= _PAIR_SHAPE * max(min(width, height), 1))
    return sum(shapes) > 0.1 * len(shapes)


def _photograph(
    name: NamedFile,
    coin: str,
    sides: Mapping[str, Side],
    hints: Mapping[str, Side],
    option: Side | None,
    corrections: Mapping[str, tuple[Override, ...]],
) -> Photograph:
    overrides = corrections.get(name.file, ())
    stated = sides.get(name.file)
    if stated is not None:
        return Photograph(name.file, coin, stated, "sheet", overrides)
    if name.side is not None:
        return Photograph(name.file, coin, name.side, "name", overrides)
    hint = hints.get(name.file)
    if hint is not None:
        return Photograph(name.file, coin, hint, "sheet", overrides)
    if option is not None:
        return Photograph(name.file, coin, option, "option", overrides)
    return Photograph(name.file, coin, None, None, overrides)


def _by_file(
    overrides: Sequence[Override], names: FileNames, doubts: list[Doubt]
) -> dict[str, tuple[Override, ...]]:
    by_file: dict[str, tuple[Override, ...]] = {}
    missing: list[str] = []
    unclear: list[str] = []
    for override in overrides:
        hits = names.find(override.file)
        if len(hits) != 1:
            (unclear if hits else missing).append(override.file)
            continue
        by_file[hits[0]] = (*by_file.get(hits[0], ()), override)
    if missing:
        message = f"{OVERRIDES_FILE}: names pictures that are not there: {listed(missing)}"
        doubts.append(Doubt("overrides", message, tuple(missing)))
    if unclear:
        message = (
            f"{OVERRIDES_FILE}: fits several pictures; give the path below the folder: "
            f"{listed(unclear)}"
        )
        doubts.append(Doubt("overrides", message, tuple(unclear)))
    clashing = [
        file
        for file, rows in by_file.items()
        if any(count > 1 for count in Counter(row.side for row in rows).values())
    ]
    if clashing:
        message = (
            f"{OVERRIDES_FILE}: several rows for one side of {listed(clashing)}; the last one holds"
        )
        doubts.append(Doubt("overrides", message, tuple(clashing)))
        for file in clashing:
            by_file[file] = tuple({row.side: row for row in by_file[file]}.values())
    return by_file
