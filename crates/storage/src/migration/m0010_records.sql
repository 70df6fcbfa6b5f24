-- Records of use: who was before which door of a commercial building, as long as its administrators keep them for a purpose.
--
-- The keys refuse whatever the code should not do: a policy for a building that is not commercial, a record without a policy in
-- force or from before it began, and a building that becomes residential while there is either.
--
-- Read by SQLite and PostgreSQL alike.

-- Until when it was residential or mixed, in UTC ms; none when it is, or was commercial from its beginning.
ALTER TABLE building ADD COLUMN residential_until BIGINT;
-- what a building was that was changed before, nobody knows
UPDATE building SET residential_until = 0 WHERE kind = 'commercial' AND version > 1;
CREATE UNIQUE INDEX building_kind ON building (tenant, id, kind);

CREATE TABLE record_policy (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'commercial'),
    purpose TEXT NOT NULL,
    days INTEGER NOT NULL CHECK (days BETWEEN 1 AND 90),
    -- The day on which the people were told, since 1970.
    told_on BIGINT NOT NULL,
    -- Nothing from before is kept. None while a second administrator has to agree.
    begins_at BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, building),
    UNIQUE (tenant, building, begins_at),
    FOREIGN KEY (tenant, building, kind) REFERENCES building (tenant, id, kind) ON DELETE CASCADE
);

-- Who asked for it and who agreed; goes with them.
CREATE TABLE record_policy_by (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    did TEXT NOT NULL CHECK (did IN ('asked', 'confirmed')),
    person UUID NOT NULL,
    PRIMARY KEY (tenant, building, did),
    FOREIGN KEY (tenant, building) REFERENCES record_policy (tenant, building) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX record_policy_by_person ON record_policy_by (tenant, person);

-- No column for a card, a code, a kind of credential, a phone or an address.
CREATE TABLE access_record (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    -- The beginning of the policy that it is kept by.
    policy_began BIGINT NOT NULL,
    door UUID NOT NULL,
    person UUID,
    -- A guest is forgotten before the record is.
    guest UUID,
    at BIGINT NOT NULL,
    -- The controller did not believe its clock.
    about BOOLEAN NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('opened', 'refused', 'failed')),
    reason TEXT,
    -- From this moment on it is nobody's to read.
    forget_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    CHECK ((person IS NULL) <> (guest IS NULL)),
    CHECK ((outcome = 'refused') = (reason IS NOT NULL)),
    CHECK (at >= policy_began),
    FOREIGN KEY (tenant, building, policy_began) REFERENCES record_policy (tenant, building, begins_at) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX access_record_building ON access_record (tenant, building, at, id);
CREATE INDEX access_record_door ON access_record (tenant, door);
CREATE INDEX access_record_person ON access_record (tenant, person, at);
CREATE INDEX access_record_forget ON access_record (forget_at);

-- That somebody read records; stays its days when records are kept no longer.
CREATE TABLE record_reading (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    at BIGINT NOT NULL,
    -- About whom; none for everybody.
    person UUID,
    door UUID,
    from_at BIGINT,
    until_at BIGINT,
    -- As a file.
    file BOOLEAN NOT NULL,
    purpose TEXT,
    forget_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX record_reading_building ON record_reading (tenant, building, at, id);
CREATE INDEX record_reading_person ON record_reading (tenant, person);
CREATE INDEX record_reading_forget ON record_reading (forget_at);

-- Who read; goes with them.
CREATE TABLE record_reading_by (
    tenant UUID NOT NULL,
    reading UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, reading),
    FOREIGN KEY (tenant, reading) REFERENCES record_reading (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX record_reading_by_person ON record_reading_by (tenant, person);
