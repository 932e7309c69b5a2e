-- Messages that a person keeps to publish them again: a folder, a name in it, and the form as it was typed.
CREATE TABLE messages (
    id      INTEGER PRIMARY KEY,
    folder  TEXT NOT NULL COLLATE NOCASE,
    name    TEXT NOT NULL COLLATE NOCASE,
    message TEXT NOT NULL,
    UNIQUE (folder, name)
) STRICT;
