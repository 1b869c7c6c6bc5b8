"""How a build was asked to read its collection, remembered for the next one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from dieindex.collection.sheets.options import SheetOptions
from dieindex.records import Side
from dieindex.storage.catalogue import Catalogue
from dieindex.text import Message, Parameter

ASKED = "asked"
"""A setting of the index."""


def note_asked(
    catalogue: Catalogue,
    labels: Path | Literal[False] | None,
    options: SheetOptions | None,
    side: Side | None,
) -> list[str]:
    """Remember it, and give what is to be said where the build before was asked for more."""
    given: dict[str, Any] = {
        "labels": str(labels.resolve()) if isinstance(labels, Path) else labels,
        "columns": dict(options.columns) if options and options.columns else None,
        "sheet": options.sheet if options else None,
        "side": side,
    }
    given = {name: value for name, value in given.items() if value is not None}
    before = asked_before(catalogue)
    if given == before:
        return []
    with catalogue.transaction():
        catalogue.set_meta(ASKED, json.dumps(given, ensure_ascii=False) if given else None)
    left = [_parameter(name, before[name]) for name in before if name not in given]
    if not left:
        return []
    listed = [piece for each in left for piece in (", ", each)][1:]
    return [
        Message(
            "The build before was told ", *listed,
            "; this one was not, and reads the collection without. Build again and say it if that "
            "was not meant.",
        )
    ]  # fmt: skip


def asked_before(catalogue: Catalogue) -> dict[str, Any]:
    """The arguments of ``api.build`` that said how the collection is read, as the last build was
    given them."""
    found: dict[str, Any] = json.loads(catalogue.meta(ASKED) or "{}")
    return found


def _parameter(name: str, value: Any) -> Parameter:
    if name == "labels" and value is not False:
        return Parameter(name, Path(value))
    if isinstance(value, Mapping):
        return Parameter(name, ",".join(f"{role}={column}" for role, column in value.items()))
    return Parameter(name, value)
