-- Schema 6. What was released of the figures of each resource and period, in the
-- words of whoever decides it.
CREATE TABLE released (
    period INTEGER NOT NULL,
    resource TEXT NOT NULL,
    told TEXT NOT NULL,
    PRIMARY KEY (period, resource)
) WITHOUT ROWID;
