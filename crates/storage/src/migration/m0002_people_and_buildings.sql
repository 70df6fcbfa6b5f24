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

-- What a unit is found by and sorted by: its number, folded, as bytes.
ALTER TABLE unit ADD COLUMN folded BYTEA NOT NULL DEFAULT '';
CREATE INDEX unit_folded ON unit (tenant, folded, id);
CREATE INDEX unit_of_building ON unit (tenant, building, folded, id);
-- What the homes of a building are listed by: the number, figures by their value (see `klinke_model::alphabet`).
-- Unique, so that who lives in them can be listed in the same order without sorting.
ALTER TABLE unit ADD COLUMN sort_number BYTEA NOT NULL DEFAULT '';
CREATE UNIQUE INDEX unit_sort ON unit (tenant, building, sort_number, id);
-- Where somebody lives is answered by the index alone: SQLite takes the primary key for it else, and reads all of it.
CREATE INDEX membership_home ON membership (tenant, person, unit);
DROP INDEX membership_person;
-- Who may open a door is asked from the door's side too.
CREATE INDEX unit_door_door ON unit_door (tenant, door, unit);

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

-- A token with which another program asks, in the name of whoever made it: it may what is listed for it, and never more
-- than they may at that moment.
CREATE TABLE api_token (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    -- No building: every building of the property manager.
    building UUID,
    issuer UUID NOT NULL,
    -- First moment (UTC ms) at which it is over.
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, issuer) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX api_token_building ON api_token (tenant, building);
CREATE INDEX api_token_issuer ON api_token (tenant, issuer);

-- What a token may do.
CREATE TABLE api_token_right (
    tenant UUID NOT NULL,
    token UUID NOT NULL,
    allows TEXT NOT NULL CHECK (allows IN
        ('see_building', 'see_people', 'change_people', 'change_building', 'devices', 'audit')),
    PRIMARY KEY (tenant, token, allows),
    FOREIGN KEY (tenant, token) REFERENCES api_token (tenant, id) ON DELETE CASCADE
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
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'import')),
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
    -- Where those who leave live from then on, when it is in one of the property manager's buildings.
    to_unit UUID,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building, unit) REFERENCES unit (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, to_unit) REFERENCES unit (tenant, id) ON DELETE CASCADE
);
CREATE INDEX move_unit ON move (tenant, unit);
CREATE INDEX move_due ON move (state, ends_at);
CREATE INDEX move_list ON move (tenant, building, state, ends_at, id);

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
-- What a list of them is sorted by: the text's key, å after z; or where they hang. (By their unit: `unit_sort`.)
ALTER TABLE bell ADD COLUMN sort_label BYTEA NOT NULL DEFAULT '';
CREATE INDEX bell_label ON bell (tenant, building, sort_label, id);
CREATE INDEX bell_place ON bell (tenant, building, panel, position, id);

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
    -- Random, and a new one with every picture: what it is asked for by.
    id UUID NOT NULL,
    -- Whoever put it there, of those who live there: it goes when they do. None: an administrator.
    unit UUID NOT NULL,
    person UUID,
    -- Drawn anew from what was sent: a small JPEG, with nothing else in it.
    content BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('seen', 'new', 'waits')),
    PRIMARY KEY (tenant, bell),
    UNIQUE (tenant, id),
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, unit, person) REFERENCES membership (tenant, unit, person) ON DELETE CASCADE
);
CREATE INDEX bell_picture_person ON bell_picture (tenant, unit, person);
-- Why an administrator took its picture away; told to those it rings until one is there that was approved.
ALTER TABLE bell ADD COLUMN picture_reason TEXT;

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
    state TEXT NOT NULL CHECK (state IN ('draft', 'applying', 'applied', 'undoing', 'undone')),
    -- Rows and columns; JSON. Gone at `ends_at`, and when it is undone.
    content TEXT NOT NULL,
    -- While it is applied or undone: who wished it, and how; JSON.
    wish TEXT,
    -- Why the last wish was not carried out.
    failed TEXT CHECK (failed IN ('has_errors', 'interrupted', 'not_allowed')),
    -- Once applied: what it did; JSON.
    done TEXT,
    -- Once undone: how many people stayed.
    kept BIGINT NOT NULL DEFAULT 0,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);

-- The oldest systems on which the app rings as it should (R25).
ALTER TABLE installation ADD COLUMN ios_min TEXT NOT NULL DEFAULT '16.4';
ALTER TABLE installation ADD COLUMN android_min TEXT NOT NULL DEFAULT '10';

-- An operator suspends a property manager: nobody of it signs in, its doors go on.
ALTER TABLE tenant ADD COLUMN suspended BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE tenant ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Addresses that are told of changes. No building: of those in every building. The secret is made from the installation's key
-- and the number in `secret`, so nothing secret is kept here; the one before is good until `before_until`.
CREATE TABLE webhook (
    tenant UUID NOT NULL REFERENCES tenant (tenant),
    id UUID NOT NULL,
    building UUID,
    url TEXT NOT NULL,
    -- Which events, as a JSON list.
    events TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    secret BIGINT NOT NULL,
    before_until BIGINT,
    version BIGINT NOT NULL,
    -- The next try, and how many have failed in a row.
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    failing_since BIGINT,
    failure TEXT,
    -- Messages that were given up.
    lost BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);
CREATE INDEX webhook_due ON webhook (run_at);

-- Messages that wait for such an address, in order, made in the transaction of the change. Ids only; gone when taken.
CREATE TABLE webhook_delivery (
    tenant UUID NOT NULL,
    webhook UUID NOT NULL,
    seq BIGINT NOT NULL,
    id UUID NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    building UUID,
    unit UUID,
    person UUID,
    import UUID,
    PRIMARY KEY (tenant, webhook, seq),
    FOREIGN KEY (tenant, webhook) REFERENCES webhook (tenant, id) ON DELETE CASCADE
);

-- Parts of a property grow a version with every change, so that two administrators who edit at once are told.
ALTER TABLE building ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE entrance ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE unit ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE door ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE panel ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE controller ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The roles before these. Who had one has it still; who administered one building is given it anew.
INSERT INTO role_grant (tenant, id, person, role) SELECT tenant, person, person, 'manager' FROM manager;
DROP TABLE manager;
DROP TABLE building_administrator;
