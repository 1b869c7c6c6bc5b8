"""From a collection to an index: crop, align, encode, refine, describe; resumable."""
