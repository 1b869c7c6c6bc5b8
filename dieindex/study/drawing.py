"""Simple drawings that come out alike as SVG (for screen, press and editing) and as PNG.

A drawing is a list of shapes in user units, y downwards. Text from outside is escaped in SVG and
drawn as it is in PNG; nothing in a drawing loads anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

from dieindex.marks import UNSEALED, marked, sealed
from dieindex.outputs import NOTHING_READ, Sources, check_output, written_output
from dieindex.records import OBVERSE, REVERSE
from dieindex.text import unturned

INK = "#1c2126"
QUIET = "#6b737b"
RULE = "#d9dde1"
COLOUR = {OBVERSE: "#1f5a8c", REVERSE: "#b3540a"}
PALE = {OBVERSE: "#e3edf5", REVERSE: "#fbeadb"}
"""Blue and orange: told apart with every common kind of colour blindness, and dark in grey too."""
FONT = "'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
SUFFIXES = (".png", ".svg")
MAX_PIXELS = 24_000_000
"""Most pixels of a PNG; a larger drawing is made coarser."""


def clean(text: str) -> str:
    """Text without what neither XML nor HTML may hold."""
    return _CONTROL.sub("\ufffd", text)


def printable(text: str) -> str:
    """Text as Pillow can write it: every kind of blank a blank, a mark for what has no shape."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def escaped(text: str) -> str:
    """Text safe inside an element or a quoted attribute, and for what stands beside it."""
    return escape(unturned(clean(text)), quote=True)


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str = INK
    width: float = 1.0
    dashed: bool = False
    tag: str = ""
    """Attributes of the SVG element, already safe."""


@dataclass(frozen=True)
class Curve:
    """A line through points, closed and filled where ``fill`` is set."""

    points: tuple[tuple[float, float], ...]
    stroke: str | None = INK
    width: float = 1.0
    fill: str | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None
    line: float = 1.0
    radius: float = 0.0
    dashed: bool = False
    tag: str = ""


@dataclass(frozen=True)
class Disc:
    x: float
    y: float
    radius: float
    fill: str | None = None
    stroke: str | None = None
    line: float = 1.0
    dashed: bool = False
    opacity: float = 1.0
    tag: str = ""


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    text: str
    size: float = 11.0
    anchor: str = "start"
    colour: str = INK
    bold: bool = False
    turn: float = 0.0
    """Degrees clockwise about the anchor."""
    halo: bool = False
    tag: str = ""


Shape = Line | Curve | Box | Disc | Text
Ends = tuple[tuple[float, float], tuple[float, float]]


