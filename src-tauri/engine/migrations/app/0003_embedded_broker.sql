-- When a device token stops being valid, Unix milliseconds.
ALTER TABLE tokens ADD COLUMN expires_at INTEGER;

-- Private keys of an embedded broker's listeners, sealed.
CREATE TABLE listener_keys (
    broker_id   TEXT NOT NULL REFERENCES brokers (id) ON DELETE CASCADE,
    listener_id TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (broker_id, listener_id)
) STRICT, WITHOUT ROWID;
