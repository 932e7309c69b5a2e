-- Dead letters keep the request that failed; a discarded one can be taken back for a while.
ALTER TABLE dead_letters ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN discarded_at INTEGER;

-- Bytes that wait, for the budget; and when the first attempt was made, for giving up.
ALTER TABLE ledger ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE ledger SET bytes = (SELECT coalesce(sum(length(topic) + length(payload) + 128), 0) FROM queue
                           WHERE queue.relay_id = ledger.relay_id);
ALTER TABLE queue ADD COLUMN first_try_at INTEGER;

-- What was last seen as retained on a topic: it is not forwarded again when the broker sends it upon subscribing.
CREATE TABLE retained (
    relay_id BLOB NOT NULL,
    topic    TEXT NOT NULL,
    digest   BLOB NOT NULL,
    PRIMARY KEY (relay_id, topic)
) STRICT, WITHOUT ROWID;
