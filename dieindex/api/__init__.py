"""dieindex in Python: build an index, ask it, cluster it, score it.

>>> import dieindex as di
>>> index = di.build("data/")
>>> index.compare("12", "57").obverse.verdict
>>> dies = index.cluster("obverse")
>>> dies.score("dies.xlsx")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dieindex.api.arrays import pairs_of_embeddings, pairs_of_faces
from dieindex.api.building import BuildReport, build
from dieindex.api.comparing import compare
from dieindex.api.comparison import Comparison
from dieindex.api.cutting import cut_faces, is_picture_name
from dieindex.api.dies import Dies
from dieindex.api.index import Index, find_index, open_index
from dieindex.api.labelled import labelled_faces, use_weights
from dieindex.api.labels import read_labels
from dieindex.api.overview import alignment_of, draw_frames, draw_photographs
from dieindex.api.pairs import Pairs, check_pairs_table
from dieindex.api.reader import sources_of_folder
from dieindex.api.reviews import review_line, reviews, write_reviews
from dieindex.api.studying import study_table
from dieindex.api.verdicts import COMPARE_PRIOR
from dieindex.api.workbook import SCORE_NAMES, check_table, write_dies
from dieindex.encoder.encode import DEVICES, choose_device

if TYPE_CHECKING:
    from dieindex.study.analysis import Study

__all__ = [
    "COMPARE_PRIOR",
    "DEVICES",
    "SCORE_NAMES",
    "BuildReport",
    "Comparison",
    "Dies",
    "Index",
    "Pairs",
    "Study",
    "alignment_of",
    "build",
    "check_pairs_table",
    "check_table",
    "choose_device",
    "compare",
    "cut_faces",
    "draw_frames",
    "draw_photographs",
    "find_index",
    "is_picture_name",
    "labelled_faces",
    "open_index",
    "pairs_of_embeddings",
    "pairs_of_faces",
    "read_labels",
    "review_line",
    "reviews",
    "sources_of_folder",
    "study_table",
    "use_weights",
    "write_dies",
    "write_reviews",
]
