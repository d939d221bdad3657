-- Schema 8. A refused record may be dismissed by a person: it stays here with the
-- name and the reason, and is not refused anew when its file is read again.
ALTER TABLE record_rejected ADD COLUMN dismissed_by TEXT;
ALTER TABLE record_rejected ADD COLUMN dismissed_why TEXT;
ALTER TABLE record_rejected ADD COLUMN dismissed_at INTEGER; -- none while it waits
CREATE INDEX record_rejected_waits ON record_rejected (id) WHERE dismissed_at IS NULL;
