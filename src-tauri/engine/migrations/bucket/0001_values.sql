-- Values as they were posted, in the order of their arrival.
CREATE TABLE value (
    seq       INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL,          -- 24 hexadecimal digits
    serial    TEXT    NOT NULL,
    variable  TEXT    NOT NULL,
    value     TEXT,                      -- JSON, so that "21" and 21 stay different
    unit      TEXT,
    grp       TEXT    NOT NULL,
    time      TEXT,                      -- JSON as given; NULL means stored_at
    location  TEXT,                      -- JSON as given
    metadata  TEXT,                      -- JSON object
    stored_at INTEGER NOT NULL           -- Unix milliseconds
) STRICT;

CREATE INDEX value_of_serial ON value (serial, seq);

-- One row per serial, kept in the transaction that stores or prunes its values.
CREATE TABLE device (
    serial        TEXT    PRIMARY KEY,
    count         INTEGER NOT NULL,
    last_variable TEXT    NOT NULL,
    last_value    TEXT    NOT NULL,      -- cut, for lists
    last_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
