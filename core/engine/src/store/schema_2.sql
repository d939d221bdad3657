-- Schema 2. What SQLite is told to be unique, it seeks by its whole key: it took
-- the half key `attempt` for a cell of an attempt.

DROP INDEX attempt_cell_of;
CREATE UNIQUE INDEX attempt_cell_of ON attempt_cell (grp, measure, attempt);
CREATE INDEX attempt_handle ON attempt (handle) WHERE handle IS NOT NULL;
CREATE INDEX case_open ON case_file (scope, kind, owner) WHERE closed_at IS NULL;
