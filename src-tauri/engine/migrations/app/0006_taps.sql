-- Taps: listeners of ours before saved brokers. The private key of a TLS listener is sealed.
CREATE TABLE taps (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    broker_id  TEXT NOT NULL REFERENCES brokers (id) ON DELETE RESTRICT,
    spec       TEXT NOT NULL, -- JSON: the tap without secrets
    listener_key BLOB,
    created_at INTEGER NOT NULL
) STRICT;
