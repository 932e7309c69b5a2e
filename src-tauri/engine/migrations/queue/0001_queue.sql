-- Messages between the acknowledgement to the broker and the answer of the destination.
CREATE TABLE queue (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    relay_id    BLOB NOT NULL,
    message_id  BLOB NOT NULL,
    topic       TEXT NOT NULL,
    payload     BLOB NOT NULL,
    qos         INTEGER NOT NULL,
    retain      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A relay reads its entries in order; a lane that waited reads its own.
CREATE INDEX queue_by_relay ON queue (relay_id, id);

CREATE TABLE dead_letters (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    relay_id    BLOB NOT NULL,
    message_id  BLOB NOT NULL,
    topic       TEXT NOT NULL,
    payload     BLOB NOT NULL,
    qos         INTEGER NOT NULL,
    retain      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    died_at     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    status      INTEGER,
    answer      TEXT NOT NULL
) STRICT;

CREATE INDEX dead_letters_by_relay ON dead_letters (relay_id, id);

-- Moved in the same transaction as the rows above. What waits is counted from the queue itself.
CREATE TABLE ledger (
    relay_id  BLOB PRIMARY KEY,
    received  INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    waiting   INTEGER NOT NULL DEFAULT 0,
    dead      INTEGER NOT NULL DEFAULT 0,
    dropped   INTEGER NOT NULL DEFAULT 0,
    filtered  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
