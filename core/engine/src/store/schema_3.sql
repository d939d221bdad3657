-- Schema 3. Measures that held values before we ever landed there: they wait for
-- a named person.
CREATE TABLE unadopted (
    scope INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    whole INTEGER NOT NULL, -- nothing of the measure had landed in the scope
    example TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (scope, measure)
) WITHOUT ROWID;
