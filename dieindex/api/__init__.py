"""dieindex in Python: build an index, ask it, cluster it, score it.

>>> import dieindex as di
>>> index = di.build("data/")
>>> index.compare("12", "57").obverse.verdict
>>> dies = index.cluster("obverse")
>>> dies.score("dies.xlsx")

A part is loaded when it is asked for: who clusters needs no workbench.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dieindex.api.arranging import held, merged, moved, surest_first
    from dieindex.api.arrays import pairs_of_embeddings, pairs_of_faces
    from dieindex.api.building import BuildReport, build, build_options
    from dieindex.api.comparing import compare
    from dieindex.api.comparison import Comparison
    from dieindex.api.correcting import correct, corrections
    from dieindex.api.cutting import cut_faces, is_picture_name
    from dieindex.api.desk import Candidate, Desk, Opinion, ShownCoin, ShownPair
    from dieindex.api.die_cards import DieCard, board
    from dieindex.api.dies import Dies
    from dieindex.api.face_pictures import (
        AROUND,
        MOST_IN_MEAN,
        Photographed,
        large_face,
        mean_face,
        moved_face,
        photograph,
        photographed,
        small_face,
    )
    from dieindex.api.finding import Found, LikelyDie, picture_of_found
    from dieindex.api.index import Index, find_index, open_index
    from dieindex.api.labelled import labelled_faces, use_weights
    from dieindex.api.labels import read_labels
    from dieindex.api.naming import name_die
    from dieindex.api.overview import alignment_of, draw_frames, draw_photographs, index_of
    from dieindex.api.pairs import Pairs, check_pairs_table
    from dieindex.api.reader import sources_of_folder
    from dieindex.api.recognition import Recognition, recognise
    from dieindex.api.review_queue import KINDS, Item, Kind, filtered
    from dieindex.api.review_records import author, review_line, reviews, reviews_csv, write_reviews
    from dieindex.api.session import ReviewSession
    from dieindex.api.sorting import Sorted
    from dieindex.api.specimens import OneSpecimen, write_specimens
    from dieindex.api.studying import LiveStudy, live_study, study_table
    from dieindex.api.verdicts import COMPARE_PRIOR
    from dieindex.api.workbook import SCORE_NAMES, check_table, write_dies
    from dieindex.encoder.encode import DEVICES, choose_device
    from dieindex.records import SIDES
    from dieindex.review.disagreements import Disagreement, disagreements
    from dieindex.review.moves import Arrangement
    from dieindex.review.verdicts import ONE_COIN, is_taken_back, latest
    from dieindex.storage.folder import built_indexes, default_index_folder
    from dieindex.study.analysis import Study

_HOME = {
    "dieindex.api.arranging": "held merged moved surest_first",
    "dieindex.api.arrays": "pairs_of_embeddings pairs_of_faces",
    "dieindex.api.die_cards": "DieCard board",
    "dieindex.api.building": "BuildReport build build_options",
    "dieindex.api.comparing": "compare",
    "dieindex.api.comparison": "Comparison",
    "dieindex.api.correcting": "correct corrections",
    "dieindex.api.cutting": "cut_faces is_picture_name",
    "dieindex.api.desk": "Candidate Desk Opinion ShownCoin ShownPair",
    "dieindex.api.dies": "Dies",
    "dieindex.api.face_pictures": (
        "AROUND MOST_IN_MEAN Photographed large_face mean_face moved_face photograph photographed"
        " small_face"
    ),
    "dieindex.api.finding": "Found LikelyDie picture_of_found",
    "dieindex.api.index": "Index find_index open_index",
    "dieindex.api.labelled": "labelled_faces use_weights",
    "dieindex.api.labels": "read_labels",
    "dieindex.api.naming": "name_die",
    "dieindex.api.overview": "alignment_of draw_frames draw_photographs index_of",
    "dieindex.api.pairs": "Pairs check_pairs_table",
    "dieindex.api.reader": "sources_of_folder",
    "dieindex.api.recognition": "Recognition recognise",
    "dieindex.api.review_queue": "Item KINDS Kind filtered",
    "dieindex.api.review_records": "author review_line reviews reviews_csv write_reviews",
    "dieindex.api.session": "ReviewSession",
    "dieindex.api.sorting": "Sorted",
    "dieindex.api.specimens": "OneSpecimen write_specimens",
    "dieindex.api.studying": "LiveStudy live_study study_table",
    "dieindex.api.verdicts": "COMPARE_PRIOR",
    "dieindex.api.workbook": "SCORE_NAMES check_table write_dies",
    "dieindex.encoder.encode": "DEVICES choose_device",
    "dieindex.records": "SIDES",
    "dieindex.review.disagreements": "Disagreement disagreements",
    "dieindex.review.moves": "Arrangement",
    "dieindex.review.verdicts": "ONE_COIN is_taken_back latest",
    "dieindex.storage.folder": "built_indexes default_index_folder",
    "dieindex.study.analysis": "Study",
}
"""Where each name lives, by module."""


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names.split():
            found = getattr(import_module(module), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "AROUND",
    "COMPARE_PRIOR",
    "DEVICES",
    "KINDS",
    "MOST_IN_MEAN",
    "ONE_COIN",
    "SCORE_NAMES",
    "SIDES",
    "Arrangement",
    "BuildReport",
    "Candidate",
    "Comparison",
    "Desk",
    "DieCard",
    "Dies",
    "Disagreement",
    "Found",
    "Index",
    "Item",
    "Kind",
    "LikelyDie",
    "LiveStudy",
    "OneSpecimen",
    "Opinion",
    "Pairs",
    "Photographed",
    "Recognition",
    "ReviewSession",
    "ShownCoin",
    "ShownPair",
    "Sorted",
    "Study",
    "alignment_of",
    "author",
    "board",
    "build",
    "build_options",
    "built_indexes",
    "check_pairs_table",
    "check_table",
    "choose_device",
    "compare",
    "correct",
    "corrections",
    "cut_faces",
    "default_index_folder",
    "disagreements",
    "draw_frames",
    "draw_photographs",
    "filtered",
    "find_index",
    "held",
    "index_of",
    "is_picture_name",
    "is_taken_back",
    "labelled_faces",
    "large_face",
    "latest",
    "live_study",
    "mean_face",
    "merged",
    "moved",
    "moved_face",
    "name_die",
    "open_index",
    "pairs_of_embeddings",
    "pairs_of_faces",
    "photograph",
    "photographed",
    "picture_of_found",
    "read_labels",
    "recognise",
    "review_line",
    "reviews",
    "reviews_csv",
    "small_face",
    "sources_of_folder",
    "study_table",
    "surest_first",
    "use_weights",
    "write_dies",
    "write_reviews",
    "write_specimens",
]
