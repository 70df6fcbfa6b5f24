-- Whether the sound of a trunk's calls is encrypted: never, where the phone can, or always.
--
-- Read by SQLite and PostgreSQL alike.

ALTER TABLE trunk ADD COLUMN encryption TEXT NOT NULL DEFAULT 'off'
    CHECK (encryption IN ('off', 'offered', 'required'));
