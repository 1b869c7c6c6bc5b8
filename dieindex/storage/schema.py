"""Every table of an index's files, the versions of their schemas, and how older ones are renewed.

Three SQLite files lie in an index folder. ``reviews.sqlite`` is persons' work and is never thrown
away; ``catalogue.sqlite`` and ``details.sqlite`` come from the photographs and may be deleted: the
next build makes them anew. No other module makes a table or a view.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CATALOGUE_NAME = "catalogue.sqlite"
DETAILS_NAME = "details.sqlite"
REVIEWS_NAME = "reviews.sqlite"
VERDICTS_NAME = "verdicts.csv"
NUMBERS_NAME = "die_numbers.csv"
MADE_ANEW = (
    f"delete {CATALOGUE_NAME} and build again; verdicts and die numbers are kept in {REVIEWS_NAME}."
)
"""What to do about a damaged catalogue, once persons' work is apart from it."""


@dataclass(frozen=True)
class Schema:
    """The tables of one file.

    ``statements`` make them. ``migrations`` gives, by version, what turns a file of that version
    into one of the next; ``shadows``, by version, temporary views through which a file of that
    version is read as one of today where it cannot be written.
    """

    version: int
    statements: tuple[str, ...]
    migrations: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    shadows: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def make(self, connection: sqlite3.Connection) -> None:
        """Make the tables in an empty file; inside a transaction."""
        for statement in self.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(self.version),))

    def can_migrate(self, version: int) -> bool:
        """Whether a file of this older version can be brought up to date."""
        return all(step in self.migrations for step in range(version, self.version))

    def migrate(self, connection: sqlite3.Connection, version: int) -> None:
        """Bring a file of an older version up to date; inside a transaction."""
        for step in range(version, self.version):
            for statement in self.migrations[step]:
                connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(self.version),))

    def shadow(self, connection: sqlite3.Connection, version: int) -> None:
        """Read a file of an older version as one of today, leaving it as it is."""
        for statement in self.shadows[version]:
            connection.execute(statement)


_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"

# ---------------------------------------------------------------------------------------- catalogue

