"""Cropping: new and changed photographs are read, their faces cut out and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dieindex.collection.faces import sides_look_alike
from dieindex.collection.photographs import cut_decoded
from dieindex.collection.pictures import read_picture
from dieindex.collection.splitting import CUT_APART
from dieindex.errors import PictureError, is_out_of_memory
from dieindex.indexing.plan import Task, note_mixed_sides
from dieindex.records import Photograph, Progress
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.storage.face_codec import PackedFace, pack_face
from dieindex.workers import in_order

STEP = "cropping"
TOGETHER = 8
"""Photographs recorded at one time, all or none of them."""
Content = tuple[str, str]
"""What faces come of: a photograph's digest, and its hints."""


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
    renamed_from: str | None = None


def crop_photographs(
    catalogue: Catalogue,
    data: Path,
    tasks: Sequence[Task],
    vanished: Sequence[PhotographRow],
    pool: Executor,
    jobs: int,
    progress: Progress | None = None,
) -> int:
    """Read the photographs of ``tasks``, crop and keep their faces; gives how many were read.

    ``vanished`` are those whose names are gone: one of the same content is the same, renamed.
    ``progress`` is called with photographs done and to do.
    """
    by_content = {(row.sha256, row.hints): row.file for row in vanished}

    def calls() -> Iterator[tuple[Any, ...]]:
        for task in tasks:
            yield _crop, data, task, by_content

    done = 0
    group: list[_Outcome] = []
    for outcome in in_order(pool, jobs, calls(), waiting=3 * jobs):
        group.append(outcome)
        if len(group) == TOGETHER or done + len(group) == len(tasks):
            _record(catalogue, group, by_content)
            done += len(group)
            group = []
            if progress is not None:
                progress(STEP, done, len(tasks))
    return done


def _crop(data: Path, task: Task, by_content: dict[Content, str]) -> _Outcome:
    """Read one photograph and crop its faces; whatever is wrong with it is its outcome."""
    photograph = task.photograph
    path = data / photograph.file
    try:
        status = path.stat()
        outcome = _Outcome(task, status.st_size, status.st_mtime_ns, _hash_file(path))
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); correct its permissions or remove it"
        return _Outcome(task, 0, 0, "", reason=reason)
    known = task.known
    if known is not None and (known.sha256, known.hints) == (outcome.sha256, task.hints):
        return replace(outcome, same_content=True)
    renamed_from = by_content.get((outcome.sha256, task.hints))
    if known is None and renamed_from is not None:
        return replace(outcome, renamed_from=renamed_from)
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


def _record(
    catalogue: Catalogue,
    outcomes: Sequence[_Outcome],
    by_content: dict[Content, str],
) -> None:
    """Record a group of photographs, all or none of them."""
    with catalogue.transaction():
        for outcome in outcomes:
            task = outcome.task
            photograph = task.photograph
            if outcome.renamed_from is not None:
                old = by_content.pop((outcome.sha256, task.hints), None)
                if old is not None:
                    catalogue.rename_photograph(old, photograph.file)
                    outcome = replace(outcome, same_content=True)
                    state = "done"
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


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
