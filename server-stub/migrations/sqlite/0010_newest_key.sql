-- A database knows with which of the server's keys it was written.

-- The newest key's number, 0 before the first, and a code of that key alone by which it is known again.
ALTER TABLE audit_head ADD COLUMN newest_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_head ADD COLUMN newest_check BLOB;
UPDATE audit_head SET newest_key = coalesce((SELECT max(key_id) FROM audit), 0);