_PRESENT_FACES = """
    SELECT f.*, p.file, p.coin, p.sha256, p.hints
    FROM faces f JOIN photographs p ON p.id = f.photograph WHERE p.state = 'done'
"""
CHECKSUMS = "checksums"
_ROW_CHECKSUMS = """CREATE TABLE IF NOT EXISTS checksums (
    part TEXT NOT NULL,
    key TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (part, key)
) WITHOUT ROWID"""
CATALOGUE = Schema(
    version=6,
    statements=(
        # Settings of the index as text, by key.
        _META,
        # One row a picture file; ``state`` is ``done``, ``skipped`` (with ``reason``) or ``absent``
        # (vanished from the folder); ``hints`` is what the collection said of it when it was worked
        # on, so that a changed override or side makes it due again.
        """CREATE TABLE photographs (
            id INTEGER PRIMARY KEY,
            file TEXT NOT NULL UNIQUE,
            coin TEXT NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            hints TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('done', 'skipped', 'absent')),
            reason TEXT,
            notes TEXT NOT NULL DEFAULT '[]'
        )""",
        "CREATE INDEX photographs_coin ON photographs (coin)",
        # One row a type and side: the frame, and the raw vectors its faces compete with.
        """CREATE TABLE frames (
            side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
            number INTEGER NOT NULL,
            frame BLOB NOT NULL,
            competitors BLOB,
            PRIMARY KEY (side, number)
        ) WITHOUT ROWID""",
        # One row a face; its id is its id in the FAISS index. What becomes of it step by step:
        # ``frames_tried`` frames of its side were tried on it, and it was among faces in which
        # types were looked for (``searched``); it is ``aligned`` on ``frame`` by ``to_frame`` (nine
        # float64) or not, for ``unaligned_reason``; ``aligned_to_frame`` is where it lay before
        # the ``refined_steps`` steps of refinement (``next_to_frame``: what the step in work has
        # found); ``raw`` is the network's vector, ``vector`` what is left of it when what its type
        # shares is taken off.
        """CREATE TABLE faces (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            photograph INTEGER NOT NULL REFERENCES photographs (id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
            x REAL NOT NULL, y REAL NOT NULL, radius REAL NOT NULL,
            confidence REAL NOT NULL, sure INTEGER NOT NULL, flan_reason TEXT,
            rotation REAL NOT NULL,
            frames_tried INTEGER NOT NULL DEFAULT 0,
            searched INTEGER NOT NULL DEFAULT 0,
            aligned INTEGER NOT NULL DEFAULT 0,
            frame INTEGER,
            to_frame BLOB,
            aligned_to_frame BLOB,
            refined_steps INTEGER NOT NULL DEFAULT 0,
            next_to_frame BLOB,
            alignment_confidence REAL NOT NULL DEFAULT 0,
            unaligned_reason TEXT,
            raw BLOB,
            vector BLOB
        )""",
        "CREATE INDEX faces_photograph ON faces (photograph)",
        "CREATE INDEX faces_side ON faces (side, aligned)",
        # The faces' cut pictures, so that no step but the first reads a photograph again.
        """CREATE TABLE pictures (
            face INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
            jpeg BLOB NOT NULL,
            mask BLOB NOT NULL
        )""",
        # What the sheet says of a coin.
        """CREATE TABLE coins (
            coin TEXT PRIMARY KEY,
            row INTEGER NOT NULL,
            obverse_die TEXT, reverse_die TEXT,
            columns TEXT NOT NULL
        ) WITHOUT ROWID""",
        # The faces of photographs that are there: what every result is about.
        f"CREATE VIEW present_faces AS {_PRESENT_FACES}",
        # One row a row of the others (see ``row_checksums``).
        _ROW_CHECKSUMS,
    ),
    migrations={
        3: (
            "ALTER TABLE faces RENAME COLUMN laid_on TO frames_tried",
            "ALTER TABLE faces RENAME COLUMN laid_at TO aligned_to_frame",
            "ALTER TABLE faces RENAME COLUMN settled TO refined_steps",
            "ALTER TABLE faces RENAME COLUMN support TO alignment_confidence",
            f"CREATE VIEW present_faces AS {_PRESENT_FACES}",
        ),
        4: ("DROP TABLE IF EXISTS outcomes",),
        5: (_ROW_CHECKSUMS, "DELETE FROM checksums"),
    },
    shadows={
        3: (
            "CREATE TEMP VIEW faces AS SELECT id, photograph, side, x, y, radius, confidence, sure,"
            " flan_reason, rotation, laid_on AS frames_tried, searched, aligned, frame, to_frame,"
            " laid_at AS aligned_to_frame, settled AS refined_steps, next_to_frame,"
            " support AS alignment_confidence, unaligned_reason, raw, vector FROM main.faces",
            f"CREATE TEMP VIEW present_faces AS {_PRESENT_FACES}",
        ),
        # (Nothing but a table that is not read any more.)
        4: (),
        # (Where there are no checksums, rows are taken as they are.)
        5: (),
    },
)
CATALOGUE_TABLES = ("pictures", "faces", "frames", "photographs", "coins", "meta", "checksums")
"""In an order in which they can be dropped."""

CHOSEN_FACES = "CREATE TEMP TABLE chosen (face INTEGER PRIMARY KEY)"
"""Which faces go into a reference."""
CHANGED_ROWS = "CREATE TEMP TABLE IF NOT EXISTS changed_rows (part, key, found)"
"""Where a connection notes which rows it has changed (see ``row_checksums``)."""


def changes_noted(
    part: str, table: str, columns: Sequence[str], keys: Mapping[str, str], found: str
) -> list[str]:
    """What has changes of these columns noted there: temporary triggers, that the file knows
    nothing of. ``keys``: the key of the ``old`` and the ``new`` row."""
    update = f"UPDATE OF {', '.join(columns)}"
    events = {"INSERT": ("new",), update: ("old", "new"), "DELETE": ("old",)}
    made = []
    for event, rows in events.items():
        noted = (
            f"INSERT INTO changed_rows VALUES ('{part}', {keys[row]}, {row}.{found});"
            for row in rows
        )
        made.append(
            f"CREATE TEMP TRIGGER IF NOT EXISTS {part}_{event.split()[0].lower()}"
            f" AFTER {event} ON main.{table} BEGIN {' '.join(noted)} END"
        )
    return made


# ------------------------------------------------------------------------------------------ details

