-- The inspector's saved filters: a name and the line it stands for.
CREATE TABLE filters (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    line TEXT NOT NULL
) STRICT;
