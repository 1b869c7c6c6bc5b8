"""The catalogue and the FAISS indexes derived from it."""
