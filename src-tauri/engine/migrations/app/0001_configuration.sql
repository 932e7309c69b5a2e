-- What people configure. Secrets are sealed values (AEAD); ids are UUIDs as text; times are Unix milliseconds.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE brokers (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    spec       TEXT NOT NULL, -- JSON: where it is, without secrets
    password   BLOB,
    client_key BLOB,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL COLLATE NOCASE,
    kind         TEXT NOT NULL,
    region       TEXT NOT NULL, -- JSON
    sealed       BLOB NOT NULL,
    last5        TEXT NOT NULL,
    serial       TEXT,
    permission   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE relays (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE COLLATE NOCASE,
    broker_id        TEXT NOT NULL REFERENCES brokers (id) ON DELETE RESTRICT,
    region           TEXT NOT NULL, -- JSON
    network_token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE RESTRICT,
    authorization_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE RESTRICT,
    downlink_port    INTEGER,
    -- Appended to the broker's client id: relays that share a broker must not push each other out.
    client_suffix    TEXT NOT NULL,
    enabled          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE mappings (
    relay_id TEXT NOT NULL REFERENCES relays (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    filter   TEXT NOT NULL,
    qos      INTEGER NOT NULL,
    enabled  INTEGER NOT NULL,
    PRIMARY KEY (relay_id, position)
) STRICT, WITHOUT ROWID;
