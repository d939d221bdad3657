-- Schema 13. The rates that tenants taught by refusing, for the process after this one.
CREATE TABLE rate (
    tenant TEXT NOT NULL PRIMARY KEY,
    every_ns INTEGER NOT NULL,   -- from one request to the next
    growth_ppm INTEGER NOT NULL, -- with each request
    at INTEGER NOT NULL          -- when it was last in force
) WITHOUT ROWID;
