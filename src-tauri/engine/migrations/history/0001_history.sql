-- The feed's history. Ids ascend in the order of recording and are never used again.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- Unix milliseconds
    kinds   INTEGER NOT NULL, -- a bit for each kind of the filter
    message BLOB,             -- the message's id, 16 bytes
    payload BLOB,
    told    TEXT NOT NULL     -- JSON: its line, title, fields, step of a journey, what filters ask for
) STRICT;

CREATE INDEX event_at ON event (at);
CREATE INDEX event_message ON event (message) WHERE message IS NOT NULL;

-- Which sequences of three characters an event has: enough to leave most events unread in a search for text.
CREATE VIRTUAL TABLE event_text USING fts5(text, content = '', contentless_delete = 1, tokenize = 'trigram', detail = 'none');
