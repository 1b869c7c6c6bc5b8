"""dieindex: which coins were struck by the same die."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dieindex.errors import (
    AlignmentError,
    CollectionError,
    DieIndexError,
    EncoderError,
    IndexFolderError,
    MintError,
    PictureError,
    RefitError,
    SheetError,
    TrainingError,
    UsageError,
)
from dieindex.version import VERSION as __version__

if TYPE_CHECKING:
    from dieindex.api import (
        Comparison,
        Dies,
        Index,
        Pairs,
        build,
        compare,
        cut_faces,
        open_index,
        pairs_of_embeddings,
        pairs_of_faces,
        study_table,
        write_dies,
    )
    from dieindex.records import Face, Review, Verdict

__all__ = [
    "AlignmentError",
    "CollectionError",
    "Comparison",
    "DieIndexError",
    "Dies",
    "EncoderError",
    "Face",
    "Index",
    "IndexFolderError",
    "MintError",
    "Pairs",
    "PictureError",
    "RefitError",
    "Review",
    "SheetError",
    "TrainingError",
    "UsageError",
    "Verdict",
    "__version__",
    "build",
    "compare",
    "cut_faces",
    "open_index",
    "pairs_of_embeddings",
    "pairs_of_faces",
    "study_table",
    "write_dies",
]
_RECORDS = frozenset({"Face", "Review", "Verdict"})

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # The command's help must not wait for NumPy and what comes behind it.
    if name not in __all__:
        raise AttributeError(f"module 'dieindex' has no attribute {name!r}")
    from dieindex import api, records

    return getattr(records if name in _RECORDS else api, name)


def __dir__() -> list[str]:
    return __all__
