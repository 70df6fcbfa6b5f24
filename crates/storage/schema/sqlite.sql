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
CREATE INDEX access_record_forget ON access_record (forget_at);
CREATE INDEX access_record_person ON access_record (tenant, person, at);
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
CREATE TABLE account (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    user_name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
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
CREATE TABLE alarm_seen (
    tenant UUID NOT NULL,
    alarm UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, alarm),
    FOREIGN KEY (tenant, alarm) REFERENCES alarm (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX alarm_seen_person ON alarm_seen (tenant, person);
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
CREATE TABLE api_token_right (
    tenant UUID NOT NULL,
    token UUID NOT NULL,
    allows TEXT NOT NULL CHECK (allows IN
        ('see_building', 'see_people', 'change_people', 'change_building', 'devices', 'audit')),
    PRIMARY KEY (tenant, token, allows),
    FOREIGN KEY (tenant, token) REFERENCES api_token (tenant, id) ON DELETE CASCADE
);
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
CREATE TABLE audit_person (
    tenant UUID NOT NULL,
    seq BIGINT NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, person, seq),
    FOREIGN KEY (tenant, seq) REFERENCES audit (tenant, seq) ON DELETE CASCADE
);
CREATE TABLE bell (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    panel UUID NOT NULL,
    unit UUID NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('individual', 'sequential', 'parallel', 'family')),
    position INTEGER NOT NULL, alias TEXT, listing TEXT NOT NULL DEFAULT 'listed' CHECK (listing IN ('listed', 'search_only', 'dial_only')), hidden BOOLEAN NOT NULL DEFAULT FALSE, dial_code TEXT, version BIGINT NOT NULL DEFAULT 1, moderation TEXT NOT NULL DEFAULT 'none' CHECK (moderation IN ('none', 'pending', 'removed')), text_before TEXT, text_asked TEXT, removed_reason TEXT, sort_label BYTEA NOT NULL DEFAULT '', picture_reason TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, unit, id),
    FOREIGN KEY (tenant, building, panel) REFERENCES panel (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, unit) REFERENCES unit (tenant, building, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX bell_dial_code ON bell (tenant, panel, dial_code);
CREATE INDEX bell_label ON bell (tenant, building, sort_label, id);
CREATE INDEX bell_panel ON bell (tenant, panel);
CREATE INDEX bell_place ON bell (tenant, building, panel, position, id);
CREATE TABLE bell_hours (
    tenant UUID NOT NULL,
    bell UUID NOT NULL,
    -- The timetable as JSON; read and checked as one value.
    hours TEXT NOT NULL,
    hides BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, bell),
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE
);
CREATE TABLE bell_member (
    tenant UUID NOT NULL,
    bell UUID NOT NULL,
    person UUID NOT NULL,
    unit UUID NOT NULL,
    label TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, bell, person),
    FOREIGN KEY (tenant, unit, bell) REFERENCES bell (tenant, unit, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, unit, person) REFERENCES membership (tenant, unit, person) ON DELETE CASCADE
);
CREATE INDEX bell_member_membership ON bell_member (tenant, unit, person);
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
CREATE TABLE building (
    tenant UUID NOT NULL REFERENCES tenant (tenant),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('residential', 'commercial', 'mixed')),
    time_zone TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('normal', 'locked_down')), version BIGINT NOT NULL DEFAULT 1, holidays TEXT NOT NULL DEFAULT 'none'
    CHECK (holidays IN ('none', 'norway', 'sweden', 'denmark', 'finland')), residential_until BIGINT,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX building_kind ON building (tenant, id, kind);
