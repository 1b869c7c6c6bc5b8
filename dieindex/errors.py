"""Errors a person can act on: each message names the file, row or option and says what to do."""

from __future__ import annotations

from dieindex.text import Message


class DieIndexError(Exception):
    """Base of all errors that dieindex raises on purpose; shown to the user without traceback.

    Made of the pieces of a ``text.Message``: strings, and the parameters that are named.
    """

    exit_code = 1

    def __init__(self, *pieces: object) -> None:
        super().__init__(Message(*pieces))

    @property
    def pieces(self) -> tuple[object, ...]:
        message: Message = self.args[0]
        return message.pieces

    @property
    def terminal(self) -> str:
        """What it says, with parameters as the options of a command."""
        message: Message = self.args[0]
        return message.terminal


class UsageError(DieIndexError):
    """The call itself was wrong: an unknown option value, an impossible combination."""

    exit_code = 2


class CollectionError(DieIndexError):
    """The folder of photographs as a whole cannot be worked on."""


class PictureError(DieIndexError):
    """One picture cannot be used; a build skips it and lists it at the end."""


class SheetError(DieIndexError):
    """The spreadsheet of coins and dies cannot be understood."""


class IndexFolderError(DieIndexError):
    """The index folder cannot be read, written, or does not fit the data."""


class AlignmentError(DieIndexError):
    """Stored frames that cannot be read, or a transform that cannot be used."""


class EncoderError(DieIndexError):
    """Weights or device of the encoder cannot be used."""


class EngineError(DieIndexError):
    """The workers of a cluster cannot do their work."""


class TrainingError(DieIndexError):
    """A training run cannot start or go on."""


class RefitError(DieIndexError):
    """The labels do not suffice to fit a calibration on them."""


class MintError(DieIndexError):
    """The mint cannot strike what was asked for."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out (OpenCV and torch have errors of their own)."""
    text = str(error).casefold()
    return isinstance(error, MemoryError) or (
        "insufficient memory" in text or "allocate memory" in text or "out of memory" in text
    )
