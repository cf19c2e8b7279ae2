-- What verification needs: who, with which token, how often wrong, and what happened.
-- Instants are Unix seconds unless a name says otherwise. Identifiers are UUID version 7 in their hyphenated form.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The policy holds only what differs from the defaults, as a JSON object of name and value.
CREATE TABLE groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL
) STRICT;

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
    failures INTEGER NOT NULL DEFAULT 0,
    blocked_until INTEGER NOT NULL DEFAULT 0,
    locked_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_group ON users (group_id);

CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    account TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    digits INTEGER NOT NULL,
    -- Seconds of a step; 0 for tokens that count.
    period INTEGER NOT NULL,
    -- Sealed, with this row's id as associated data.
    secret BLOB NOT NULL,
    -- The last step or counter that was accepted; -1 before the first.
    last_step INTEGER NOT NULL DEFAULT -1,
    -- A counter that a code beyond the look-ahead matched, and until when the next one confirms it.
    resync_step INTEGER,
    resync_until INTEGER,
    -- Wrong codes in a row at sign-ins that named this token.
    failures INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX credentials_by_user ON credentials (user_id);

-- Attempts from one network address, right ones too, in windows.
CREATE TABLE addresses (
    address TEXT NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,
    window_until INTEGER NOT NULL
) STRICT;

-- Other systems that ask. `hash` is SHA-256 of a key of 256 random bits.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Append-only. `mac` covers the event and the mac before it, under the audit key of `key_id`. `at` is in milliseconds.
CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    user_id TEXT,
    detail TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    mac BLOB NOT NULL
) STRICT;

-- One row: where the chain ends. Who appends changes it first, so that only one can.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    mac BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, x'');
