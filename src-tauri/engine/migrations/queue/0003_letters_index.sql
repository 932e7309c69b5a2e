-- Dead letters are counted, filtered by status and paged in their order without touching their payloads. Discarded ones
-- are not among them: only the purge and the undo look for those.
DROP INDEX dead_letters_by_relay;
CREATE INDEX dead_letters_kept ON dead_letters (relay_id, id, status) WHERE discarded_at IS NULL;
CREATE INDEX dead_letters_discarded ON dead_letters (discarded_at) WHERE discarded_at IS NOT NULL;
