"""What the desk, the queue, the dies and the log ask."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.responses import Response

from dieindex import api
from dieindex.errors import PictureError, UsageError
from dieindex.records import Side
from dieindex.workbench import documents
from dieindex.workbench.asked import Asked
from dieindex.workbench.bench import Bench, NotSortedYet

MOST_ITEMS = 120
"""Of the queue, sent at once."""


def found_side(bench: Bench, side: Side) -> api.Sorted:
    """A side as it was found last. Raises NotSortedYet."""
    found = bench.session.sorted(side)
    if found is None:
        raise NotSortedYet(side)
    return found


def state(bench: Bench, asked: Asked) -> Any:
    """What is open, and how far it is."""
    build = None if bench.build is None else documents.build(bench.build)
    if not bench.is_open:
        return {"open": False, "build": build, "last": bench.events.last}
    session = bench.session
    index = session.index
    sides: dict[Side, Any] = {}
    for side in api.SIDES:
        try:
            found = session.sorted(side)
        except Exception as error:
            sides[side] = {"error": documents.told(error)}
            continue
        sides[side] = None if found is None else documents.sorted_side(side, found)
    undo, redo = session.can_turn(asked.text("by", ""))
    return {
        "open": True,
        "build": build,
        "index": str(index.folder),
        "data": index.data,
        "unverified": index.unverified,
        "unfinished": index.unfinished,
        "sides": sides,
        "undo": undo,
        "redo": redo,
        "last": bench.events.last,
    }


def queue(bench: Bench, asked: Asked) -> Any:
    """What is worth a look, of some kinds, about a die or a coin."""
    side = asked.side()
    found = found_side(bench, side)
    kinds = [kind for kind in api.KINDS if kind in asked.text("kinds", "").split(",")]
    items = api.filtered(
        found.queue,
        kinds=kinds,
        die=asked.text_or_none("die"),
        coin=asked.text_or_none("coin"),
    )
    counts = {kind: sum(item.kind == kind for item in found.queue) for kind in api.KINDS}
    return {
        **documents.sorted_side(side, found),
        "items": [documents.item(each) for each in items[:MOST_ITEMS]],
        "total": len(items),
        "kinds": counts,
    }


def pair(bench: Bench, asked: Asked) -> Any:
    """Two coins side by side."""
    side = asked.side()
    found = found_side(bench, side)
    names = (bench.session.index.find_coin(asked.text(name)) for name in ("a", "b"))
    return documents.pair(found.desk.pair(*names)) | {"revision": found.revision}


def opinion(bench: Bench, asked: Asked) -> Any:
    """What the machine says of a pair."""
    found = found_side(bench, asked.side())
    return documents.opinion(found.desk.opinion(asked.text("a"), asked.text("b")))


def verdict(bench: Bench, asked: Asked) -> Any:
    """Keep a person's verdict."""
    given = bench.session.say(
        asked.text("a"),
        asked.text("b"),
        asked.text("verdict"),
        side=asked.side(),
        by=_author(asked),
        note=asked.text("note", ""),
    )
    return {"kept": documents.review(given)}


def undo(bench: Bench, asked: Asked) -> Any:
    """Take the last thing back that a person did."""
    return _turned(bench, asked, bench.session.take_back(_author(asked)))


def redo(bench: Bench, asked: Asked) -> Any:
    """Do it again."""
    return _turned(bench, asked, bench.session.do_again(_author(asked)))


def _turned(bench: Bench, asked: Asked, kept: list[Any]) -> Any:
    can_undo, can_redo = bench.session.can_turn(_author(asked))
    return {
        "kept": [documents.review(each) for each in kept],
        "undo": can_undo,
        "redo": can_redo,
    }


def dies(bench: Bench, asked: Asked) -> Any:
    """All dies of a side, each with its surest coin."""
    side = asked.side()
    found = found_side(bench, side)
    listed = [documents.card(each) for each in api.board(found)]
    return {**documents.sorted_side(side, found), "listed": listed}


