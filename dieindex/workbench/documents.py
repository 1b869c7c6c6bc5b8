"""What pages are sent, as plain values."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from dieindex import api
from dieindex.errors import DieIndexError
from dieindex.records import Review, SheetReading, Side
from dieindex.text import Parameter, for_screen, unturned
from dieindex.workbench.builds import Build

MOST_NAMED = 40
"""Coins of a die that are named on the board."""


def _on_page(piece: object) -> str:
    """A piece of a message, a parameter by what it is called on a page."""
    if isinstance(piece, Parameter) and piece.name == "side":
        told = {"obverse": ": obverses alone", "reverse": ": reverses alone"}
        return f"“The pictures show{told.get(str(piece.value), '')}”"
    return str(piece)


def in_words(message: object) -> str:
    """A message, or an error, for a page."""
    pieces = getattr(message, "pieces", (message,))
    return for_screen("".join(map(_on_page, pieces)))


def told(error: BaseException) -> str:
    """An error in words for a person."""
    if isinstance(error, DieIndexError):
        return in_words(error)
    return for_screen(
        f"Unexpected {type(error).__name__}: {error}. This is a fault of dieindex; "
        "please report it."
    )


def review(given: Review) -> dict[str, Any]:
    """A person's verdict."""
    names = ("coin_a", "coin_b", "side", "verdict", "by", "note", "time", "number")
    document = {name: getattr(given, name) for name in names}
    return document | {"taken_back": api.is_taken_back(given)}


def found(each: api.Found, faces: Mapping[Side, Mapping[str, int]]) -> dict[str, Any]:
    """What is known of one side of a photograph from elsewhere; ``faces`` are those of coins, by
    side."""
    picture = api.picture_of_found(each)
    return {
        "side": each.side,
        "new_die": each.new_die,
        "reason": each.reason,
        "known_as": each.known_as,
        "picture": None
        if picture is None
        else f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}",
        "dies": [
            {
                "die": die.die,
                "probability": die.probability,
                "coin": die.nearest,
                "coins": die.coins,
                "face": None if each.side is None else faces[each.side].get(die.nearest),
            }
            for die in each.dies
        ],
    }


def sorted_side(side: Side, found: api.Sorted) -> dict[str, Any]:
    """A side at a glance: how many dies, how sure, what changed, how much is worth a look."""
    dies = found.dies
    count = dies.count
    sizes = [len(coins) for coins in dies.clusters.values()]
    return {
        "side": side,
        "revision": found.revision,
        "changes": list(found.changes),
        "coins": len(dies.coins),
        "dies": len(sizes),
        "singletons": sum(size == 1 for size in sizes),
        "least": None if count is None else count.low,
        "most": None if count is None else count.high,
        "expected_wrong": dies.expected_wrong.coins,
        "worth_looking": dies.worth_looking,
        "queue": len(found.queue),
        "refused": list(dies.refused),
    }


def item(given: api.Item) -> dict[str, Any]:
    """What is worth a look."""
    return {
        "kind": given.kind,
        "side": given.side,
        "coin": given.coin,
        "other_coin": given.other_coin,
        "die": given.die,
        "other_die": given.other_die,
        "part": list(given.part),
        "change": given.change,
        "why": given.why,
    }


def coin(given: api.ShownCoin) -> dict[str, Any]:
    """A coin on one side."""
    return {
        "coin": given.coin,
        "die": given.die,
        "certainty": given.certainty,
        "face": given.face,
        "file": given.file,
        "unaligned": given.unaligned,
        "sure": given.sure,
        "other_face": given.other_face,
        "other_die": given.other_die,
        "sheet_die": given.sheet.die,
        "sheet": [[name, unturned(text)] for name, text in given.sheet.columns.items() if text],
    }


