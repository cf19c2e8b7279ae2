-- Entries that are cut off the end of the log are missed.

-- A code over where the log ends, under the audit key `seal_key`. NULL: an earlier version wrote the end. Empty: the end
-- was found to be another than this server's.
ALTER TABLE audit_head ADD COLUMN seal BYTEA;
ALTER TABLE audit_head ADD COLUMN seal_key BIGINT NOT NULL DEFAULT 0;
