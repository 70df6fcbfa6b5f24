-- People and buildings: what a property manager runs them with.
--
-- Read by SQLite and PostgreSQL alike. Rows may hold the days of a contract (a role that ends, a move), and when an
-- administrator changed something; never when somebody used something.

-- What others may know of a person, beside the name. A person without a name (R85) has an empty one.
ALTER TABLE person ADD COLUMN email TEXT;
ALTER TABLE person ADD COLUMN phone TEXT;
ALTER TABLE person ADD COLUMN language TEXT NOT NULL DEFAULT 'nb';
-- Grows with every change, so that two administrators who edit at once are told.
ALTER TABLE person ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- What the list is sorted by: the name, folded (see `klinke_model::fold`). Bytes, because databases sort text each in
-- their own way.
ALTER TABLE person ADD COLUMN sort_name BYTEA NOT NULL DEFAULT '';
CREATE INDEX person_sort ON person (tenant, sort_name, id);

-- The folded words a person is found by: of the name, the e-mail address, the phone number. A table and not a full-text
-- index: what is deleted from it is overwritten.
CREATE TABLE person_word (
    tenant UUID NOT NULL,
    word BYTEA NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, word, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX person_word_person ON person_word (tenant, person);

-- What a person may administer, and until when. No building: every building of the property manager.
CREATE TABLE role_grant (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    person UUID NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('operator', 'manager', 'building_administrator', 'caretaker', 'auditor')),
    building UUID,
    -- First moment (UTC ms) at which it is over; none for roles without access to personal data.
    ends_at BIGINT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);
CREATE INDEX role_grant_person ON role_grant (tenant, person);
CREATE INDEX role_grant_building ON role_grant (tenant, building);

-- Who bound themselves to confidentiality, to which version of the text, and when (R86).
CREATE TABLE confidentiality (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    version INTEGER NOT NULL,
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, person, version),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);

-- A link to set a password. One a person; a new one takes the place of the old. A used one stays until the next, so that
-- who follows it again is told why it does nothing.
CREATE TABLE invitation (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    ends_at BIGINT NOT NULL,
    used BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);

-- Work for later, enqueued in the transaction that makes it necessary. Holds ids, never texts or secrets. Work for the same
-- subject that waits already is not enqueued twice.
CREATE TABLE job (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('invite')),
    subject UUID NOT NULL,
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, subject),
    FOREIGN KEY (tenant) REFERENCES tenant (tenant)
);
CREATE INDEX job_due ON job (run_at);

-- A household moves out of a unit, at the end of a day.
CREATE TABLE move (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    unit UUID NOT NULL,
    -- Days since 1970 in the building's time zone; and the first moment (UTC ms) after it.
    last_day BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'done')),
    -- Of a done move: what ended with it, as JSON with counts only.
    ended TEXT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building, unit) REFERENCES unit (tenant, building, id) ON DELETE CASCADE
);
CREATE INDEX move_unit ON move (tenant, unit);
CREATE INDEX move_due ON move (state, ends_at);

-- Who moves: out, or in on the day after.
CREATE TABLE move_person (
    tenant UUID NOT NULL,
    move UUID NOT NULL,
    person UUID NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('out', 'in')),
    owner BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, move, person),
    FOREIGN KEY (tenant, move) REFERENCES move (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);

-- What the building's people may decide for themselves. A building without a row has the defaults.
CREATE TABLE building_policy (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    version BIGINT NOT NULL,
    -- The whole policy as JSON; read and checked as one value.
    policy TEXT NOT NULL,
    PRIMARY KEY (tenant, building),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

-- What administrators changed (trust.md C6, first version): a chain of hashes for each property manager. The content names
-- people and can be erased; the hash of salt and content stays, so the chain still verifies.
CREATE TABLE audit (
    tenant UUID NOT NULL REFERENCES tenant (tenant),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    building UUID,
    action TEXT NOT NULL,
    salt BYTEA,
    content TEXT,
    content_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX audit_building ON audit (tenant, building, seq);

-- Whom an entry names: to find their entries, and to erase them.
CREATE TABLE audit_person (
    tenant UUID NOT NULL,
    seq BIGINT NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, person, seq),
    FOREIGN KEY (tenant, seq) REFERENCES audit (tenant, seq) ON DELETE CASCADE
);

-- A button beyond its text: an alias, how it can be found, hidden for now, and who asked for its text last.
ALTER TABLE bell ADD COLUMN alias TEXT;
ALTER TABLE bell ADD COLUMN listing TEXT NOT NULL DEFAULT 'listed' CHECK (listing IN ('listed', 'search_only', 'dial_only'));
ALTER TABLE bell ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE bell ADD COLUMN dial_code TEXT;
ALTER TABLE bell ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX bell_dial_code ON bell (tenant, panel, dial_code);
-- Whether an administrator has looked at what residents wrote on it: nothing to look at, not yet, or taken off the panel.
ALTER TABLE bell ADD COLUMN moderation TEXT NOT NULL DEFAULT 'none' CHECK (moderation IN ('none', 'pending', 'removed'));
-- What stood there when an administrator looked last; and what is to stand there once one has approved it.
ALTER TABLE bell ADD COLUMN text_before TEXT;
ALTER TABLE bell ADD COLUMN text_asked TEXT;
-- Why an administrator took it off the panel; told to those it rings.
ALTER TABLE bell ADD COLUMN removed_reason TEXT;

-- At which hours of the week a button is hidden or shown (R13), and whether they hide it just now: the server turns that at
-- the minute.
CREATE TABLE bell_hours (
    tenant UUID NOT NULL,
    bell UUID NOT NULL,
    -- The timetable as JSON; read and checked as one value.
    hours TEXT NOT NULL,
    hides BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, bell),
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE
);

-- The picture on a button (R11): seen and left to stand, new and on the panel, or not there before an administrator approved.
CREATE TABLE bell_picture (
    tenant UUID NOT NULL,
    bell UUID NOT NULL,
    -- SHA-256 of the content: what it is asked for by.
    hash BYTEA NOT NULL,
    content BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('seen', 'new', 'waits')),
    PRIMARY KEY (tenant, bell),
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE
);
CREATE INDEX bell_picture_hash ON bell_picture (hash);

-- Whom a household took in itself: its unit owner may take them out again.
CREATE TABLE household_member (
    tenant UUID NOT NULL,
    unit UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, unit, person),
    FOREIGN KEY (tenant, unit, person) REFERENCES membership (tenant, unit, person) ON DELETE CASCADE
);

-- An import: what was read, until it is applied, thrown away, or can no longer be undone.
CREATE TABLE import (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'applied')),
    -- Rows, columns and, once applied, how to undo it; JSON. Gone at `ends_at`.
    content TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

-- The roles before these. Who had one has it still; who administered one building is given it anew.
INSERT INTO role_grant (tenant, id, person, role) SELECT tenant, person, person, 'manager' FROM manager;
DROP TABLE manager;
DROP TABLE building_administrator;
