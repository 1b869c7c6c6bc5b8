"""Verdicts of persons: given, imported, kept, and used when the graph is clustered anew."""
