-- Schema 7. What a landing is held against before it goes.
-- What the target itself says (declared to be compared with) of groups in which
-- something of ours has never landed.
CREATE TABLE observed (
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (grp, measure)
) WITHOUT ROWID;
-- By which mapping the cells of a target were made last, and what was changed in
-- it then, both as JSON.
CREATE TABLE mapped (
    target TEXT PRIMARY KEY,
    held TEXT NOT NULL,
    edits TEXT NOT NULL,
    since INTEGER NOT NULL
) WITHOUT ROWID;
-- The cells of one place, over all periods.
CREATE INDEX group_of_place ON cell_group (scope, place, period);
