-- Guests: named doors for a while, by a link, a QR pass or a code.
--
-- Read by SQLite and PostgreSQL alike. What opens is derived from the installation's key, the guest's id and a number, so none
-- of it is stored; the code's hash is, so that no two guests of a building have the same. A guest who may come once is
-- removed when they came: when it was is not stored.

CREATE TABLE guest (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    -- Who lets them in: their guests go with them, and never have a door that they do not have. None for guests of the
    -- administration.
    host UUID,
    -- The home that the guest counts for; none for guests of the administration.
    unit UUID,
    -- Who it is, in the host's words.
    name TEXT NOT NULL,
    -- First moment (UTC ms) at which they may come, and first at which they may not any more.
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    -- Hours of the week as JSON, as in schedule; at any time without.
    hours TEXT,
    once BOOLEAN NOT NULL,
    -- A door is being opened for somebody who may come once; stays where nobody knows whether it opened.
    taken BOOLEAN NOT NULL,
    -- With a new number the link and the QR pass from before are worth nothing.
    link_number BIGINT NOT NULL,
    -- The code is derived with this number; another when the code is taken.
    code_number BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    UNIQUE (tenant, building, code_hash),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, host) REFERENCES person (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, unit) REFERENCES unit (tenant, id) ON DELETE CASCADE
);
-- Who comes with a link is found by the id in it.
CREATE INDEX guest_id ON guest (id);
CREATE INDEX guest_host ON guest (tenant, host);
CREATE INDEX guest_unit ON guest (tenant, unit);
CREATE INDEX guest_end ON guest (ends_at);

-- A door that a guest may open.
CREATE TABLE guest_door (
    tenant UUID NOT NULL,
    guest UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, guest, door),
    FOREIGN KEY (tenant, building, guest) REFERENCES guest (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX guest_door_door ON guest_door (tenant, door);

-- A mail with a guest's link that waits to be sent. Gone when it was.
CREATE TABLE guest_mail (
    tenant UUID NOT NULL,
    guest UUID NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    PRIMARY KEY (tenant, guest),
    FOREIGN KEY (tenant, guest) REFERENCES guest (tenant, id) ON DELETE CASCADE
);

-- How many wrong codes were typed at a panel, so that a restart of the server makes guessing no faster.
ALTER TABLE panel ADD COLUMN wrong_codes BIGINT NOT NULL DEFAULT 0;

-- Work for later may be a guest's mail. Neither database changes a CHECK alike: the table is made anew.
CREATE TABLE job_anew (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'import', 'guest_mail')),
    subject UUID NOT NULL,
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, subject),
    FOREIGN KEY (tenant) REFERENCES tenant (tenant)
);
INSERT INTO job_anew SELECT tenant, id, kind, subject, run_at, attempts FROM job;
DROP TABLE job;
ALTER TABLE job_anew RENAME TO job;
CREATE INDEX job_due ON job (run_at);