CREATE TABLE building_policy (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    version BIGINT NOT NULL,
    -- The whole policy as JSON; read and checked as one value.
    policy TEXT NOT NULL,
    PRIMARY KEY (tenant, building),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE
);
CREATE TABLE card (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    person UUID NOT NULL,
    -- What people call it: what is printed on it, or "Blue key ring"; and the same folded, to find it by.
    name TEXT NOT NULL,
    folded BYTEA NOT NULL,
    -- How its bits came to be, how many there are, and the bits from the left of the first byte.
    format TEXT NOT NULL CHECK (format IN ('bits', 'serial')),
    bits BIGINT NOT NULL CHECK (bits BETWEEN 24 AND 200),
    raw BYTEA NOT NULL,
    -- How its number was given, and is told again.
    written_as TEXT NOT NULL CHECK (written_as IN ('serial', 'wiegand26', 'wiegand34', 'bits')),
    -- Whether it can be copied: it only says a number, or it proves it.
    tier TEXT NOT NULL CHECK (tier IN ('identifier', 'proven')),
    -- Who blocked it; it opens nothing while somebody did.
    blocked_by TEXT NULL CHECK (blocked_by IN ('holder', 'administrator')),
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, format, bits, raw),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX card_of_person ON card (tenant, person, building);
CREATE TABLE confidentiality (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    version INTEGER NOT NULL,
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, person, version),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE TABLE controller (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    certificate_sha256 BYTEA NOT NULL UNIQUE,
    revision BIGINT NOT NULL, version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id)
);
CREATE TABLE controller_journal (
    tenant UUID NOT NULL,
    controller UUID NOT NULL,
    journal UUID NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant, controller),
    FOREIGN KEY (tenant, controller) REFERENCES controller (tenant, id) ON DELETE CASCADE
);
CREATE TABLE device (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    person UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('app', 'station')),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX device_person ON device (tenant, person);
CREATE TABLE door (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL,
    controller UUID,
    output INTEGER NOT NULL,
    release_ms BIGINT NOT NULL,
    open_ms BIGINT NOT NULL,
    relock TEXT NOT NULL CHECK (relock IN ('on_open', 'on_close')), version BIGINT NOT NULL DEFAULT 1, extended_release_ms BIGINT NOT NULL DEFAULT 20000, kind TEXT NOT NULL DEFAULT 'door' CHECK (kind IN ('door', 'floor')),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    UNIQUE (tenant, controller, output),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id),
    FOREIGN KEY (tenant, building, controller) REFERENCES controller (tenant, building, id)
);
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
CREATE TABLE entrance (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    name TEXT NOT NULL, version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id)
);
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
CREATE INDEX guest_end ON guest (ends_at);
CREATE INDEX guest_host ON guest (tenant, host);
CREATE INDEX guest_id ON guest (id);
CREATE INDEX guest_unit ON guest (tenant, unit);
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
CREATE TABLE guest_mail (
    tenant UUID NOT NULL,
    guest UUID NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    PRIMARY KEY (tenant, guest),
    FOREIGN KEY (tenant, guest) REFERENCES guest (tenant, id) ON DELETE CASCADE
);
CREATE TABLE household_member (
    tenant UUID NOT NULL,
    unit UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, unit, person),
    FOREIGN KEY (tenant, unit, person) REFERENCES membership (tenant, unit, person) ON DELETE CASCADE
);
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
CREATE TABLE installation (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    tenant UUID NOT NULL REFERENCES tenant (tenant) DEFERRABLE INITIALLY DEFERRED
, ios_min TEXT NOT NULL DEFAULT '16.4', android_min TEXT NOT NULL DEFAULT '10');
CREATE TABLE invitation (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    ends_at BIGINT NOT NULL,
    used BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE TABLE "job" (
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
CREATE INDEX job_due ON job (run_at);
CREATE TABLE membership (
    tenant UUID NOT NULL,
    unit UUID NOT NULL,
    person UUID NOT NULL,
    owner BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, unit, person),
    FOREIGN KEY (tenant, unit) REFERENCES unit (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX membership_home ON membership (tenant, person, unit);
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
CREATE INDEX move_due ON move (state, ends_at);
CREATE INDEX move_list ON move (tenant, building, state, ends_at, id);
CREATE INDEX move_unit ON move (tenant, unit);
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
CREATE TABLE panel (
    tenant UUID NOT NULL,
    id UUID NOT NULL UNIQUE,
    building UUID NOT NULL,
    entrance UUID,
    name TEXT NOT NULL,
    public_key BYTEA, version BIGINT NOT NULL DEFAULT 1, wrong_codes BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id),
    FOREIGN KEY (tenant, building, entrance) REFERENCES entrance (tenant, building, id)
);
CREATE TABLE panel_door (
    tenant UUID NOT NULL,
    panel UUID NOT NULL,
    door UUID NOT NULL,
    building UUID NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tenant, panel, door),
    FOREIGN KEY (tenant, building, panel) REFERENCES panel (tenant, building, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, building, door) REFERENCES door (tenant, building, id) ON DELETE CASCADE
);
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
CREATE TABLE person (
    tenant UUID NOT NULL REFERENCES tenant (tenant),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL, email TEXT, phone TEXT, language TEXT NOT NULL DEFAULT 'nb', version BIGINT NOT NULL DEFAULT 1, sort_name BYTEA NOT NULL DEFAULT '', needs_longer BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX person_sort ON person (tenant, sort_name, id);
CREATE TABLE person_code (
    tenant UUID NOT NULL,
    building UUID NOT NULL,
    person UUID NOT NULL,
    -- What the code is derived with; another for each new one.
    number BIGINT NOT NULL,
    -- What the code is found by, and the one that is typed under duress. Nobody else in the building has either, guests
    -- neither, whether the building uses codes for duress or not.
    hash BYTEA NOT NULL,
    duress_hash BYTEA NOT NULL,
    PRIMARY KEY (tenant, building, person),
    UNIQUE (tenant, building, hash),
    UNIQUE (tenant, building, duress_hash),
    FOREIGN KEY (tenant, building) REFERENCES building (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX person_code_of_person ON person_code (tenant, person);
CREATE TABLE person_word (
    tenant UUID NOT NULL,
    word BYTEA NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, word, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX person_word_person ON person_word (tenant, person);
CREATE TABLE phone_limits (
    tenant UUID NOT NULL PRIMARY KEY,
    -- Calling codes, as a list in JSON.
    countries TEXT NOT NULL,
    number_hour INTEGER NOT NULL CHECK (number_hour > 0),
    building_hour INTEGER NOT NULL CHECK (building_hour > 0),
    tenant_day INTEGER NOT NULL CHECK (tenant_day > 0),
    version BIGINT NOT NULL,
    FOREIGN KEY (tenant) REFERENCES tenant (tenant)
);
CREATE TABLE phone_number (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    number TEXT NOT NULL,
    verified TEXT NOT NULL CHECK (verified IN ('vouched', 'called')),
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE TABLE phone_number_by (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    by_person UUID NOT NULL,
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES phone_number (tenant, person) ON DELETE CASCADE,
    FOREIGN KEY (tenant, by_person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX phone_number_by_person ON phone_number_by (tenant, by_person);
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
CREATE INDEX record_reading_forget ON record_reading (forget_at);
CREATE INDEX record_reading_person ON record_reading (tenant, person);
CREATE TABLE record_reading_by (
    tenant UUID NOT NULL,
    reading UUID NOT NULL,
    person UUID NOT NULL,
    PRIMARY KEY (tenant, reading),
    FOREIGN KEY (tenant, reading) REFERENCES record_reading (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX record_reading_by_person ON record_reading_by (tenant, person);
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
CREATE INDEX role_grant_building ON role_grant (tenant, building);
CREATE INDEX role_grant_person ON role_grant (tenant, person);
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
CREATE TABLE "seaql_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL );
CREATE TABLE session (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    device UUID NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    expires_day BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, device) REFERENCES device (tenant, id) ON DELETE CASCADE
);
CREATE INDEX session_device ON session (tenant, device);
CREATE TABLE sip_account (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    -- Random; devices name no property manager, so each is there once.
    name TEXT NOT NULL UNIQUE,
    -- Whose it is: a station of a person, or a panel of another maker.
    device UUID,
    panel UUID,
    -- Digests of name, realm and password (HA1, RFC 7616 section 3.4.2); the password itself is nowhere.
    md5 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, device),
    UNIQUE (tenant, panel),
    CHECK ((device IS NULL) <> (panel IS NULL)),
    FOREIGN KEY (tenant) REFERENCES tenant (tenant),
    FOREIGN KEY (tenant, device) REFERENCES device (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, panel) REFERENCES panel (tenant, id) ON DELETE CASCADE
);
CREATE TABLE station_bell (
    tenant UUID NOT NULL,
    panel UUID NOT NULL,
    bell UUID NOT NULL,
    PRIMARY KEY (tenant, panel),
    FOREIGN KEY (tenant, panel) REFERENCES panel (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, bell) REFERENCES bell (tenant, id) ON DELETE CASCADE
);
CREATE INDEX station_bell_bell ON station_bell (tenant, bell);
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
    basic BOOLEAN, certificate BYTEA
    CHECK (certificate IS NULL OR (https IS NOT NULL AND https AND length(certificate) = 32)),
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
CREATE TABLE tenant (
    tenant UUID PRIMARY KEY,
    name TEXT NOT NULL
, suspended BOOLEAN NOT NULL DEFAULT FALSE, version BIGINT NOT NULL DEFAULT 1);
CREATE TABLE trunk (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    -- The order in which they are tried.
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    way TEXT NOT NULL CHECK (way IN ('udp', 'tcp', 'tls')),
    -- The domain of SIP addresses, where it is not the host.
    domain TEXT,
    -- The one number that all calls come from.
    caller TEXT NOT NULL,
    registers BOOLEAN NOT NULL,
    account TEXT,
    -- Encrypted by the server; its key is not in here.
    password BYTEA,
    keys TEXT NOT NULL CHECK (keys IN ('rfc4733', 'tones')),
    enabled BOOLEAN NOT NULL,
    version BIGINT NOT NULL, encryption TEXT NOT NULL DEFAULT 'off'
    CHECK (encryption IN ('off', 'offered', 'required')),
    PRIMARY KEY (tenant, id),
    CHECK (password IS NULL OR account IS NOT NULL),
    FOREIGN KEY (tenant) REFERENCES tenant (tenant)
);
CREATE TABLE unit (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    building UUID NOT NULL,
    entrance UUID NOT NULL,
    number TEXT NOT NULL, folded BYTEA NOT NULL DEFAULT '', sort_number BYTEA NOT NULL DEFAULT '', version BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, building, id),
    FOREIGN KEY (tenant, building, entrance) REFERENCES entrance (tenant, building, id)
);
CREATE INDEX unit_folded ON unit (tenant, folded, id);
CREATE INDEX unit_of_building ON unit (tenant, building, folded, id);
CREATE UNIQUE INDEX unit_sort ON unit (tenant, building, sort_number, id);
CREATE TABLE unit_door (
    tenant UUID NOT NULL,
    unit UUID NOT NULL,
    door UUID NOT NULL,
    PRIMARY KEY (tenant, unit, door),
    FOREIGN KEY (tenant, unit) REFERENCES unit (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, door) REFERENCES door (tenant, id) ON DELETE CASCADE
);
CREATE INDEX unit_door_door ON unit_door (tenant, door, unit);
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
    import UUID, alarm UUID,
    PRIMARY KEY (tenant, webhook, seq),
    FOREIGN KEY (tenant, webhook) REFERENCES webhook (tenant, id) ON DELETE CASCADE
);
