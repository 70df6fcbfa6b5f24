-- The button that a door station rings with every number that no button of it has: for one whose own button dials something that
-- can not be changed.
--
-- Read by SQLite and PostgreSQL alike. The setting goes with its button and with its panel.

CREATE TABLE station_bell (
    tenant UUID NOT NULL,
    panel UUID NOT NULL,
    bell UUID NOT NULL,
    PRIMARY KEY (tenant, panel),
    FOREIGN KEY (tenant, panel) REFERENCES panel (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE
);
CREATE INDEX station_bell_bell ON station_bell (tenant, bell);