def pair(given: api.ShownPair) -> dict[str, Any]:
    """Two coins side by side. (What the machine says of them is asked for apart.)"""
    fixed = None
    if given.moved is not None:
        fixed = given.b.face if given.moved == given.a.face else given.a.face
    return {
        "side": given.side,
        "a": coin(given.a),
        "b": coin(given.b),
        "apart": given.apart,
        "moved": given.moved,
        "fixed": fixed,
        "around": api.AROUND,
        "reviews": [review(each) for each in given.reviews],
    }


def opinion(given: api.Opinion) -> dict[str, Any]:
    """What the machine says of a pair; where details agree, cells from left to right."""
    found = given.agreement
    cells = None
    if found is not None:
        cells = {
            "grid": int(found.value.shape[0]),
            "share": found.share,
            "value": _rounded(found.value),
            "weight": _rounded(found.weight),
            "displacement": _rounded(found.displacement),
        }
    return {
        "probability": given.probability,
        "verdict": given.verdict,
        "compared": given.compared,
        "agreement": cells,
    }


def _rounded(values: Any) -> list[float]:
    listed: list[float] = (
        np.round(np.nan_to_num(np.asarray(values, np.float64)), 2).ravel().tolist()
    )
    return listed


def card(given: api.DieCard) -> dict[str, Any]:
    """A die at a glance; of many coins some are named."""
    names = ("die", "best", "face", "cohesion", "least", "held")
    document = {name: getattr(given, name) for name in names}
    listed = list(given.coins[:MOST_NAMED])
    return document | {"coins": len(given.coins), "sheet": list(given.sheet), "names": listed}


def candidate(given: api.Candidate) -> dict[str, Any]:
    """A die that a coin may belong to."""
    names = ("die", "probability", "coin", "face", "coins")
    return {name: getattr(given, name) for name in names}


def reading(given: SheetReading | None) -> dict[str, Any] | None:
    """How a sheet was read."""
    if given is None:
        return None
    return {
        "line": str(given),
        "sheet": given.sheet,
        "columns": dict(given.columns),
        "header": given.header,
        "rows": given.rows,
    }


def recognition(given: api.Recognition) -> dict[str, Any]:
    """What a folder would be read as."""
    glance = given.glance
    return {
        "data": str(given.data),
        "pictures": dict(given.pictures),
        "coins": given.coins,
        "examples": [list(each) for each in given.examples],
        "sheet": None if glance is None else str(glance.file),
        "sheets": {}
        if glance is None
        else {
            name: [[unturned(c) for c in row] for row in rows]
            for name, rows in glance.sheets.items()
        },
        "reading": reading(given.reading),
        "problem": given.problem,
        "tables": [str(path) for path in given.tables],
        "doubts": list(given.doubts),
        "index": str(given.index),
        "built": given.built,
    }


def build(given: Build) -> dict[str, Any]:
    """A build at work, or ended."""
    report = given.report
    return {
        "data": str(given.data),
        "index": str(given.index),
        "step": given.step,
        "done": given.done,
        "total": given.total,
        "stopping": given.stopping,
        "finished": given.finished.is_set() or report is not None or given.error is not None,
        "error": given.error,
        "report": None
        if report is None
        else {
            "coins": report.coins,
            "faces": dict(report.faces),
            "unsure": report.unsure,
            "unaligned": {side: sum(each.values()) for side, each in report.unaligned.items()},
            "skipped": [{"file": each.file, "reason": each.reason} for each in report.skipped],
            "warnings": [in_words(each) for each in report.warnings],
            "sheet": None if report.sheet is None else str(report.sheet),
            "seconds": report.seconds,
        },
    }


def photographed(given: api.Photographed) -> dict[str, Any]:
    """A face on its photograph."""
    return {
        "face": given.face,
        "side": given.side,
        "file": given.file,
        "coin": given.coin,
        "x": given.circle.x,
        "y": given.circle.y,
        "radius": given.circle.radius,
        "rotation": given.rotation,
        "sure": given.sure,
        "reason": given.reason,
        "unaligned": given.unaligned,
    }
