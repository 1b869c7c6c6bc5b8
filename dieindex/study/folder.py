"""Write a study as one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from pathlib import Path
from threading import Event

from dieindex.errors import DieIndexError
from dieindex.outputs import LISTS, NOTHING_READ, Sources
from dieindex.records import Progress
from dieindex.study.analysis import Study
from dieindex.study.charts import (
    accumulation_chart,
    axis_rose,
    certainty_chart,
    estimates_chart,
    frequency_chart,
    weights_chart,
)
from dieindex.study.drawing import Drawing
from dieindex.study.graphs import gexf, graphml
from dieindex.study.link_chart import Chart, draw_chart
from dieindex.study.linked_data import json_ld
from dieindex.study.pair_chart import pair_chart
from dieindex.study.placing import FOLDERS, check_study_folder, placed_study
from dieindex.study.plates import draw_plates
from dieindex.study.printed_catalogue import markdown
from dieindex.study.report import render
from dieindex.study.study_tables import (
    DIE_HEADER,
    REVIEW_HEADER,
    as_csv,
    coin_header,
    coin_rows,
    die_rows,
    review_rows,
    write_workbook,
)
from dieindex.study.word_document import write_word
from dieindex.text import Parameter
from dieindex.workers import side_by_side

REVIEWS = "reviews.csv"
FILES = (
    "report.html", "study.xlsx", "dies.csv", "coins.csv", "links.graphml", "links.gexf",
    "links.svg", "links.png", "catalogue.md", "study.jsonld", "catalogue.docx",
)  # fmt: skip
"""What every study holds at the top of its folder."""


def write_study(
    study: Study,
    out: Path,
    progress: Progress | None = None,
    sources: Sources = NOTHING_READ,
) -> list[Path]:
    """Write all files of a study into the folder ``out``, made where it is not there.

    All is written beside first and then moved into place; what an earlier study wrote goes, other
    files in the folder stay (see ``placing``). Gives the files written. Raises UsageError where
    ``out`` is a file, or something in it is in the way, DieIndexError where it cannot be written.
    """
    check_out(out, sources)
    try:
        with placed_study(out, sources) as beside:
            stop = Event()
            with side_by_side() as pool:
                steps = [pool.submit(step) for step in _steps(study, beside, stop)]
                try:
                    for number, step in enumerate(as_completed(steps)):
                        if progress:
                            progress("study", number, len(steps))
                        step.result()
                except BaseException:
                    stop.set()
                    raise
            if progress:
                progress("study", len(steps), len(steps))
            written = sorted(path.name for path in beside.iterdir())
    except OSError as error:
        raise DieIndexError(
            f"{out}: cannot be written ({error.strerror or error}); choose another folder with ",
            Parameter("out", "DIR"),
            ", or free some space.",
        ) from error
    return [out / name for name in written if name not in LISTS]


def check_out(out: Path, sources: Sources) -> None:
    """Raise UsageError where a study must not be written, as far as it can be told before: see
    ``placing.check_study_folder``."""
    check_study_folder(out, (*FILES, *FOLDERS), sources)


def chart_of(study: Study) -> Chart:
    """The chart of a study's die links."""
    return draw_chart(
        study.groups,
        {side: each.counts.coins_of for side, each in study.sides.items()},
        study.doubtful_links,
        f"Die links: {study.material.title}",
        study.ids,
    )


def _steps(study: Study, out: Path, stop: Event) -> Iterator[Callable[[], object]]:
    """What is written, in pieces that do not depend on each other; the longest looks whether it is
    to ``stop``."""
    chart = chart_of(study)

    def write_plates_and_report() -> None:
        plates = 0
        for plate in draw_plates(study):
            if stop.is_set():
                return
            (out / "plates").mkdir(exist_ok=True)
            name = f"plate-{plate.number:03d}-{plate.side}.jpg"
            (out / "plates" / name).write_bytes(plate.jpeg)
            plates += 1
        page = render(study, chart, plates)
        _text(out / "report.html", page.html)
        for path, jpeg in page.pictures.items():
            (out / path).parent.mkdir(exist_ok=True)
            (out / path).write_bytes(jpeg)

    yield write_plates_and_report
    yield lambda: write_workbook(study, out / "study.xlsx")
    yield lambda: _text(out / "dies.csv", as_csv(DIE_HEADER, die_rows(study)))
    yield lambda: _text(out / "coins.csv", as_csv(coin_header(study), coin_rows(study)))
    if study.material.reviews:
        yield lambda: _text(out / REVIEWS, as_csv(REVIEW_HEADER, review_rows(study)))
    yield lambda: (out / "links.graphml").write_bytes(graphml(study))
    yield lambda: (out / "links.gexf").write_bytes(gexf(study, chart))
    yield lambda: _write_chart(chart, out)
    yield lambda: _write_charts(study, out / "charts")
    yield lambda: _text(out / "catalogue.md", markdown(study))
    yield lambda: _text(out / "study.jsonld", json_ld(study))
    yield lambda: write_word(study, out / "catalogue.docx")


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _write_chart(chart: Chart, out: Path) -> None:
    _text(out / "links.svg", chart.drawing.svg())
    (out / "links.png").write_bytes(chart.drawing.png())


def _write_charts(study: Study, out: Path) -> None:
    out.mkdir()
    for name, drawing in _charts(study):
        if drawing is not None:
            _text(out / f"{name}.svg", drawing.svg())
            (out / f"{name}.png").write_bytes(drawing.png())


def _charts(study: Study) -> Iterator[tuple[str, Drawing | None]]:
    for side, each in study.sides.items():
        sample = each.counts.sample
        yield f"frequency-{side}", frequency_chart(each.counts)
        yield f"accumulation-{side}", accumulation_chart(each.counts, each.estimates)
        found, resampled = each.estimates, each.doubts.estimates
        yield f"estimates-{side}", estimates_chart(side, sample.d, found, resampled)
        yield f"weights-{side}", weights_chart(side, study.weights_of(side))
        yield f"certainty-{side}", certainty_chart(side, study.certainties_of(side))
    axes = [known.axis for known in study.known.values() if known.axis is not None]
    yield "axes", axis_rose(axes)
    for side, spread in study.material.spreads.items():
        yield f"scores-{side}", pair_chart({side: spread})
