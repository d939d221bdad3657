-- Schema 5. What counts under a record's name may be decided anew: a second row of
-- the name is accepted, or the row is retracted. A decision is a record of its own;
-- here stands which one holds.
CREATE TABLE record_decision (
    record INTEGER NOT NULL, -- position of the first record of the name
    decision INTEGER NOT NULL, -- position of the decision
    digest BLOB, -- of the body that counts from there on; none where nothing does
    PRIMARY KEY (record, decision)
) WITHOUT ROWID;
ALTER TABLE record_conflict ADD COLUMN media_type TEXT NOT NULL DEFAULT '';
ALTER TABLE record_conflict ADD COLUMN verdict INTEGER; -- none while it waits
ALTER TABLE record_conflict ADD COLUMN decided_by TEXT;
ALTER TABLE record_conflict ADD COLUMN decided_why TEXT;
ALTER TABLE record_conflict ADD COLUMN decided_at INTEGER;
UPDATE record_conflict SET media_type =
    (SELECT media_type FROM record WHERE record.position = record_conflict.position);
CREATE INDEX record_conflict_waits ON record_conflict (id) WHERE verdict IS NULL;
