"""What the sheet of the last build says of each coin."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dieindex.records import OBVERSE, REVERSE, SIDES, SheetCoin
from dieindex.storage.database import Database


class SheetCoinTable(Database):
    """The sheet in an open catalogue."""

    def coins(self) -> dict[str, SheetCoin]:
        """What the sheet of the last build says of each coin."""
        found = {}
        for coin, row, obverse, reverse, columns in self.rows(
            "SELECT coin, row, obverse_die, reverse_die, columns FROM coins ORDER BY row, coin"
        ):
            dies = {side: die for side, die in zip(SIDES, (obverse, reverse), strict=True) if die}
            found[coin] = SheetCoin(coin, dies=dies, columns=json.loads(columns), row=row)
        return found

    def put_coins(self, coins: Mapping[str, SheetCoin]) -> None:
        """Replace what the sheet says of the coins."""
        self.write("DELETE FROM coins")
        for coin in coins.values():
            dies = (coin.dies.get(OBVERSE), coin.dies.get(REVERSE))
            self.write(
                "INSERT INTO coins VALUES (?, ?, ?, ?, ?)",
                (coin.coin, coin.row, *dies, json.dumps(dict(coin.columns), ensure_ascii=False)),
            )
