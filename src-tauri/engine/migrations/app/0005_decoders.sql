-- How payloads are read: uploaded Protobuf schemas, and decoders bound to topic filters.
CREATE TABLE schemas (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE COLLATE NOCASE,
    source TEXT NOT NULL -- JSON: the texts, or the descriptor set in Base64
) STRICT;

CREATE TABLE bindings (
    id      TEXT PRIMARY KEY,
    filter  TEXT NOT NULL UNIQUE,
    decoder TEXT NOT NULL -- JSON
) STRICT;