@dataclass
class Drawing:
    """Shapes on a page of ``width`` by ``height`` units."""

    width: float
    height: float
    title: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def svg(
        self,
        *,
        standalone: bool = True,
        attributes: str = "",
        starts: Mapping[int, str] | None = None,
    ) -> str:
        """The drawing as SVG; ``attributes`` (already safe) are added to the root element.

        ``starts`` gives ids to elements that group shapes, by the number of the first shape of
        each (0 among them). Standalone files have a white ground.
        """
        size = f'width="{_n(self.width)}" height="{_n(self.height)}" ' if standalone else ""
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'font-family="{FONT}"{" " + attributes if attributes else ""}>',
            f"<title>{escaped(self.title)}</title>",
        ]
        if standalone:
            lines[:0] = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {UNSEALED} -->"]
            lines.append('<rect width="100%" height="100%" fill="#ffffff"/>')
        for number, shape in enumerate(self.shapes):
            if starts and number in starts:
                lines += ["</g>"] if number else []
                lines.append(f'<g id="{starts[number]}" font-family="{FONT}">')
            lines.append(shape_svg(shape))
        if starts and self.shapes:
            lines.append("</g>")
        lines.append("</svg>")
        text = "\n".join(lines) + "\n"
        return sealed(text.encode("utf-8")).decode("utf-8") if standalone else text

    def png(self, scale: float = 2.0) -> bytes:
        """The drawing as PNG on white, ``scale`` pixels a unit (fewer where it is very large)."""
        fine = 2  # drawn twice as fine and reduced, which makes lines smooth
        pixels = self.width * self.height * (scale * fine) ** 2
        if pixels > MAX_PIXELS * fine**2:
            scale *= (MAX_PIXELS * fine**2 / pixels) ** 0.5
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        canvas = Image.new("RGB", (size[0] * fine, size[1] * fine), "#ffffff")
        _paint(canvas, self.shapes, scale * fine)
        canvas = canvas.resize(size, Image.Resampling.BOX)
        return marked(canvas, "PNG", dpi=(96 * scale, 96 * scale))

    def save(self, path: Path, *, force: bool = False, sources: Sources = NOTHING_READ) -> None:
        """Write the drawing as .png or .svg. Raises as ``outputs.check_output``."""
        check_output(path, SUFFIXES, force=force, sources=sources)
        as_svg = path.suffix.lower() == ".svg"
        content = self.svg().encode("utf-8") if as_svg else self.png()
        with written_output(path, SUFFIXES, force=force, sources=sources) as temporary:
            temporary.write_bytes(content)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shape_svg(shape: Shape) -> str:
    """One shape as an SVG element."""
    if isinstance(shape, Line):
        return (
            f'<line x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}" '
            f'y2="{_n(shape.y2)}" stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"'
            f"{_dash(shape.dashed)} {shape.tag}/>"
        )
    if isinstance(shape, Curve):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
        kind = "polygon" if shape.fill else "polyline"
        opacity = f' opacity="{_n(shape.opacity)}"' if shape.opacity < 1 else ""
        return (
            f'<{kind} points="{points}" fill="{shape.fill or "none"}" '
            f'stroke="{shape.stroke or "none"}" stroke-width="{_n(shape.width)}" '
            f'stroke-linejoin="round"{opacity}/>'
        )
    if isinstance(shape, Box):
        return (
            f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" '
            f'height="{_n(shape.height)}" rx="{_n(shape.radius)}" fill="{shape.fill or "none"}" '
            f'stroke="{shape.stroke or "none"}" stroke-width="{_n(shape.line)}"'
            f"{_dash(shape.dashed)} {shape.tag}/>"
        )
    if isinstance(shape, Disc):
        opacity = f' opacity="{_n(shape.opacity)}"' if shape.opacity < 1 else ""
        return (
            f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}" '
            f'fill="{shape.fill or "none"}" stroke="{shape.stroke or "none"}" '
            f'stroke-width="{_n(shape.line)}"{_dash(shape.dashed)}{opacity} {shape.tag}/>'
        )
    turn = (
        f' transform="rotate({_n(shape.turn)} {_n(shape.x)} {_n(shape.y)})"' if shape.turn else ""
    )
    halo = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"' if shape.halo else ""
    weight = ' font-weight="600"' if shape.bold else ""
    return (
        f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" '
        f'text-anchor="{shape.anchor}" fill="{shape.colour}"{weight}{halo}{turn} {shape.tag}>'
        f"{escaped(shape.text)}</text>"
    )


def _dash(dashed: bool) -> str:
    return ' stroke-dasharray="4 3"' if dashed else ""


# --- PNG --------------------------------------------------------------------------------------


