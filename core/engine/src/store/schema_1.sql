-- Schema 1. Names are interned; a cell is (group, measure), so that the cells
-- of one resource and period lie side by side on the disk.

CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('ledger', 0), ('revisions', 0);

-- Journal -------------------------------------------------------------------
CREATE TABLE record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    place TEXT NOT NULL,
    line INTEGER NOT NULL,
    UNIQUE (source, id)
);
CREATE TABLE record_conflict (
    id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    place TEXT NOT NULL,
    line INTEGER NOT NULL,
    UNIQUE (position, digest)
);
CREATE TABLE record_rejected (
    id INTEGER PRIMARY KEY,
    place TEXT NOT NULL,
    line INTEGER NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    cure TEXT NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (place, line, field, digest)
);
CREATE TABLE record_quarantine (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    record_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    place TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (source, record_id, digest)
);
CREATE TABLE checkpoint (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- A segment is announced before its file is written: written again after a
-- crash, it has the same bytes.
CREATE TABLE sealed (
    number INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    sha256 TEXT
);
CREATE TABLE admitted (
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (stream, number)
) WITHOUT ROWID;

-- Ledger --------------------------------------------------------------------
CREATE TABLE scope (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (target, name)
);
-- What the cells of a scope were last landed in: the target's address under
-- the empty name, each measure's surface under its own.
CREATE TABLE binding (
    scope INTEGER NOT NULL,
    what TEXT NOT NULL,
    held TEXT NOT NULL,
    PRIMARY KEY (scope, what)
) WITHOUT ROWID;
-- Until when a tenant asked us to wait.
CREATE TABLE pause (tenant TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE measure (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE recipe (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    location TEXT NOT NULL,
    product TEXT NOT NULL, -- '' none, else '=' and the product
    UNIQUE (resource, location, product)
);
CREATE TABLE cell_group (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    period INTEGER NOT NULL,
    place INTEGER NOT NULL,
    UNIQUE (scope, period, place)
);
CREATE TABLE cell (
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    -- wanted: the current revision
    rev INTEGER NOT NULL,
    state INTEGER NOT NULL,
    hold TEXT,
    why INTEGER NOT NULL,
    value TEXT NOT NULL,
    unrounded TEXT NOT NULL,
    status INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    recipe INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    -- accepted, and what is under way
    accepted_rev INTEGER NOT NULL DEFAULT 0,
    accepted_by INTEGER NOT NULL DEFAULT 0,
    sent_rev INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    last_attempt INTEGER NOT NULL DEFAULT 0,
    open_attempt INTEGER NOT NULL DEFAULT 0,
    unclear INTEGER NOT NULL DEFAULT 0,
    before_known INTEGER NOT NULL DEFAULT 0,
    before TEXT,
    -- seen
    seen_at INTEGER,
    seen TEXT,
    seen_attempt INTEGER NOT NULL DEFAULT 0,
    -- in use
    in_use INTEGER NOT NULL DEFAULT 0,
    in_use_since INTEGER,
    in_case INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (grp, measure)
) WITHOUT ROWID;
-- Revisions that are no longer a cell's current one.
CREATE TABLE past_revision (
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    state INTEGER NOT NULL,
    value TEXT NOT NULL,
    unrounded TEXT NOT NULL,
    status INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    recipe INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (grp, measure, rev)
) WITHOUT ROWID;
CREATE TABLE tally (
    scope INTEGER NOT NULL,
    state INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (scope, state)
) WITHOUT ROWID;
-- Every as_of that the ledger was given, in its own order.
CREATE TABLE cycle (
    counter INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cells INTEGER NOT NULL,
    made INTEGER NOT NULL
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hex TEXT NOT NULL UNIQUE,
    scope INTEGER NOT NULL,
    plan TEXT NOT NULL,
    cells INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    end TEXT,
    handle TEXT,
    verdict TEXT,
    receipt_at INTEGER,
    error TEXT
);
CREATE INDEX attempt_open ON attempt (id) WHERE closed_at IS NULL;
CREATE TABLE note (
    attempt INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (attempt, key)
) WITHOUT ROWID;
CREATE TABLE attempt_cell (
    attempt INTEGER NOT NULL,
    place INTEGER NOT NULL, -- in the batch
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    before_known INTEGER NOT NULL,
    before TEXT,
    carried INTEGER NOT NULL,
    outcome TEXT,
    reason TEXT,
    vendor_code TEXT,
    cure TEXT,
    PRIMARY KEY (attempt, place)
) WITHOUT ROWID;
CREATE INDEX attempt_cell_of ON attempt_cell (grp, measure, attempt);
CREATE TABLE cell_lock (
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (grp, measure)
) WITHOUT ROWID;
CREATE TABLE case_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    text TEXT NOT NULL,
    example TEXT NOT NULL,
    cells INTEGER NOT NULL,
    holds INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by TEXT
);
