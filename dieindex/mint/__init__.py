"""Rendered coins with known dies."""