def die(bench: Bench, asked: Asked) -> Any:
    """One die: its coins, the surest first, and the dies that may be one with it."""
    side, name = asked.side(), asked.text("die")
    found = found_side(bench, side)
    coins = api.surest_first(found.dies, name)
    shown = [documents.coin(found.desk.coin(coin)) for coin in coins]
    order = list(found.dies.clusters)
    at = order.index(name)
    return {
        "side": side,
        "die": name,
        "revision": found.revision,
        "coins": shown,
        "cohesion": found.dies.cohesion.get(name),
        "held": name in api.held(found.dies),
        "neighbours": [documents.candidate(each) for each in found.desk.neighbours(name)],
        "doubts": [
            documents.item(each) for each in api.filtered(found.queue, die=name) if each.die == name
        ][:20],
        "before": order[at - 1] if at else None,
        "after": order[at + 1] if at + 1 < len(order) else None,
        "all": order,
    }


def coin(bench: Bench, asked: Asked) -> Any:
    """A coin against the best coin of every die that it may belong to."""
    side = asked.side()
    found = found_side(bench, side)
    name = bench.session.index.find_coin(asked.text("coin"))
    return {
        "side": side,
        "revision": found.revision,
        "coin": documents.coin(found.desk.coin(name)),
        "candidates": [documents.candidate(each) for each in found.desk.candidates(name)],
    }


def merge(bench: Bench, asked: Asked) -> Any:
    """Two dies as one."""
    die, other = asked.text("die"), asked.text("other")
    return _arranged(bench, asked, lambda dies: api.merged(dies, die, other))


def move(bench: Bench, asked: Asked) -> Any:
    """Coins to another die, or to one of their own."""
    coins, to = asked.texts("coins"), asked.text_or_none("to")
    return _arranged(bench, asked, lambda dies: api.moved(dies, coins, to))


def _arranged(bench: Bench, asked: Asked, sort: Callable[[api.Dies], api.Arrangement]) -> Any:
    side, note = asked.side(), asked.text("note", "")
    revision = found_side(bench, side).revision
    bench.session.arrange(sort, side=side, by=_author(asked), note=note)
    return {"revision": revision}


def hold(bench: Bench, asked: Asked) -> Any:
    """Mark a die as checked: its coins are of one die."""
    side, die = asked.side(), asked.text("die")
    found_side(bench, side)
    kept = bench.session.hold(die, side=side, by=_author(asked), note="die checked")
    return {"kept": len(kept)}


def name(bench: Bench, asked: Asked) -> Any:
    """Have a die go by another name."""
    api.name_die(bench.session.index, asked.side(), asked.text("die"), asked.text("name"))
    bench.session.heard()
    return {}


def find(bench: Bench, asked: Asked) -> Any:
    """Which dies struck the coin of a photograph that was sent; it is kept nowhere."""
    for side in api.SIDES:
        found_side(bench, side)
    name = Path(asked.text("name", "")).name
    if not api.is_picture_name(name):
        raise UsageError(f"{name or 'This'}: no picture that can be read (JPEG, PNG, TIFF …).")
    with tempfile.TemporaryDirectory(prefix="dieindex-") as folder:
        # (Its name is the browser's: its suffix alone is taken over.)
        photo = Path(folder, f"photograph{Path(name).suffix.lower()}")
        photo.write_bytes(asked.photograph)
        try:
            found = bench.session.find(photo)
        except PictureError as error:
            raise UsageError(str(error).replace(str(photo), name)) from None
    faces = {
        side: dict(zip(rows.coins, rows.ids.tolist(), strict=True))
        for side in api.SIDES
        for rows in (bench.session.index.faces(side),)
    }
    return {"found": [documents.found(each, faces) for each in found]}


def log(bench: Bench, asked: Asked) -> Any:
    """Every verdict ever given, the latest first, and where persons disagree."""
    given = bench.session.reviews()
    counting = {each.number for each in api.latest(given)}
    listed = [documents.review(each) | {"counts": each.number in counting} for each in given]
    return {
        "reviews": listed[::-1],
        "disagreements": [
            {"side": each.side, "reviews": [documents.review(r) for r in each.reviews]}
            for each in api.disagreements(given)
        ],
    }


def log_table(bench: Bench, asked: Asked) -> Response:
    """Every verdict as a table."""
    return Response(
        api.reviews_csv(bench.session.reviews()),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="verdicts.csv"'},
    )


def _author(asked: Asked) -> str:
    return api.author(asked.text("by", "").strip() or None)
