-- Who may open what, when, beside living there.
--
-- Read by SQLite and PostgreSQL alike. A rule only ever allows. Whom and what it names goes with the person, unit or door;
-- that it means everybody or all doors is said by a column of its own, so a rule that lost its last name allows nobody.

-- Whose public holidays count.
ALTER TABLE building ADD COLUMN holidays TEXT NOT NULL DEFAULT 'none'
    CHECK (holidays IN ('none', 'norway', 'sweden', 'denmark', 'finland'));

-- How long the lock stays released for who needs longer.
ALTER TABLE door ADD COLUMN extended_release_ms BIGINT NOT NULL DEFAULT 20000;

-- The person needs more time at doors.
ALTER TABLE person ADD COLUMN needs_longer BOOLEAN NOT NULL DEFAULT FALSE;

-- Hours under a name.
CREATE TABLE schedule (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    -- Hours, holidays and exceptions as JSON; read and checked as one value.
    hours TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

CREATE TABLE access_rule (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    -- Everybody who lives or works in the building; whoever decides for one of its units.
    everybody BOOLEAN NOT NULL,
    unit_owners BOOLEAN NOT NULL,
    all_doors BOOLEAN NOT NULL,
    -- At any time without.
    schedule UUID,
    -- Days since 1970 in the building's time zone.
    first_day BIGINT,
    last_day BIGINT,
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, schedule) REFERENCES schedule (tenant, building, id)
);
CREATE INDEX access_rule_schedule ON access_rule (tenant, building, schedule);

CREATE TABLE access_rule_person (
    tenant UUID NOT NULL,
    rule UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, rule, person),
    FOREIGN KEY (tenant, rule) REFERENCES access_rule (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX access_rule_of_person ON access_rule_person (tenant, person, rule);

CREATE TABLE access_rule_unit (
    tenant UUID NOT NULL,
    rule UUID NOT NULL,
    unit UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, rule, unit),
    FOREIGN KEY (tenant, building, rule) REFERENCES access_rule (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, unit) REFERENCES unit (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX access_rule_of_unit ON access_rule_unit (tenant, unit, rule);

CREATE TABLE access_rule_door (
    tenant UUID NOT NULL,
    rule UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, rule, door),
    FOREIGN KEY (tenant, building, rule) REFERENCES access_rule (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX access_rule_of_door ON access_rule_door (tenant, door, rule);
