"""The mark inside every picture that dieindex draws, by which no build takes it for a photograph.

It stands where the format keeps the name of the program that made a file, in its first or last
bytes, so that it is found without decoding anything; it goes with the file wherever it is copied,
whatever it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

PICTURE_MARK = "dieindex"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""The formats that pictures are drawn in, by the end of their name."""
_SOFTWARE = 0x0131
_PROBE = 1024
"""Bytes of a file's beginning, and of its end, in which the mark stands."""
_IN_PNG = b"Software\0" + PICTURE_MARK.encode()
_IN_JPEG = b"\xff\xfe" + (len(PICTURE_MARK) + 2).to_bytes(2, "big") + PICTURE_MARK.encode()
_IN_WEBP = b"\0" + PICTURE_MARK.encode() + b"\0"


def save_marked(image: Image.Image, to: Path | IO[bytes], kind: str, **options: Any) -> None:
    """Save a picture of Pillow's as PNG, JPEG or WEBP, with the mark inside."""
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Software", PICTURE_MARK)
    elif kind == "JPEG":
        options["comment"] = PICTURE_MARK
    else:
        from PIL import Image

        options["exif"] = Image.Exif()
        options["exif"][_SOFTWARE] = PICTURE_MARK
    image.save(to, kind, **options)


def marked_jpeg(jpeg: bytes) -> bytes:
    """A JPEG with the mark, behind the header that JFIF wants first."""
    place = 2
    if jpeg[2:4] == b"\xff\xe0":
        place += 2 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:place] + _IN_JPEG + jpeg[place:]


def is_own_picture(path: Path | str) -> bool:
    """Whether dieindex drew the picture; False where it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (100,000 files)
            head = stream.read(_PROBE)
            if head.startswith(b"\x89PNG"):
                return _IN_PNG in head
            if head.startswith(b"\xff\xd8\xff"):
                return _IN_JPEG in head
            if not head.startswith(b"RIFF"):
                return False
            stream.seek(-min(_PROBE, stream.seek(0, 2)), 2)
            tail = stream.read(_PROBE)
            return b"EXIF" in tail and _IN_WEBP in tail[tail.index(b"EXIF") :]
    except OSError:
        return False
