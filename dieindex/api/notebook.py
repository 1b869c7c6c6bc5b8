"""Results in a notebook: small tables with small pictures, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from dieindex.records import Face

EDGE = 128
"""Edge of a picture in a table, pixels: some 5 kB each."""
MOST_ROWS = 40
_PAPER = 250
_STYLE = "padding:2px 8px;text-align:left;vertical-align:middle"


@dataclass(frozen=True)
class Html:
    """Text that is HTML already."""

    text: str


Content = str | int | float | None | Html


def table(header: Sequence[str], rows: Iterable[Sequence[Content]], caption: str = "") -> str:
    """An HTML table of at most ``MOST_ROWS`` rows; how many more there are is said below."""
    listed = list(rows)
    lines = [f"<p><b>{escape(caption)}</b></p>"] if caption else []
    lines += ["<table>", _row("th", header)]
    lines += [_row("td", row) for row in listed[:MOST_ROWS]]
    lines.append("</table>")
    if len(listed) > MOST_ROWS:
        lines.append(f"<p>… and {len(listed) - MOST_ROWS} more</p>")
    return "\n".join(lines)


def image(face: Face) -> Html:
    """A face as a picture inside the page, on paper where it is off the flan."""
    return Html(
        f'<img alt="{escape(face.side)}" width="{EDGE}" height="{EDGE}" src="{data_uri(face)}"/>'
    )


def data_uri(face: Face) -> str:
    """A face as a small JPEG in text."""
    import cv2

    kept = np.where(face.mask[..., None], face.picture, np.uint8(_PAPER))
    small = cv2.resize(kept, (EDGE, EDGE), interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode('ascii')}"


def _row(tag: str, cells: Sequence[Content]) -> str:
    return "<tr>" + "".join(f'<{tag} style="{_STYLE}">{_text(c)}</{tag}>' for c in cells) + "</tr>"


def _text(content: Content) -> str:
    if isinstance(content, Html):
        return content.text
    if content is None:
        return ""
    return f"{content:.3f}" if isinstance(content, float) else escape(str(content))
