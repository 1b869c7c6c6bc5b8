"""The shipped network tells all places of a face about equally well: no picture of agreement is
red in a stripe whatever the pair."""

from __future__ import annotations

from dieindex.encoder.weights import SHIPPED_WEIGHTS
from tests.test_encoder_benchmark import benchmark

USUAL = 1.6
"""Largest over usual displacement of a column or row; with a blind stripe it is 7."""


def test_no_column_or_row_is_blind() -> None:
    found = benchmark("evenness").evenness(SHIPPED_WEIGHTS)
    assert found.columns < USUAL
    assert found.rows < USUAL
