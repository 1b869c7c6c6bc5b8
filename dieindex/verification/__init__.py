"""Judge a pair of faces: a probability and a verdict."""
