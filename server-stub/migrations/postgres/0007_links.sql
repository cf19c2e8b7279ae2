-- Links that begin a registration in the place of a password.

-- `state`: open, used, revoked. Opening one changes nothing. `hash` is SHA-256 of a text of 256 random bits, which is not kept.
CREATE TABLE links (
    id TEXT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    -- The token to be of another authenticator, once it was shown; the secret is sealed for `credential_id`.
    credential_id TEXT,
    issuer TEXT,
    algorithm TEXT,
    digits BIGINT,
    period BIGINT,
    secret BYTEA
);
-- A newer link ends the one before.
CREATE UNIQUE INDEX links_open ON links (user_id) WHERE state = 'open';

-- The link that a registration was begun with: used up when the registration is activated.
ALTER TABLE registrations ADD COLUMN link_id TEXT;
