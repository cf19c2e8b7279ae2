-- Registering a token from the app: the app's key, the SMS code, the token that waits for its first code, and the message
-- that goes out.

-- Wrong passwords in a row, apart from wrong codes.
ALTER TABLE users ADD COLUMN password_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_blocked_until INTEGER NOT NULL DEFAULT 0;

-- One app per token and one registered token per user: who is bound is who has the row.
CREATE TABLE bindings (
    credential_id TEXT NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the app's public key, Base64url.
    app_id TEXT NOT NULL,
    -- P-256, uncompressed.
    app_key BLOB NOT NULL,
    app_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    bound_at INTEGER NOT NULL
) STRICT;
CREATE INDEX bindings_by_app ON bindings (app_id);

-- `state`: started (waits for the SMS code), confirmed (waits for the first code), active, ended.
CREATE TABLE registrations (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    nonce TEXT NOT NULL,
    app_id TEXT NOT NULL,
    app_key BLOB NOT NULL,
    app_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    -- The code that was sent, under the look-up key of `sms_key_id`; and how often it was tried.
    sms_mac BLOB NOT NULL,
    sms_key_id INTEGER NOT NULL,
    sms_tries INTEGER NOT NULL DEFAULT 0,
    -- The token to be, from the confirmation on; the secret is sealed for `credential_id`.
    credential_id TEXT,
    issuer TEXT,
    algorithm TEXT,
    digits INTEGER,
    period INTEGER,
    secret BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX registrations_by_user ON registrations (user_id);
-- A new SMS code ends the one before.
CREATE UNIQUE INDEX registrations_started ON registrations (user_id) WHERE state = 'started';

-- What was sent, for the budgets: no text.
CREATE TABLE sms_sends (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    prefix TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX sms_sends_by_time ON sms_sends (at);

-- Written with what it tells of in one transaction; sent at least once. `recipient` and `body` are sealed for the row.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient BLOB NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER
) STRICT;
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE sent_at IS NULL;
