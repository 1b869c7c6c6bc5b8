"""How fast the mint engraves, and streams faces; where the time goes."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from concurrent.futures import ProcessPoolExecutor

import cv2
import torch

from dieindex.mint.stream import MintStream, StreamSettings
from dieindex.mint.types import engrave, sample_type
from dieindex.records import SIDES


def speed(arguments: argparse.Namespace) -> None:
    """Faces a second of the stream, dies engraved beforehand, and where the time goes."""
    start = time.perf_counter()
    for number in range(12):
        engrave(sample_type(number, SIDES[number % 2]), number)
    print(f"engraving: {(time.perf_counter() - start) / 12 * 1000:.0f} ms a die")
    settings = StreamSettings(
        size=arguments.size, working_types=4, types_per_batch=4, batches_per_type=10**6
    )
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        stream = MintStream(1, settings=settings, device=arguments.device)
        for number in range(8):
            stream.batch(number)  # engraves every die that the timed batches use
        start, faces = time.perf_counter(), 0
        for number in range(8):
            faces += len(stream.batch(number))
        seconds = time.perf_counter() - start
        print(
            f"stream of {arguments.size} px faces, one process, {threads} threads: "
            f"{faces / seconds:.1f} faces a second"
        )
    profile = cProfile.Profile()
    profile.runcall(stream.batch, 0)
    pstats.Stats(profile).strip_dirs().sort_stats("cumulative").print_stats(arguments.lines)
    if arguments.processes > 1:
        _many_processes(arguments)


def _stream_job(job: tuple[int, int, float]) -> int:
    """Faces one worker streams in a given time, dies engraved beforehand."""
    worker, size, seconds = job
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = StreamSettings(size=size, working_types=4, types_per_batch=4, batches_per_type=10**6)
    stream = MintStream(1, settings=settings, worker=worker)
    for number in range(6):
        stream.batch(number)
    faces, number, start = 0, 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        faces += len(stream.batch(number % 6))
        number += 1
    return round(faces / (time.perf_counter() - start) * 1000)


def _many_processes(arguments: argparse.Namespace) -> None:
    jobs = [(worker, arguments.size, 12.0) for worker in range(arguments.processes)]
    with ProcessPoolExecutor(arguments.processes) as pool:
        rate = sum(pool.map(_stream_job, jobs)) / 1000
    print(f"{arguments.processes} processes of one thread: {rate:.1f} faces a second together")
