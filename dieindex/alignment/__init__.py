"""Lay every face of a type on the type's common frame."""
