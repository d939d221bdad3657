-- Schema 14. How what was released moved, and what was changed in a mapping, in order.
CREATE TABLE moved (
    period INTEGER NOT NULL,
    resource TEXT NOT NULL,
    nth INTEGER NOT NULL,
    counter INTEGER NOT NULL, -- the ledger's, before it was taken in
    told TEXT NOT NULL,
    PRIMARY KEY (period, resource, nth)
) WITHOUT ROWID;
CREATE TABLE edited (
    target TEXT NOT NULL,
    counter INTEGER NOT NULL, -- the ledger's, before it was taken in
    edits TEXT NOT NULL,
    PRIMARY KEY (target, counter)
) WITHOUT ROWID;
