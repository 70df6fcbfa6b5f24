-- Doors that a door station of another maker opens by a relay of its own, instead of a controller.
--
-- Read by SQLite and PostgreSQL alike. That a door was opened stands nowhere.

CREATE TABLE station_relay (
    tenant UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    panel UUID NOT NULL,
    way TEXT NOT NULL CHECK (way IN ('keys', 'http')),
    -- What the station wants to hear in its call.
    keys TEXT,
    -- What is asked for at the address from which the station is registered; a host stands nowhere.
    https BOOLEAN,
    port INTEGER CHECK (port BETWEEN 1 AND 65535),
    path TEXT,
    account TEXT,
    -- Encrypted by the server; its key is not in here.
    password BYTEA,
    -- The password may go in the clear.
    basic BOOLEAN,
    PRIMARY KEY (tenant, door),
    CHECK ((way = 'keys') = (keys IS NOT NULL)),
    CHECK ((way = 'http') = (https IS NOT NULL)),
    CHECK ((way = 'http') = (port IS NOT NULL)),
    CHECK ((way = 'http') = (path IS NOT NULL)),
    CHECK ((way = 'http') = (basic IS NOT NULL)),
    CHECK (password IS NULL OR account IS NOT NULL),
    CHECK (account IS NULL OR way = 'http'),
    FOREIGN KEY (tenant, building, panel) REFERENCES panel (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX station_relay_panel ON station_relay (tenant, panel);
