-- Schema 4. A record is found by six bytes of its name's digest, and confirmed by
-- the name itself. The whole names in an index were a third of the journal, and
-- every commit wrote most of that index anew.
CREATE TABLE record_4 (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    place TEXT NOT NULL,
    line INTEGER NOT NULL
);
INSERT INTO record_4 SELECT * FROM record ORDER BY position;
DROP TABLE record;
ALTER TABLE record_4 RENAME TO record;
-- Filled by the program, which makes the keys.
CREATE TABLE record_key (
    key INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (key, position)
) WITHOUT ROWID;
