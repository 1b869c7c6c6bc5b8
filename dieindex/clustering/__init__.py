"""From judged pairs to putative dies."""
