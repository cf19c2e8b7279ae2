-- Who administers, who is spared the second factor, which tokens wait for a code, and how long a session lasts.

ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;

-- Since when a token has to be confirmed again by a code; NULL for one that is.
ALTER TABLE credentials ADD COLUMN unconfirmed_since INTEGER;

-- The first use of a session, and the seconds that it is open from then on.
ALTER TABLE sessions ADD COLUMN used_at INTEGER;
ALTER TABLE sessions ADD COLUMN lasts INTEGER NOT NULL DEFAULT 28800;
