"""The verbs and what each does, in one line: ``dieindex --help`` loads nothing else."""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "build": "Photographs and sheet become an index.",
    "compare": "Do two coins share a die?",
    "show": "Draw what speaks for and against one die.",
    "find": "Which known die struck a coin of another collection?",
    "specimens": "Which photographs show one and the same coin?",
    "cluster": "Sort the whole collection into dies.",
    "review": "Open the workbench: look, sort and correct in the browser.",
    "verdict": "Say what you see: same, different, unsure, or one coin.",
    "pairs": "Write every shortlisted pair.",
    "evaluate": "Score against the sheet, beside trivial answers.",
    "study": "Write the die study: links, estimates, catalogue, report.",
    "export": "Give your dies away, for others to look coins up in.",
    "info": "What an index holds.",
    "faces": "Draw what was found on the photographs.",
    "train": "Train the encoder, or fine-tune it on your own coins.",
    "mint": "Render a collection whose dies are known.",
}
"""One module each in this package, with a click command of the same name; in order of use."""
