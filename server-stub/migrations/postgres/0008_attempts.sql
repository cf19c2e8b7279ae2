-- Whoever asks for a user costs the same whether there is one, and whether the attempt may be looked at.

-- Changed by every attempt, also by one for a name that comes before this one and that nobody has. Says nothing.
ALTER TABLE users ADD COLUMN knocks BIGINT NOT NULL DEFAULT 2;
-- Whether the last attempt was one to be looked at.
ALTER TABLE users ADD COLUMN claimed BIGINT NOT NULL DEFAULT 0;

-- Room in each page for a row's next version: what is written at every attempt stays where it is, and no index changes.
ALTER TABLE users SET (fillfactor = 70);
ALTER TABLE credentials SET (fillfactor = 80);
ALTER TABLE addresses SET (fillfactor = 50);
