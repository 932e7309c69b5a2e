-- What an embedded broker keeps for clients that are away. Times are Unix milliseconds; no token stands here.
CREATE TABLE sessions (
    client_id     TEXT PRIMARY KEY,
    owner         TEXT NOT NULL, -- JSON: the token's id and its device, or Relayscope itself
    connect       TEXT NOT NULL, -- JSON: the CONNECT without will and password
    subscriptions TEXT NOT NULL, -- JSON
    created_at    INTEGER NOT NULL,
    expiry_seconds INTEGER NOT NULL, -- how long it is kept after the connection ended
    away_since    INTEGER -- nothing while the client is connected
) STRICT, WITHOUT ROWID;

-- QoS 1 and 2, not acknowledged by their receiver.
CREATE TABLE messages (
    client_id TEXT NOT NULL,
    ticket    INTEGER NOT NULL,
    message   TEXT NOT NULL, -- JSON: all but the payload
    payload   BLOB NOT NULL,
    packet_id INTEGER, -- once it was sent
    state     INTEGER, -- then: 0 no PUBACK, 1 no PUBREC, 2 no PUBCOMP
    PRIMARY KEY (client_id, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE retained (
    space   TEXT NOT NULL, -- the device, with a topic scope per device
    topic   TEXT NOT NULL,
    message TEXT NOT NULL, -- JSON: all but the payload
    payload BLOB NOT NULL,
    PRIMARY KEY (space, topic)
) STRICT, WITHOUT ROWID;
