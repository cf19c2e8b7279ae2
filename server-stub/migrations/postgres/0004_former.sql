-- Apps that had a token, so that they can be told that it works elsewhere. No secret and no key is kept.

CREATE TABLE former_bindings (
    credential_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app_id TEXT NOT NULL,
    -- 1: another app took it; 0: it was taken back.
    moved BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE INDEX former_bindings_by_time ON former_bindings (ended_at);
CREATE INDEX former_bindings_by_user ON former_bindings (user_id);

-- The key that a token was sealed to, so that the app that lost the answer, and no second request, gets it again.
ALTER TABLE registrations ADD COLUMN seal_key TEXT;
