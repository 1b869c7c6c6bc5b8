"""The frames of an index: one a type and side, by number from 0. One may be made again
of more faces; where faces lie on it stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dieindex.records import Side, Vectors
from dieindex.storage.settings import SettingTable

if TYPE_CHECKING:
    from dieindex.alignment.frames import Frame


_COMPETITORS, _WHOLE, _HALVED = "competitors", "<f4", "<f2"
"""The setting that says how competitors are kept where they are not whole."""


class FrameTable(SettingTable):
    """The frames in an open catalogue."""

    def frame_count(self, side: Side) -> int:
        """How many frames a side has."""
        return int(self.value("SELECT count(*) FROM frames WHERE side = ?", (side,)))

    def frame_numbers(self, side: Side) -> list[int]:
        """The numbers of a side's frames, rising."""
        rows = self.rows("SELECT number FROM frames WHERE side = ? ORDER BY number", (side,))
        return [row[0] for row in rows]

    def frames(self, side: Side) -> list[Frame]:
        """The frames of a side, by number."""
        rows = self.rows("SELECT frame FROM frames WHERE side = ? ORDER BY number", (side,))
        if not rows:
            return []
        from dieindex.alignment.frames import Frame  # (loads OpenCV)

        return [Frame.from_bytes(row[0]) for row in rows]

    def add_frames(self, side: Side, frames: Sequence[Frame], first: int) -> None:
        """Keep new frames under the numbers from ``first``."""
        self.write_many(
            "INSERT INTO frames (side, number, frame) VALUES (?, ?, ?)",
            [(side, number, frame.to_bytes()) for number, frame in enumerate(frames, first)],
        )

    def replace_frame(self, side: Side, number: int, frame: Frame) -> None:
        """Keep a frame that was made again."""
        self.write(
            "UPDATE frames SET frame = ? WHERE side = ? AND number = ?",
            (frame.to_bytes(), side, number),
        )

    def competitors(self, side: Side) -> dict[int, Vectors]:
        """Raw vectors ``(r, dimension)`` with which faces of each frame compete, by its number."""
        dimension = self.dimension()
        kind = _HALVED if self.meta(_COMPETITORS) == _HALVED else _WHOLE
        rows = self.rows(
            "SELECT number, competitors FROM frames WHERE side = ? AND competitors IS NOT NULL",
            (side,),
        )
        return {
            number: np.frombuffer(kept, kind).astype(np.float32, copy=False).reshape(-1, dimension)
            for number, kept in rows
        }

    def halve_competitors(self) -> None:
        """Keep those of all frames in half the room, to three digits (to be given away)."""
        rows = self.rows(
            "SELECT side, number, competitors FROM frames WHERE competitors IS NOT NULL"
        )
        for side, number, kept in rows:
            halved = np.frombuffer(kept, _WHOLE).astype(_HALVED).tobytes()
            self.write(
                "UPDATE frames SET competitors = ? WHERE side = ? AND number = ?",
                (halved, side, number),
            )
        self.set_meta(_COMPETITORS, _HALVED)

    def put_competitors(self, side: Side, frame: int, raw: Vectors) -> None:
        """Keep those with which faces of a frame compete."""
        self.write(
            "UPDATE frames SET competitors = ? WHERE side = ? AND number = ?",
            (raw.astype(_WHOLE).tobytes(), side, frame),
        )
