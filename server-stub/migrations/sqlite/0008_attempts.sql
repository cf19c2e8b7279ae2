-- Whoever asks for a user costs the same whether there is one, and whether the attempt may be looked at.

-- Changed by every attempt, also by one for a name that comes before this one and that nobody has. Says nothing.
ALTER TABLE users ADD COLUMN knocks INTEGER NOT NULL DEFAULT 2;
-- Whether the last attempt was one to be looked at.
ALTER TABLE users ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;
