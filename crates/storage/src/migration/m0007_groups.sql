-- Groups of people and of doors, which rules name; floors of lifts beside doors.
--
-- Read by SQLite and PostgreSQL alike. A group that a rule names stays until the rule is gone; who and what is in it goes
-- with the person or the door, so that an empty group allows nobody and opens nothing.

-- What is opened.
ALTER TABLE door ADD COLUMN kind TEXT NOT NULL DEFAULT 'door' CHECK (kind IN ('door', 'floor'));

CREATE TABLE people_group (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

CREATE TABLE people_group_member (
    tenant UUID NOT NULL,
    people_group UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, people_group, person),
    FOREIGN KEY (tenant, people_group) REFERENCES people_group (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX people_group_of_person ON people_group_member (tenant, person, people_group);

CREATE TABLE door_group (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

CREATE TABLE door_group_door (
    tenant UUID NOT NULL,
    door_group UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, door_group, door),
    FOREIGN KEY (tenant, building, door_group) REFERENCES door_group (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX door_group_of_door ON door_group_door (tenant, door, door_group);

CREATE TABLE access_rule_people_group (
    tenant UUID NOT NULL,
    rule UUID NOT NULL,
    people_group UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, rule, people_group),
    FOREIGN KEY (tenant, building, rule) REFERENCES access_rule (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, people_group) REFERENCES people_group (tenant, building, id)
);
CREATE INDEX access_rule_of_people_group ON access_rule_people_group (tenant, people_group, rule);

CREATE TABLE access_rule_door_group (
    tenant UUID NOT NULL,
    rule UUID NOT NULL,
    door_group UUID NOT NULL,
    building UUID NOT NULL,
    PRIMARY KEY (tenant, rule, door_group),
    FOREIGN KEY (tenant, building, rule) REFERENCES access_rule (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door_group) REFERENCES door_group (tenant, building, id)
);
CREATE INDEX access_rule_of_door_group ON access_rule_door_group (tenant, door_group, rule);
