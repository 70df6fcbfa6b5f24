-- Codes of residents' own.
--
-- Read by SQLite and PostgreSQL alike. A code is derived from the installation's key and a number, as guests' are, so it is
-- not stored; its hash is, so that no two codes of a building are the same. Where and when it was typed stands nowhere.

CREATE TABLE person_code (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    person UUID NOT NULL,
    -- What the code is derived with; another for each new one.
    number BIGINT NOT NULL,
    -- What the code is found by, and the one that is typed under duress. Nobody else in the building has either, guests
    -- neither, whether the building uses codes for duress or not.
    hash BYTEA NOT NULL,
    duress_hash BYTEA NOT NULL,
    PRIMARY KEY (tenant, building, person),
    UNIQUE (tenant, building, hash),
    UNIQUE (tenant, building, duress_hash),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX person_code_of_person ON person_code (tenant, person);
