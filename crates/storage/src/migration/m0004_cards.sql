-- Cards and key rings: what readers read, and whose it is.
--
-- Read by SQLite and PostgreSQL alike. A card belongs to a person in a building; it opens what they may open there, and goes
-- with them. Where and when it was used stands nowhere.

CREATE TABLE card (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    person UUID NOT NULL,
    -- What people call it: what is printed on it, or "Blue key ring"; and the same folded, to find it by.
    name TEXT NOT NULL,
    folded BYTEA NOT NULL,
    -- How its bits came to be, how many there are, and the bits from the left of the first byte.
    format TEXT NOT NULL CHECK (format IN ('bits', 'serial')),
    bits BIGINT NOT NULL CHECK (bits BETWEEN 24 AND 200),
    raw BYTEA NOT NULL,
    -- How its number was given, and is told again.
    written_as TEXT NOT NULL CHECK (written_as IN ('serial', 'wiegand26', 'wiegand34', 'bits')),
    -- Whether it can be copied: it only says a number, or it proves it.
    tier TEXT NOT NULL CHECK (tier IN ('identifier', 'proven')),
    -- Who blocked it; it opens nothing while somebody did.
    blocked_by TEXT NULL CHECK (blocked_by IN ('holder', 'administrator')),
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, format, bits, raw),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX card_of_person ON card (tenant, person, building);
