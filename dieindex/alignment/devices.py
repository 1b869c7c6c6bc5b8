"""Where faces are aligned."""

from __future__ import annotations

from dieindex.alignment.realigning import ONE_BY_ONE, Aligner


def aligner_on(device: str) -> Aligner:
    """What aligns where the network computes: together on a GPU of CUDA, else on this core."""
    if not device.startswith("cuda"):
        return ONE_BY_ONE
    # (It loads torch, which the network has loaded.)
    from dieindex.alignment.together import Together

    return Together(device)
