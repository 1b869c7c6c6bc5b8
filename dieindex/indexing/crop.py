"""Cropping: new and changed photographs are read, their faces cut out and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from dieindex.collection.faces import sides_look_alike
from dieindex.collection.photographs import cut_decoded
from dieindex.collection.pictures import read_picture
from dieindex.collection.splitting import CUT_APART
from dieindex.errors import PictureError, is_out_of_memory
from dieindex.files import content_hash
from dieindex.indexing.plan import Task, note_mixed_sides
from dieindex.records import Photograph, Progress
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import PackedFace, pack_face
from dieindex.workers import in_order

STEP = "cropping"
TOGETHER = 8
"""Photographs recorded at one time, all or none of them."""
A_CALL = 4
"""Photographs that a worker crops at one time, where there are plenty: an answer of a cluster takes
as long as a tenth of one."""
_PLENTY = 64
"""Photographs a worker from which on there are."""


@dataclass(frozen=True, eq=False)
class _Outcome:
    task: Task
    size: int
    mtime_ns: int
    sha256: str
    faces: tuple[PackedFace, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()
    same_content: bool = False


def crop_photographs(
    catalogue: Catalogue,
    data: Path,
    tasks: Sequence[Task],
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Read the photographs of ``tasks``, crop and keep their faces; gives how many were read.

    ``progress`` is called with photographs done and to do.
    """

    def calls() -> Iterator[tuple[Any, ...]]:
        step = A_CALL if len(tasks) >= _PLENTY * jobs else 1
        for start in range(0, len(tasks), step):
            part = tasks[start : start + step]
            yield _crop_some, part, *(data / task.photograph.file for task in part)

    done = 0
    group: list[_Outcome] = []
    outcomes = in_order(pool, jobs, calls(), waiting=3 * jobs)
    for outcome in chain.from_iterable(outcomes):
        group.append(outcome)
        if len(group) == TOGETHER or done + len(group) == len(tasks):
            _record(catalogue, group)
            done += len(group)
            group = []
            if progress is not None:
                progress(STEP, done, len(tasks))
    return done


def _crop_some(tasks: Sequence[Task], *paths: Path) -> list[_Outcome]:
    return [_crop(path, task) for path, task in zip(paths, tasks, strict=True)]


def _crop(path: Path, task: Task) -> _Outcome:
    """Read one photograph and crop its faces; whatever is wrong with it is its outcome."""
    photograph = task.photograph
    try:
        status = path.stat()
        content = task.sha256 or content_hash(path)
        outcome = _Outcome(task, status.st_size, status.st_mtime_ns, content)
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); correct its permissions or remove it"
        return _Outcome(task, 0, 0, "", reason=reason)
    known = task.known
    if known is not None and (known.sha256, known.hints) == (outcome.sha256, task.hints):
        return replace(outcome, same_content=True)
    try:
        faces, notes = _faces_and_notes(path, photograph)
        return replace(outcome, faces=faces, notes=notes)
    except PictureError as error:
        # The list of skipped pictures names the file already.
        reason = str(error)
        for name in (str(path), path.name):
            reason = reason.removeprefix(f"{name}: ")
        return replace(outcome, reason=reason)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return replace(outcome, reason="too large for the memory that is left; make it smaller")


def _faces_and_notes(
    path: Path, photograph: Photograph
) -> tuple[tuple[PackedFace, ...], tuple[str, ...]]:
    decoded = read_picture(path)
    faces = tuple(cut_decoded(decoded, photograph, path.name))
    notes = []
    if decoded.pages > 1:
        notes.append("pages")
    if any(CUT_APART in (face.flan.reason or "") for face in faces):
        notes.append("several")
    elif len(faces) == 1 and photograph.side is None:
        notes.append("side")
    if len(faces) == 2 and sides_look_alike(*faces):
        notes.append("alike")
    return tuple(pack_face(face) for face in faces), tuple(notes)


def _record(catalogue: Catalogue, outcomes: Sequence[_Outcome]) -> None:
    """Record a group of photographs, all or none of them."""
    with catalogue.transaction():
        for outcome in outcomes:
            task = outcome.task
            photograph = task.photograph
            if outcome.same_content:
                known = task.known
                state = "done" if known is None or known.reason is None else "skipped"
                catalogue.update_photograph(
                    photograph.file,
                    coin=photograph.coin,
                    size=outcome.size,
                    mtime_ns=outcome.mtime_ns,
                    hints=task.hints,
                    state=state,
                )
                continue
            changed_side = catalogue.put_photograph(
                file=photograph.file,
                coin=photograph.coin,
                size=outcome.size,
                mtime_ns=outcome.mtime_ns,
                sha256=outcome.sha256,
                hints=task.hints,
                reason=outcome.reason,
                notes=outcome.notes,
                faces=outcome.faces,
            )
            if changed_side:
                note_mixed_sides(catalogue)
