-- What devices register with over SIP: desk phones and SIP apps of people, and door stations.
--
-- Read by SQLite and PostgreSQL alike. Whether and when a device registered stands nowhere.

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
