"""Pictures that were renamed or moved: their faces go along, and what persons said of coins."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dieindex.files import content_hash
from dieindex.indexing.plan import Task
from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.storage.coin_names import (
    Pictures,
    entries_of,
    known_pictures,
    new_names,
    pictures_entry,
)
from dieindex.storage.die_numbers import die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.text import some_of


@dataclass(frozen=True)
class CoinsBefore:
    """The coins as a build found them: those that persons' work is about, with the ``known``
    pictures of each, and the pictures of ``all_`` that were in the catalogue."""

    known: Pictures
    all_: Pictures


def with_contents(
    data: Path, tasks: Sequence[Task], vanished: Sequence[PhotographRow]
) -> list[Task]:
    """The tasks, with digests of those pictures that may be known under another name: a known one
    that is due or has vanished has their size."""
    rows = [*vanished, *(task.known for task in tasks if task.known is not None)]
    sizes = {row.size for row in rows}

    def looked_at(task: Task) -> Task:
        path = data / task.photograph.file
        # (What cannot be read is listed when it is cut.)
        with suppress(OSError):
            if sizes and path.stat().st_size in sizes:
                return replace(task, sha256=content_hash(path))
        return task

    return [looked_at(task) for task in tasks]


def moved_photographs(tasks: Sequence[Task], vanished: Sequence[PhotographRow]) -> dict[str, str]:
    """Photographs that have other names now, known by their content: the old name by the new one.

    Where several files have one content, a photograph goes to the one of its coin, then to the one
    of its name in another folder, then to the first.
    """
    rows = [*vanished, *(task.known for task in tasks if task.known is not None)]
    contents = {task.photograph.file: task.sha256 for task in tasks}
    free: dict[str, list[PhotographRow]] = {}
    for row in rows:
        if contents.get(row.file) != row.sha256:
            free.setdefault(row.sha256, []).append(row)
    moved: dict[str, str] = {}
    for task in tasks:
        file, coin = task.photograph.file, task.photograph.coin
        content = task.sha256
        if (
            content is None
            or content not in free
            or (task.known is not None and task.known.sha256 == content)
        ):
            continue
        row = min(
            free[content],
            key=lambda row: (row.coin != coin, Path(row.file).name != Path(file).name, row.id),
        )
        moved[file] = row.file
        free[content].remove(row)
        if not free[content]:
            del free[content]
    return moved


def follow_moved(
    catalogue: Catalogue,
    tasks: Sequence[Task],
    vanished: Sequence[PhotographRow],
    moved: Mapping[str, str],
) -> tuple[list[Task], list[PhotographRow]]:
    """Let photographs have their new names; gives what is due then, and which have vanished."""
    if not moved:
        return list(tasks), list(vanished)
    with catalogue.transaction():
        catalogue.set_meta("generation", None)
        catalogue.move_photographs(moved)
    rows, taken = catalogue.photographs(), set(moved.values())
    return (
        [replace(task, known=rows.get(task.photograph.file)) for task in tasks],
        [row for row in vanished if row.file not in taken],
    )


def coins_before(catalogue: Catalogue) -> CoinsBefore:
    """Note by which pictures the coins of persons' work are known, as the last build left them."""
    here = catalogue.pictures_of_coins()
    with ReviewStore.open(catalogue.path.parent, write=True) as kept:
        known = known_pictures(kept)
        if catalogue.meta("generation") is None:
            # A build that was broken off gave pictures other names, perhaps, and told nobody yet.
            return CoinsBefore(known, {})
        named = {coin for review in kept.reviews() for coin in review.pair}
        for side in SIDES:
            named |= set(die_numbers(kept, side).numbers)
        new = {coin: frozenset(here[coin]) for coin in sorted(named & set(here))}
        new = {coin: pictures for coin, pictures in new.items() if pictures != known.get(coin)}
        kept.add_numbers([pictures_entry(coin, pictures) for coin, pictures in new.items()])
    return CoinsBefore({**known, **new}, here)


def follow_renamed(catalogue: Catalogue, before: CoinsBefore) -> list[str]:
    """Give persons' work the coins' names of today, and say which changed."""
    now = catalogue.pictures_of_coins()
    names = new_names(before.known, before.all_, now)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with ReviewStore.open(catalogue.path.parent, write=True) as kept:
        numbers = {side: die_numbers(kept, side).numbers for side in SIDES}
        kept.add_numbers(entries_of(names, numbers, before.known, now, moment))
    if not names:
        return []
    listed = some_of([f"{old} is {new}" for old, new in names.items()])
    return [f"Pictures have other names now: coin {listed}; verdicts and die numbers go with them."]
