-- The certificate of a door station's web server that an administrator took, by its SHA-256: no other counts then.
--
-- Read by SQLite and PostgreSQL alike.

ALTER TABLE station_relay ADD COLUMN certificate BYTEA
    CHECK (certificate IS NULL OR (https IS NOT NULL AND https AND length(certificate) = 32));
