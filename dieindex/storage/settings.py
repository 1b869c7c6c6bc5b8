"""Settings of an index: text by key."""

from __future__ import annotations

from dieindex.records import Side
from dieindex.storage.catalogue_rows import CatalogueRows
from dieindex.storage.database import Database


class SettingTable(CatalogueRows):
    """The settings in an open catalogue."""

    def meta(self, key: str) -> str | None:
        """A setting of the index; None where it is not set."""
        # (Not ``self.rows``: settings are checked by themselves.)
        rows = Database.rows(self, "SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str | None) -> None:
        """Set a setting, or with None take it away."""
        if value is None:
            self.write("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def kinds(self, side: Side) -> str | None:
        """How the scores of a side's pairs lie, as it was last seen; None where it was not."""
        return self.meta(f"kinds {side}")

    def set_kinds(self, side: Side, text: str | None) -> None:
        """Keep it, or with None forget it."""
        self.set_meta(f"kinds {side}", text)

    def dimension(self) -> int:
        """Of the encoder's vectors."""
        return int(self.meta("dimension") or 1)
