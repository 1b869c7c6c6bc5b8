"""Which pairs of faces to compare, and what the comparator says of them: scores."""
