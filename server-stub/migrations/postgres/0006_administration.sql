-- Who administers, who is spared the second factor, which tokens wait for a code, and how long a session lasts.

ALTER TABLE users ADD COLUMN administrator BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN exempt BIGINT NOT NULL DEFAULT 0;

-- Since when a token has to be confirmed again by a code; NULL for one that is.
ALTER TABLE credentials ADD COLUMN unconfirmed_since BIGINT;

-- The first use of a session, and the seconds that it is open from then on.
ALTER TABLE sessions ADD COLUMN used_at BIGINT;
ALTER TABLE sessions ADD COLUMN lasts BIGINT NOT NULL DEFAULT 28800;
