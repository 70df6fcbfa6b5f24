-- What is special about a door: in which order it opens, when it stands open, how it is held. No row: nothing is.
--
-- Read by SQLite and PostgreSQL alike.

CREATE TABLE door_setting (
    tenant UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    -- Takes no card that can be copied.
    refuses_copyable BOOLEAN NOT NULL,
    -- Two different people within so many seconds.
    two_people_s BIGINT CHECK (two_people_s BETWEEN 3 AND 60),
    -- Only after somebody went through that door of the same controller, within so many seconds.
    after_door UUID,
    after_s BIGINT CHECK (after_s BETWEEN 5 AND 600),
    -- Doors of one building with the same number are one airlock.
    airlock BIGINT CHECK (airlock BETWEEN 1 AND 99),
    -- The hours in which it stands unlocked, and whether they begin only when the first has come.
    unlocked UUID,
    first_person_in BOOLEAN NOT NULL,
    -- Held by an administrator until one ends it.
    held TEXT CHECK (held IN ('unlocked', 'blocked')),
    PRIMARY KEY (tenant, door),
    CHECK ((after_door IS NULL) = (after_s IS NULL)),
    CHECK (after_door <> door),
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, after_door) REFERENCES door (tenant, building, id),
    FOREIGN KEY (tenant, building, unlocked) REFERENCES schedule (tenant, building, id)
);
CREATE INDEX door_setting_after ON door_setting (tenant, building, after_door);
CREATE INDEX door_setting_unlocked ON door_setting (tenant, building, unlocked);
