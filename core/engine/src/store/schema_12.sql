-- Schema 12. What a target lists of the master data behind what it refused.
ALTER TABLE rejection ADD COLUMN master TEXT NOT NULL DEFAULT '{}'; -- as read last, by item
CREATE TABLE master_look (
    target TEXT PRIMARY KEY,
    tried_at INTEGER NOT NULL,
    looked_at INTEGER,        -- none before it could be read
    said TEXT NOT NULL,       -- why it could not be read, or not as a whole
    asked TEXT NOT NULL,      -- what the mapping named then
    found TEXT NOT NULL       -- what was there of it
) WITHOUT ROWID;
