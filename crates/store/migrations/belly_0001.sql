-- The belly of a hydra: the records that its heads keep for the network. One process writes the file at a time.
--
-- Times are in microseconds since the Unix epoch, lifetimes in seconds. A record is given out as long as
-- received + 1000000 * lifetime has not passed; what expired an hour ago may be gone.

-- Who provides which key.
CREATE TABLE provider (
    key BLOB NOT NULL,          -- as it was announced: a multihash
    id BLOB NOT NULL,           -- the bytes of the provider's peer id
    addrs BLOB NOT NULL,        -- its addresses as they stand in a message: of each 0x12, its length as a varint, its bytes
    received INTEGER NOT NULL,
    lifetime INTEGER NOT NULL,
    fetched INTEGER NOT NULL,   -- 1 if others gave it, 0 if the provider announced it
    expires_hour INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX provider_of_key ON provider (key, id);
CREATE INDEX provider_by_expiry ON provider (expires_hour);

-- Values, one a key.
CREATE TABLE value (
    key BLOB NOT NULL PRIMARY KEY,   -- with its namespace: /pk/ or /ipns/
    value BLOB NOT NULL,
    rank BLOB,                       -- sequence number and validity, big-endian: the greater one is better; empty without either; NULL if no sequence number is known
    received INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX value_by_expiry ON value (expires);

-- How many there are.
CREATE TABLE tally (
    providers INTEGER NOT NULL,
    "values" INTEGER NOT NULL
) STRICT;
INSERT INTO tally VALUES (0, 0);
CREATE TRIGGER provider_comes AFTER INSERT ON provider BEGIN UPDATE tally SET providers = providers + 1; END;
CREATE TRIGGER provider_goes AFTER DELETE ON provider BEGIN UPDATE tally SET providers = providers - 1; END;
CREATE TRIGGER value_comes AFTER INSERT ON value BEGIN UPDATE tally SET "values" = "values" + 1; END;
CREATE TRIGGER value_goes AFTER DELETE ON value BEGIN UPDATE tally SET "values" = "values" - 1; END;
