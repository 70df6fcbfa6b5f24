-- Alarms of the doors, as their controllers tell of them. No column for a person who came or went, a card or a unit.
--
-- Read by SQLite and PostgreSQL alike.

-- Times are UTC ms. "About": the controller did not believe its clock.
CREATE TABLE alarm (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    controller UUID NOT NULL,
    -- The entry of the controller's journal that raised it: whatever is told twice is one row.
    journal UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    door UUID,
    part INTEGER,
    began_at BIGINT NOT NULL,
    began_about BOOLEAN NOT NULL,
    -- Of what only happens: when it began.
    ended_at BIGINT,
    ended_about BOOLEAN NOT NULL,
    -- When the server heard that it is over.
    over_at BIGINT,
    seen_at BIGINT,
    -- The mail that tells of it has not gone yet.
    mail BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, controller, journal, seq),
    FOREIGN KEY (tenant, building, controller) REFERENCES controller (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX alarm_building ON alarm (tenant, building, began_at);
CREATE INDEX alarm_door ON alarm (tenant, door);
CREATE INDEX alarm_over ON alarm (over_at);

-- Which administrator has seen it; goes with them, and it stays seen.
CREATE TABLE alarm_seen (
    tenant UUID NOT NULL,
    alarm UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, alarm),
    FOREIGN KEY (tenant, alarm) REFERENCES alarm (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX alarm_seen_person ON alarm_seen (tenant, person);

-- How far the journal of a controller was taken.
CREATE TABLE controller_journal (
    tenant UUID NOT NULL,
    controller UUID NOT NULL,
    journal UUID NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, controller),
    FOREIGN KEY (tenant, controller) REFERENCES controller (tenant, id) ON DELETE CASCADE
);

-- Whether the alarms of a building are mailed to its administrators, and when the next mail goes.
CREATE TABLE alarm_mail (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    wanted BOOLEAN NOT NULL,
    run_at BIGINT,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (tenant, building),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);
CREATE INDEX alarm_mail_due ON alarm_mail (run_at);

ALTER TABLE webhook_delivery ADD COLUMN alarm UUID;
