-- Schema 9. When a target was away: the times in which every try failed.
CREATE TABLE outage (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    began INTEGER NOT NULL,   -- the first try that failed
    class TEXT NOT NULL,      -- the class of its error, as a word
    said TEXT NOT NULL,       -- what it said
    last INTEGER NOT NULL,    -- the newest try that failed
    last_class TEXT NOT NULL,
    last_said TEXT NOT NULL,
    reads INTEGER NOT NULL,   -- whether it could be read then
    tries INTEGER NOT NULL,
    waiting INTEGER NOT NULL, -- cells that were not seen as wanted at the newest try
    pack_of INTEGER,          -- truth of the newest pack that was written meanwhile
    ended INTEGER             -- the try that did not fail; none while it lasts
);
CREATE UNIQUE INDEX outage_now ON outage (target) WHERE ended IS NULL;
