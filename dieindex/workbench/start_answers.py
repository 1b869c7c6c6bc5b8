"""What the first page, the page of faces and the page of the study ask."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response

from dieindex import api
from dieindex.errors import UsageError
from dieindex.records import Circle, Override, Side
from dieindex.workbench import documents
from dieindex.workbench.asked import Asked
from dieindex.workbench.bench import Bench

MOST_FOLDERS = 400

# the first page


def folders(bench: Bench, asked: Asked) -> Any:
    """The folders in a folder, for a person who looks for hers; no files are named."""
    wanted = asked.path_or_none("path")
    place = Path.cwd() if wanted is None else wanted
    try:
        place = place.resolve()
        if not place.is_dir():
            raise UsageError(f"{place}: there is no such folder.")
        found = sorted(
            (each.name for each in place.iterdir() if each.is_dir() and each.name[0] != "."),
            key=str.casefold,
        )
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its links lead round in a circle"
        raise UsageError(f"{place}: cannot be looked into ({reason}).") from error
    return {
        "path": str(place),
        "parent": None if place.parent == place else str(place.parent),
        "folders": found[:MOST_FOLDERS],
        "more": max(0, len(found) - MOST_FOLDERS),
    }


def known(bench: Bench, asked: Asked) -> Any:
    """Indexes that were built, the last one first, and the folder proposed."""
    return {
        "indexes": [str(path) for path in api.built_indexes()],
        "data": None if bench.data is None else str(bench.data),
        "current": str(Path.cwd()),
    }


def recognise(bench: Bench, asked: Asked) -> Any:
    """What a folder would be read as."""
    return documents.recognition(api.recognise(asked.path("data"), **_options(asked)))


def build(bench: Bench, asked: Asked) -> Any:
    """Begin to build; ``again``: what was stopped goes on, as it was asked for."""
    if asked.flag("again") and bench.build is not None:
        last = bench.build
        return documents.build(bench.start_build(last.data, last.index, last.options))
    data, index = asked.path("data"), asked.path_or_none("index")
    return documents.build(bench.start_build(data, index, _options(asked)))


def stop(bench: Bench, asked: Asked) -> Any:
    """Break off the build."""
    bench.stop_build()
    return {}


def open_index(bench: Bench, asked: Asked) -> Any:
    """Put an index under review."""
    bench.open(asked.path("index"))
    return {}


def _options(asked: Asked) -> dict[str, Any]:
    """The options of a build, as the page names them."""
    options: dict[str, Any] = {}
    if asked.flag("no_labels"):
        options["labels"] = False
    elif labels := asked.path_or_none("labels"):
        options["labels"] = labels
    if columns := asked.text_or_none("columns"):
        options["columns"] = columns
    if sheet := asked.text_or_none("sheet"):
        options["sheet"] = sheet
    if asked.text_or_none("side"):
        options["side"] = asked.side()
    return options


# faces


def faces(bench: Bench, asked: Asked) -> Any:
    """Every face on its photograph, and what ``overrides.csv`` says."""
    index = bench.session.index
    found = [documents.photographed(each) for each in api.photographed(index.folder)]
    given = [
        {
            "file": each.file,
            "side": each.side,
            "circle": None
            if each.circle is None
            else [each.circle.x, each.circle.y, each.circle.radius],
            "rotate": each.rotate,
            "swap": each.swap,
            "skip": each.skip,
        }
        for each in api.corrections(index)
    ]
    skipped = [{"file": each["file"], "reason": each["reason"]} for each in index.info()["skipped"]]
    return {"faces": found, "corrections": given, "skipped": skipped}


def correct(bench: Bench, asked: Asked) -> Any:
    """Keep corrections of one photograph, and work on its faces again."""
    index, file = bench.session.index, asked.text("file")
    rows = [_override(file, each) for each in asked.parts("rows")]
    bench.rebuild(lambda: api.correct(index, rows))
    return {}


def _override(file: str, row: Asked) -> Override:
    side: Side | None = None
    if row.text_or_none("side"):
        side = row.side()
    x, y, radius = (row.numeric(name) for name in ("x", "y", "radius"))
    circle = None
    if x is not None and y is not None and radius is not None:
        circle = Circle(x, y, radius)
    elif (x, y, radius) != (None, None, None):
        raise UsageError("A circle needs x, y and radius together.")
    rotate = row.numeric("rotate")
    return Override(
        file, side, circle, rotate or None, swap=row.flag("swap"), skip=row.flag("skip")
    )


# the study


def study(bench: Bench, asked: Asked) -> Any:
    """Counts and estimates of the dies as they are now."""
    found = bench.study().study
    sides = {}
    for side, each in found.sides.items():
        sample, models = each.counts.sample, each.models
        sides[side] = {
            "coins": sample.n,
            "dies": sample.d,
            "singletons": sample.d1,
            "low": None if models is None else models.low,
            "high": None if models is None else models.high,
        }
    return {
        "title": found.material.title,
        "coins": len(found.coins),
        "sides": sides,
        "groups": len(found.groups),
        "links": found.counts.links is not None,
        "default": str(_beside(bench)),
    }


def report(bench: Bench, asked: Asked) -> Response:
    """The report as it stands now. Its own script may run, and no other."""
    found = bench.study()
    scripts = re.findall(r"<script>(.*?)</script>", found.html, re.DOTALL)
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'"
        for each in scripts
    )
    policy = (
        f"default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; "
        f"script-src {digests or chr(39) + 'none' + chr(39)}; frame-ancestors 'self'"
    )
    return HTMLResponse(found.html, headers={"content-security-policy": policy})


def report_picture(bench: Bench, asked: Asked) -> Response:
    """A picture that the report asks for, by its name in the report."""
    found = bench.study().pictures.get(f"pictures/{asked.text('name')}")
    if found is None:
        return Response(status_code=404)
    return Response(found, media_type="image/jpeg")


def export(bench: Bench, asked: Asked) -> Any:
    """Write the study, the workbook of dies, or the verdicts where a person wants them."""
    session, place, kind = bench.session, asked.path("path"), asked.text("kind")
    if kind == "study":
        session.index.study(place, author=asked.text("author", ""))
    elif kind == "workbook":
        found = [session.sorted(side) for side in api.SIDES]
        dies = [each.dies for each in found if each is not None]
        api.write_dies(dies, place, force=asked.flag("force"))
    elif kind == "verdicts":
        session.index.export_reviews(place, force=asked.flag("force"))
    else:
        raise UsageError("kind: study, workbook or verdicts.")
    return {"path": str(place.resolve())}


def _beside(bench: Bench) -> Path:
    """Where a study is proposed to go."""
    name = bench.session.index.folder.resolve().name
    return Path.cwd() / f"study-{name}"