_ALIGNED_PAIRS = (
    # One row a face that was looked at for its local features, with the ``key`` of its descriptors;
    # ``sought``: whether it was sought on all others.
    """CREATE TABLE local_features (
        face INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        features BLOB NOT NULL,
        sought INTEGER NOT NULL
    )""",
    # One row a pair (``first < second``) that its features place elsewhere than its frames: of the
    # two, ``fixed`` stays, the other begins at ``start`` on its frame and comes to lie at
    # ``place``. What the comparator says there is NULL until it was asked.
    """CREATE TABLE aligned_pairs (
        first INTEGER NOT NULL,
        second INTEGER NOT NULL,
        fixed INTEGER NOT NULL,
        start BLOB NOT NULL,
        place BLOB,
        logit REAL,
        shared REAL,
        distance REAL,
        PRIMARY KEY (first, second)
    ) WITHOUT ROWID""",
    "CREATE INDEX aligned_pairs_second ON aligned_pairs (second)",
)
_CHECKSUMS = (
    # One row a face and ``kind`` of what is kept of it (see ``checksums``).
    """CREATE TABLE IF NOT EXISTS checksums (
        kind TEXT NOT NULL,
        face INTEGER NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (kind, face)
    ) WITHOUT ROWID"""
)
_NO_CHECKSUMS = "CREATE TEMP VIEW checksums AS SELECT '' AS kind, 0 AS face, 0 AS value WHERE 0"
_NO_ALIGNED_PAIRS = (
    "CREATE TEMP VIEW local_features AS SELECT 0 AS face, x'' AS key, x'' AS features, 0 AS sought"
    " WHERE 0",
    "CREATE TEMP VIEW aligned_pairs AS SELECT 0 AS first, 0 AS second, 0 AS fixed, x'' AS start,"
    " x'' AS place, 0.0 AS logit, 0.0 AS shared, 0.0 AS distance WHERE 0",
)
DETAILS = Schema(
    version=4,
    statements=(
        _META,
        # One row a face that lies on a frame: its dense descriptors, packed, and a ``key``, the
        # digest of its raw vector. The vector comes of the face's picture, its place and the
        # encoder: where one of them changes, the key no longer fits, and the face and all its pairs
        # are forgotten.
        """CREATE TABLE descriptors (
            face INTEGER PRIMARY KEY,
            key BLOB NOT NULL,
            cells BLOB NOT NULL
        )""",
        # One row a pair that was scored, each unordered pair once (``first < second``, ids of
        # faces): the comparator's ``logit`` and the ``shared`` part of the frame that both show.
        """CREATE TABLE pair_scores (
            first INTEGER NOT NULL,
            second INTEGER NOT NULL,
            logit REAL NOT NULL,
            shared REAL NOT NULL,
            PRIMARY KEY (first, second)
        ) WITHOUT ROWID""",
        "CREATE INDEX pair_scores_second ON pair_scores (second)",
        *_ALIGNED_PAIRS,
        _CHECKSUMS,
    ),
    migrations={
        3: (_CHECKSUMS,),
        2: _ALIGNED_PAIRS,
        1: (
            "ALTER TABLE described RENAME TO descriptors",
            "ALTER TABLE judged RENAME TO pair_scores",
            "DROP INDEX IF EXISTS judged_second",
            "CREATE INDEX pair_scores_second ON pair_scores (second)",
        ),
    },
    shadows={
        1: (
            "CREATE TEMP VIEW descriptors AS SELECT * FROM main.described",
            "CREATE TEMP VIEW pair_scores AS SELECT * FROM main.judged",
            *_NO_ALIGNED_PAIRS,
            _NO_CHECKSUMS,
        ),
        2: (*_NO_ALIGNED_PAIRS, _NO_CHECKSUMS),
        3: (_NO_CHECKSUMS,),
    },
)


def details_aside(*, shadowed: bool) -> list[str]:
    """What makes temporary tables in the place of those that a question adds to, with what is in
    them: a name means the temporary table where there is one. ``shadowed``: they are views now."""
    made = []
    for name, key in (
        ("local_features", "face"),
        ("aligned_pairs", "first, second"),
        ("checksums", "kind, face"),
    ):
        source = "temp" if shadowed else "main"
        made += [
            f"CREATE TEMP TABLE aside_{name} AS SELECT * FROM {source}.{name}",
            *([f"DROP VIEW temp.{name}"] if shadowed else []),
            f"ALTER TABLE aside_{name} RENAME TO {name}",
            f"CREATE UNIQUE INDEX temp.{name}_key ON {name} ({key})",
        ]
    return made


# ------------------------------------------------------------------------------------------ reviews