def _paint(canvas: Image.Image, shapes: Sequence[Shape], k: float) -> None:
    draw = ImageDraw.Draw(canvas, "RGBA")
    for shape in shapes:
        if isinstance(shape, Line):
            ends = ((shape.x1 * k, shape.y1 * k), (shape.x2 * k, shape.y2 * k))
            _stroke(draw, ends, shape.stroke, shape.width * k, shape.dashed, k)
        elif isinstance(shape, Curve):
            points = [(x * k, y * k) for x, y in shape.points]
            if shape.fill:
                draw.polygon(points, fill=_rgba(shape.fill, shape.opacity))
                points.append(points[0])
            if shape.stroke:
                draw.line(points, _rgba(shape.stroke, shape.opacity), _w(shape.width * k), "curve")
        elif isinstance(shape, Box):
            corners = [shape.x * k, shape.y * k, (shape.x + shape.width) * k,
                       (shape.y + shape.height) * k]  # fmt: skip
            if corners[2] > corners[0] and corners[3] > corners[1]:
                outline = None if shape.dashed else shape.stroke
                line = _w(shape.line * k)
                draw.rounded_rectangle(corners, shape.radius * k, shape.fill, outline, line)
                if shape.dashed and shape.stroke:
                    left, top, right, bottom = corners
                    turns = [(left, top), (right, top), (right, bottom), (left, bottom)]
                    for ends in pairwise([*turns, turns[0]]):
                        _stroke(draw, ends, shape.stroke, shape.line * k, True, k)
        elif isinstance(shape, Disc):
            around = [(shape.x - shape.radius) * k, (shape.y - shape.radius) * k,
                      (shape.x + shape.radius) * k, (shape.y + shape.radius) * k]  # fmt: skip
            fill = _rgba(shape.fill, shape.opacity) if shape.fill else None
            line = _w(shape.line * k)
            draw.ellipse(around, fill, None if shape.dashed else shape.stroke, line)
            if shape.dashed and shape.stroke:
                turn = math.degrees(7.0 / shape.radius)
                for i in range(round(360 / turn)):
                    draw.arc(around, i * turn, (i + 4 / 7) * turn, shape.stroke, line)
        else:
            _write(canvas, draw, shape, k)


def _w(width: float) -> int:
    return max(1, round(width))


def _rgba(colour: str, opacity: float) -> tuple[int, int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue, round(255 * opacity)


def _stroke(
    draw: ImageDraw.ImageDraw, ends: Ends, colour: str, width: float, dashed: bool, k: float
) -> None:
    (x1, y1), (x2, y2) = ends
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-6)
    if not dashed:
        draw.line([(x1, y1), (x2, y2)], colour, _w(width))
        return
    step, on = 7 * k, 4 * k
    for i in range(int(length / step) + 1):
        a, b = i * step / length, min((i * step + on) / length, 1.0)
        draw.line(
            [(x1 + (x2 - x1) * a, y1 + (y2 - y1) * a), (x1 + (x2 - x1) * b, y1 + (y2 - y1) * b)],
            colour,
            _w(width),
        )


def _write(canvas: Image.Image, draw: ImageDraw.ImageDraw, shape: Text, k: float) -> None:
    font = font_of(round(shape.size * k))
    text = printable(shape.text)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
    stroke = round(1.5 * k) if shape.halo else (max(1, round(k * 0.2)) if shape.bold else 0)
    edge = "#ffffff" if shape.halo else shape.colour
    if not shape.turn:
        draw.text(
            (shape.x * k, shape.y * k), text, shape.colour, font, anchor,
            stroke_width=stroke, stroke_fill=edge,
        )  # fmt: skip
        return
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font, anchor=anchor)
    stamp = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 0)
    ImageDraw.Draw(stamp).text((1 - left, 1 - top), text, 255, font, anchor)
    middle_x, middle_y = left - 1 + stamp.width / 2, top - 1 + stamp.height / 2
    stamp = stamp.rotate(-shape.turn, Image.Resampling.BILINEAR, expand=True)
    cos, sin = math.cos(math.radians(shape.turn)), math.sin(math.radians(shape.turn))
    x = shape.x * k + middle_x * cos - middle_y * sin - stamp.width / 2
    y = shape.y * k + middle_x * sin + middle_y * cos - stamp.height / 2
    canvas.paste(Image.new("RGB", stamp.size, shape.colour), (round(x), round(y)), stamp)


@cache
def font_of(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Pillow's own font, so that a drawing looks the same on every machine."""
    return ImageFont.load_default(max(size, 4))
