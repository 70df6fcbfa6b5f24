-- Ordinary phones: the trunks that lead to them, whose number is known, and how often may be called.
--
-- Read by SQLite and PostgreSQL alike. That somebody was called stands nowhere.

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
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    CHECK (password IS NULL OR account IS NOT NULL),
    FOREIGN KEY (tenant) REFERENCES tenant (tenant)
);

-- One a person, and only when it is known to be theirs. Ends with their last home.
CREATE TABLE phone_number (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    number TEXT NOT NULL,
    verified TEXT NOT NULL CHECK (verified IN ('vouched', 'called')),
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES person (tenant, id) ON DELETE CASCADE
);

-- Who vouches; goes with them, and the number stays.
CREATE TABLE phone_number_by (
    tenant UUID NOT NULL,
    person UUID NOT NULL,
    by_person UUID NOT NULL,
    PRIMARY KEY (tenant, person),
    FOREIGN KEY (tenant, person) REFERENCES phone_number (tenant, person) ON DELETE CASCADE,
    FOREIGN KEY (tenant, by_person) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX phone_number_by_person ON phone_number_by (tenant, by_person);

-- Of a property manager who changed them.
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

-- What a building decided about phones before there were any. The word from before stays: an older server reads it.
UPDATE building_policy SET policy = REPLACE(policy, '"phone_fallback":false', '"phone_fallback":false,"phones":"off"');
UPDATE building_policy
    SET policy = REPLACE(policy, '"phone_fallback":true', '"phone_fallback":true,"phones":"without_device"');
