-- Schema 11. Where a target that was down is left alone, for the process after this one.
CREATE TABLE breaker (
    target TEXT NOT NULL,
    operation TEXT NOT NULL,
    failures INTEGER NOT NULL, -- that came in a row
    open_until INTEGER,        -- none while it is closed
    PRIMARY KEY (target, operation)
) WITHOUT ROWID;
