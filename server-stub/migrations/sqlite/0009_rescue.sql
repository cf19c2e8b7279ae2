-- Whether a session was opened by a rescue, which needs no second factor to administer.

ALTER TABLE sessions ADD COLUMN rescue INTEGER NOT NULL DEFAULT 0;