NUMBER, NAME, LAST, CHANGE, COIN, PICTURES = WHAT = (
    *("number", "name", "last", "change"),
    *("coin", "pictures"),
)
"""What an entry of the history of die numbers says: the number of a coin's die (0: it has none any
more); the name of a sheet (``text``) that a number goes by, where empty its own; the highest number
given; what became of numbers, in words (``text``); of no side: the name (``text``) that a coin has
from then on; the digests (``text``) of the pictures that a coin is known by."""
NUMBER_TABLES = ("numbers", "adopted", "last_numbers", "number_changes")
"""Today's state of these, and the log of changes: tables in version 1, now views of the history."""
_NUMBER_LOG = (
    # The history of die numbers, also of coins that have vanished: rows are added, never changed
    # or removed. The latest on a coin, or on the name of a number, holds.
    f"""CREATE TABLE number_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse', '')),
        what TEXT NOT NULL CHECK (what IN {WHAT}),
        coin TEXT NOT NULL,
        number INTEGER NOT NULL,
        text TEXT NOT NULL
    )""",
    "CREATE INDEX number_log_coin ON number_log (what, side, coin)",
    "CREATE TRIGGER number_log_stays BEFORE DELETE ON number_log"
    " BEGIN SELECT RAISE(ABORT, 'die numbers are never deleted'); END",
    "CREATE TRIGGER number_log_stays_as_given BEFORE UPDATE ON number_log"
    " BEGIN SELECT RAISE(ABORT, 'die numbers are never changed'); END",
    f"""CREATE VIEW numbers AS SELECT side, coin, number FROM (
        SELECT side, coin, number, max(id) FROM number_log WHERE what = '{NUMBER}'
        GROUP BY side, coin
    ) WHERE number > 0""",
    f"""CREATE VIEW adopted AS SELECT side, number, name FROM (
        SELECT side, number, text AS name, max(id) FROM number_log WHERE what = '{NAME}'
        GROUP BY side, number
    ) WHERE name <> ''""",
    # The highest number ever given on a side: a new die never gets one that is retired.
    f"""CREATE VIEW last_numbers AS SELECT side, max(number) AS number FROM number_log
        WHERE what IN ('{NUMBER}', '{LAST}') GROUP BY side""",
    f"""CREATE VIEW number_changes AS SELECT id, time, side, text AS change FROM number_log
        WHERE what = '{CHANGE}'""",
)

_VERDICTS = (
    # Verdicts as they were given, for ever: rows are added, never changed or removed.
    """CREATE TABLE reviews (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        coin_a TEXT NOT NULL,
        coin_b TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('obverse', 'reverse')),
        verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'unsure', 'one-coin')),
        by TEXT NOT NULL,
        note TEXT NOT NULL,
        time TEXT NOT NULL
    )""",
    "CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews"
    " BEGIN SELECT RAISE(ABORT, 'verdicts are never deleted'); END",
    "CREATE TRIGGER reviews_stay_as_given BEFORE UPDATE ON reviews"
    " BEGIN SELECT RAISE(ABORT, 'verdicts are never changed'); END",
)

REVIEWS = Schema(
    version=4,
    statements=(
        _META,
        *_VERDICTS,
        *_NUMBER_LOG,
    ),
    migrations={
        # (What was in these tables is taken over by ``reviews``.)
        1: (
            *(f"ALTER TABLE {name} RENAME TO earlier_{name}" for name in NUMBER_TABLES),
            *_NUMBER_LOG,
        ),
        # (Of schema 2 the history knew no names of coins.)
        2: (
            *(f"DROP VIEW {name}" for name in NUMBER_TABLES),
            "DROP INDEX number_log_coin",
            "DROP TRIGGER number_log_stays",
            "DROP TRIGGER number_log_stays_as_given",
            "ALTER TABLE number_log RENAME TO earlier_number_log",
            *_NUMBER_LOG,
            "INSERT INTO number_log SELECT * FROM earlier_number_log",
            "DROP TABLE earlier_number_log",
        ),
        # (Of schema 3 a verdict could not say that both are one coin.)
        3: (
            "DROP TRIGGER IF EXISTS reviews_stay",
            "DROP TRIGGER IF EXISTS reviews_stay_as_given",
            "ALTER TABLE reviews RENAME TO earlier_reviews",
            *_VERDICTS,
            "INSERT INTO reviews SELECT * FROM earlier_reviews",
            "DROP TABLE earlier_reviews",
        ),
    },
)
