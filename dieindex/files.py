"""Write files so that nothing is ever lost: beside first, then renamed into place."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dieindex.errors import DieIndexError


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; when the block ends well it replaces ``path``.

    The suffix is kept, since writers choose their format by it. Raises DieIndexError where the
    folder cannot be written or the disk is full; ``path`` is then as it was.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise DieIndexError where a file could not be written: before the work, not after it."""
    try:
        with tempfile.TemporaryFile(dir=Path(path).parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Replace a UTF-8 text file, or leave it as it was (DieIndexError)."""
    with written_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def content_hash(path: Path | str) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _unwritable(path: Path, error: OSError) -> DieIndexError:
    remedy = "free some space" if error.errno == errno.ENOSPC else "choose another place"
    return DieIndexError(
        f"{path}: cannot be written ({error.strerror or error}); {remedy}. "
        "Nothing there was changed."
    )


def new_folder_mode() -> int:
    """The rights that a new folder gets here."""
    return 0o777 & ~_umask()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
