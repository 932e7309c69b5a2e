-- What the Live Inspector charts, in the order in which it was asked for; each as JSON.
CREATE TABLE charts (
    position INTEGER PRIMARY KEY,
    charted  TEXT NOT NULL
) STRICT;
