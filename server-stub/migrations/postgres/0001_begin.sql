-- What verification needs: who, with which token, how often wrong, and what happened.
-- Instants are Unix seconds unless a name says otherwise. Identifiers are UUID version 7 in their hyphenated form.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The policy holds only what differs from the defaults, as a JSON object of name and value.
CREATE TABLE groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL
);

-- `folded` is the name as it is compared, so that no spelling of a name is a second user with a budget of its own.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    phone TEXT,
    email TEXT,
    group_id TEXT REFERENCES groups (id),
    password_hash TEXT,
    -- Wrong codes in a row, counted before each is looked at.
    failures BIGINT NOT NULL DEFAULT 0,
    blocked_until BIGINT NOT NULL DEFAULT 0,
    locked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX users_by_group ON users (group_id);

CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    account TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    digits BIGINT NOT NULL,
    -- Seconds of a step; 0 for tokens that count.
    period BIGINT NOT NULL,
    -- Sealed, with this row's id as associated data.
    secret BYTEA NOT NULL,
    -- The last step or counter that was accepted; -1 before the first.
    last_step BIGINT NOT NULL DEFAULT -1,
    -- A counter that a code beyond the look-ahead matched, and until when the next one confirms it.
    resync_step BIGINT,
    resync_until BIGINT,
    -- Wrong codes in a row at sign-ins that named this token.
    failures BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX credentials_by_user ON credentials (user_id);

-- Attempts from one network address, right ones too, in windows.
CREATE TABLE addresses (
    address TEXT NOT NULL PRIMARY KEY,
    attempts BIGINT NOT NULL,
    window_until BIGINT NOT NULL
);

-- Other systems that ask. `hash` is SHA-256 of a key of 256 random bits.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BYTEA NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Append-only. `mac` covers the event and the mac before it, under the audit key of `key_id`. `at` is in milliseconds.
CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    user_id TEXT,
    detail TEXT NOT NULL,
    key_id BIGINT NOT NULL,
    mac BYTEA NOT NULL
);

-- One row: where the chain ends. Who appends changes it first, so that only one can.
CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, '');
