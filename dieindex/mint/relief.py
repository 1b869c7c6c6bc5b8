"""The relief of a die: the height map every stage of the mint works on.

The die frame is the square ``[-RELIEF_SPAN, RELIEF_SPAN]²``, x to the right and y down, as the
design is seen on the struck coin (not mirrored). The unit of length and of height is the nominal
radius of the flan.
"""

from __future__ import annotations

from dataclasses import dataclass

from dieindex.records import Floats32

RELIEF_SIZE = 512
"""Edge of a relief's square map, pixels."""
RELIEF_SPAN = 1.2
"""Half the edge of the die frame, in nominal flan radii."""
FULL_DEPTH = 0.17
"""What the metal of a sound blow fills, in nominal flan radii."""


@dataclass(frozen=True, eq=False)
class DieRelief:
    """What a die strikes.

    ``height`` ``(RELIEF_SIZE, RELIEF_SIZE)`` float32 is in flan radii: 0 is the field of the coin,
    positive is raised on the coin. ``design`` of the same shape lies in 0…1 and says where the die
    shows something beyond plain field. ``radius`` is that of the die's working face in the die
    frame: the flan beyond it is not struck. ``type_key`` and ``die_key`` name type and die; a recut
    die keeps its ``die_key`` and has a higher ``state``. ``depth`` is how
    deep its main forms are cut: a shallow die is lost by less wear, and by a less weak blow.
    """

    height: Floats32
    design: Floats32
    radius: float
    type_key: str
    die_key: str
    state: int
    depth: float = FULL_DEPTH
