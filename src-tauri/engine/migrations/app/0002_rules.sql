-- How a relay delivers: JSON, defaults where a key is missing.
ALTER TABLE relays ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
