"""Which column of a sheet serves which purpose: by its name, its cells, or as a person says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dieindex.collection.names import loose_form, tidy
from dieindex.collection.sheets.column_content import (
    LINKS,
    MEASURES,
    are_pictures,
    counts_or_ids,
    decimals_of,
    not_names_of_dies,
    profile_of,
)
from dieindex.collection.sheets.columns import BARE, DIE_NAMED, LISTED, Column, Role
from dieindex.collection.sheets.die_cells import are_pairs, is_nameless, is_unknown
from dieindex.collection.sheets.options import SheetOptions
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.vocabulary import (
    DIE_WORDS,
    LETTER_PAIRS,
    says_ditto,
    side_of_header_word,
    words_of,
)
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, SIDES, Doubt, Side
from dieindex.text import Message, Parameter, some_of

EXPECTED = Message(
    "expected are columns for coins and for dies; name them with ",
    Parameter("columns", "coin=NAME,obverse=NAME"),
    ", or give another sheet with ",
    Parameter("labels", "FILE"),
)


@dataclass(frozen=True)
class Roles:
    """The columns that serve each purpose, where there are any. Several columns together name a
    coin (``Hoard`` and ``No.``)."""

    coin: tuple[Column, ...] = ()
    dies: Mapping[Side, Column] = field(default_factory=dict)
    die: Column | None = None
    """One column of dies that names no side; ``die.both`` has both dies in each cell."""
    files: tuple[Column, ...] = ()
    side: Column | None = None
    count: Column | None = None

    @property
    def all_dies(self) -> tuple[Column, ...]:
        return (*self.dies.values(), *([self.die] if self.die else []))

    @property
    def used(self) -> frozenset[int]:
        singles = [column for column in (self.side, self.count) if column]
        return frozenset(c.place for c in (*self.coin, *self.all_dies, *self.files, *singles))

    def named(self) -> dict[str, str]:
        """The names of the columns by what they were taken for."""
        found = {}
        if self.coin:
            found["coin"] = " + ".join(column.name for column in self.coin)
        for side in SIDES:
            if side in self.dies:
                found[f"{side} die"] = self.dies[side].name
        if self.die is not None:
            found["both dies" if self.die.both else "die"] = self.die.name
        if self.files:
            found["file"] = ", ".join(column.name for column in self.files)
        if self.side is not None:
            found["side"] = self.side.name
        if self.count is not None:
            found["number of coins"] = self.count.name
        return found


def cells_of(body: Sequence[Row], place: int) -> list[str]:
    return [row.cells[place] if place < len(row.cells) else "" for row in body]


def choose_roles(
    path: Path,
    columns: Sequence[Column],
    body: Sequence[Row],
    options: SheetOptions,
    doubts: list[Doubt],
    dies_needed: bool = True,
) -> Roles:
    """The roles of ``columns``. Raises SheetError where there is none for coins or dies, where a
    column may number coins or count them, and where ``options`` name columns that are not there."""

    def tell(message: str) -> None:
        doubts.append(Doubt("sheet", f"{path.name}: {message}", (path.name,)))

    said = _said(path, columns, options)
    _check_said(path, said, body, tell)
    taken = {column.place for group in said.values() for column in group}
    open_columns = [column for column in columns if column.place not in taken]
    dropped: list[tuple[Column, str]] = []
    open_columns = [_by_content(column, body, dropped) for column in open_columns]
    for held in dict.fromkeys(held for _, held in dropped):
        names = [f"“{column.name[:40]}”" for column, what in dropped if what == held]
        tell(
            f"not taken for dies but only carried through, since it holds {held}: {some_of(names)}"
        )
    roles = Roles(dies=_dies(open_columns, said, tell))
    if not roles.dies and "die" not in said:
        roles = replace(roles, die=_best(open_columns, "die", None, tell))
    elif said.get("die"):
        roles = replace(roles, die=said["die"][0])
    side = said.get("side", [c for c in open_columns if c.role == "side"])
    roles = replace(roles, side=side[0] if side else None)
    if roles.die is not None and roles.side is None:
        cells = cells_of(body, roles.die.place)
        plural = roles.die.both or loose_form(roles.die.name) in ("dies", "coins", "stempels")
        if are_pairs(cells, plural):
            roles = replace(roles, die=replace(roles.die, both=True))
    files = [c for c in open_columns if c.role == "file"]
    roles = replace(roles, files=tuple(said.get("file", files)))
    roles = _coin_and_count(path, open_columns, body, roles, said)
    found = some_of([column.name for column in columns if column.name], 8, 50) or "nothing"
    if not roles.coin and not roles.files and roles.count is None and "coin" not in said:
        roles = replace(roles, coin=_nameless_first(columns, body))
    if not roles.coin and not roles.files and roles.count is None:
        raise SheetError(f"{path}: has no column for the coin (found: {found}); ", EXPECTED)
    without_dies = not roles.all_dies and not (roles.files and (roles.coin or roles.side))
    if without_dies and roles.side is None and dies_needed:
        belied = [f"“{c.name[:20]}” with {held}" for c, held in dropped]
        why = some_of(belied, 2) or f"found: {found}"
        raise SheetError(f"{path}: has no column for the dies ({why}); ", EXPECTED)
    if len(roles.dies) == 1 and not said:
        doubts += _other_side_missed(path, columns, body, roles)
    return roles


def _other_side_missed(
    path: Path, columns: Sequence[Column], body: Sequence[Row], roles: Roles
) -> Iterator[Doubt]:
    """Where the dies of one side are found: columns that may hold those of the other."""
    missing = OBVERSE if REVERSE in roles.dies else REVERSE
    initials = {pair[missing == REVERSE] for pair in LETTER_PAIRS}
    named = []
    for column in columns:
        if column.place in roles.used or not column.name:
            continue
        words = words_of(column.name)
        by_name = any(side_of_header_word(word) == missing for word in words) and any(
            word in DIE_WORDS for word in words
        )
        found = profile_of(cells_of(body, column.place))
        by_content = found.labels > 0.8 and found.prefix in initials and not found.is_unique
        if by_name or by_content:
            named.append(column.name[:40])
    if named:
        yield Doubt(
            "sheet",
            Message(
                f"{path.name}: no column is taken for the {missing} dies, but they may be in "
                f"{some_of([f'“{name}”' for name in named], 4)}; say which with ",
                Parameter("columns", f"{missing}=NAME"),
            ),
            (path.name,),
        )


def _said(path: Path, columns: Sequence[Column], options: SheetOptions) -> dict[str, list[Column]]:
    """The columns that a person named for each purpose; several for a coin, with ``+``."""
    found: dict[str, list[Column]] = {}
    for role, name in options.columns.items():
        if name in ("", "-"):
            found[role] = []
            continue
        parts = find_columns(columns, name)
        if not parts or (len(parts) > 1 and role not in ("coin", "file")):
            names = some_of([column.name for column in columns if column.name], 12, 150)
            raise SheetError(f"{path}: has no column “{name[:60]}”; its columns are {names}")
        side = OBVERSE if role == OBVERSE else REVERSE if role == REVERSE else None
        what: Role = "die" if side or role == "die" else role  # type: ignore[assignment]
        found[role] = [replace(p, role=what, side=side, both=False, letter="") for p in parts]
    return found


def _check_said(
    path: Path,
    said: Mapping[str, list[Column]],
    body: Sequence[Row],
    tell: Callable[[str], None],
) -> None:
    """Tell what the cells of columns that a person named belie; SheetError for one named twice."""
    serving: dict[int, str] = {}
    for role, group in said.items():
        for column in group:
            other = serving.setdefault(column.place, role)
            if other != role:
                raise SheetError(
                    f"{path}: column “{column.name[:60]}” is named for {other} and for {role}; say "
                    "one column for each with ",
                    Parameter("columns", "coin=NAME,obverse=NAME,reverse=NAME"),
                )
            held = not_names_of_dies(_named_cells(column, body)) if column.role == "die" else None
            if held is not None:
                tell(f"column “{column.name}” is read as dies, as was said, but holds {held}")


def _named_cells(column: Column, body: Sequence[Row]) -> list[str]:
    cells = cells_of(body, column.place)
    return [cell for cell in cells if not is_unknown(cell) and not says_ditto(cell)]


def find_columns(columns: Sequence[Column], name: str) -> list[Column]:
    """The column called so, or those of ``Hoard+No.``; none where one is not there."""
    one = find_column(columns, name)
    parts = [one] if one else [find_column(columns, part) for part in name.split("+")]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else []


def find_column(columns: Sequence[Column], name: str) -> Column | None:
    """The column called so: exactly, else in another case or spacing, else by number from 1."""
    name = tidy(name)
    for form in (str, loose_form):
        for column in columns:
            if column.name and form(column.name) == form(name):
                return column
    if name.isdecimal() and 1 <= int(name) <= len(columns):
        return columns[int(name) - 1]
    return None


def _by_content(column: Column, body: Sequence[Row], dropped: list[tuple[Column, str]]) -> Column:
    """The column less a role that its cells belie: pictures, descriptions, links, measures. What
    a column other than one called by a letter holds instead goes to ``dropped``."""
    if column.role != "die" or column.both:
        return column
    cells = _named_cells(column, body)
    held = not_names_of_dies(cells)
    if held != LINKS and column.side and are_pictures(cells):
        return replace(column, role="file")
    if held is None or (column.rank == DIE_NAMED and held not in (LINKS, MEASURES)):
        return column
    if column.rank != BARE:
        dropped.append((column, held))
    return replace(column, role=None)


def _dies(
    columns: Sequence[Column], said: Mapping[str, list[Column]], tell: Callable[[str], None]
) -> dict[Side, Column]:
    found = {}
    bare_sides = {c.side for c in columns if c.role == "die" and c.rank == BARE}
    for side in SIDES:
        if side in said:
            if said[side]:
                found[side] = said[side][0]
            continue
        if "die" in said:
            continue
        column = _best(columns, "die", side, tell)
        # A letter alone (A may be an axis) names a side only beside its counterpart.
        if column and (column.rank != BARE or len(bare_sides) == 2):
            found[side] = column
    return found


def _best(
    columns: Sequence[Column], role: Role, side: Side | None, tell: Callable[[str], None]
) -> Column | None:
    fitting = [c for c in columns if c.role == role and c.side == side]
    fitting.sort(key=lambda column: column.rank)
    if len(fitting) > 1 and fitting[0].rank == fitting[1].rank:
        names = some_of([column.name for column in fitting])
        tell(f"several columns could be the {side or role} ({names}); {fitting[0].name} is used")
    return fitting[0] if fitting else None


def _coin_and_count(
    path: Path,
    columns: Sequence[Column],
    body: Sequence[Row],
    roles: Roles,
    said: Mapping[str, list[Column]],
) -> Roles:
    """Which column numbers the coins and which counts them, where a name may mean both."""
    count = next((c for c in columns if c.role == "count"), None)
    candidates = [c for c in columns if c.role == "coin"]
    # Ids are in every row and differ; a column of few ids (an inventory) stands back.
    profiles = {c.place: profile_of(cells_of(body, c.place)) for c in candidates}

    # (Rows of several photographs, or of a side each, name their coin again.)
    once = not roles.files and roles.side is None

    def order(column: Column) -> tuple[bool, bool, int]:
        found = profiles[column.place]
        few = found.filled < 0.5 * found.rows or found.distinct < 0.5 * found.filled
        letters = found.longest == 1 and not found.whole and not found.is_unique
        # Of a catalogue's number and a museum's the one that stands first.
        rank = min(column.rank, 1) if column.rank < LISTED else column.rank
        return (few or letters, once and not found.is_unique, rank if column.rank else 0)

    candidates.sort(key=order)
    coin: tuple[Column, ...] = tuple(candidates[:1])
    if "count" in said:
        count = said["count"][0] if said["count"] else None
    if "coin" in said:
        return replace(roles, coin=tuple(said["coin"]), count=count)
    sure = [c for c in candidates if not c.countable]
    for column in candidates:
        if not column.countable or not roles.all_dies:
            continue
        what = _what(column, body, roles)
        if what == "unclear" and "count" not in said and not sure:
            raise SheetError(
                f"{path}: column “{column.name}” may number the coins or say how many there are; "
                "say it with ",
                Parameter("columns", f"coin={column.name}"),
                " or ",
                Parameter("columns", f"count={column.name}"),
            )
        others = [c for c in candidates if c is not column]
        plural = column.rank == 0
        counts = (
            what == "count"
            or (what == "unclear" and sure)
            or (plural and bool(others) and _are_numbers(column, body))
        )
        if counts and count is None and "count" not in said:
            count = column
    if count is not None:
        coin = tuple(c for c in candidates if c.place != count.place)[:1]
    return replace(roles, coin=coin, count=count)


def _nameless_first(columns: Sequence[Column], body: Sequence[Row]) -> tuple[Column, ...]:
    """The first column where it has no name but numbers the rows, as programs write tables."""
    if not columns or columns[0].name or not body:
        return ()
    found = profile_of(cells_of(body, 0))
    return (replace(columns[0], name="column 1"),) if found.is_unique and not found.decimals else ()


def _are_numbers(column: Column, body: Sequence[Row]) -> bool:
    cells = [cell for cell in cells_of(body, column.place) if cell]
    return bool(cells) and all(cell.isdecimal() for cell in cells) and not decimals_of(cells)


def _what(column: Column, body: Sequence[Row], roles: Roles) -> str:
    dies = [cells_of(body, die.place) for die in roles.all_dies]
    rows = [row for row in zip(*dies, strict=True) if any(row)]
    cells = [cell for cell in cells_of(body, column.place) if not is_nameless(cell)]
    return counts_or_ids(
        cells,
        behind_dies=all(column.place > die.place for die in roles.all_dies),
        said_plural=column.rank == 0 or loose_form(column.name) == "n",
        combinations=len(set(rows)) == len(rows),
    )
