-- The belly of hydras, in a schema of its own: the records that their heads keep for the network, from any number of processes.
--
-- Times are in microseconds since the Unix epoch, lifetimes in seconds. A record is given out as long as
-- received + 1000000 * lifetime has not passed; what expired an hour ago may be gone.
CREATE SCHEMA IF NOT EXISTS kadscope_belly;

CREATE TABLE kadscope_belly.layout (version integer NOT NULL, made_at timestamptz NOT NULL DEFAULT now());
INSERT INTO kadscope_belly.layout (version) VALUES (1);

-- Who provides which key.
CREATE TABLE kadscope_belly.provider (
    key bytea NOT NULL,          -- as it was announced: a multihash
    id bytea NOT NULL,           -- the bytes of the provider's peer id
    addrs bytea NOT NULL,        -- its addresses as they stand in a message: of each 0x12, its length as a varint, its bytes
    received bigint NOT NULL,
    lifetime integer NOT NULL,
    fetched boolean NOT NULL,    -- whether others gave it, and not the provider
    expires_hour integer NOT NULL,
    PRIMARY KEY (key, id)
);
CREATE INDEX provider_by_expiry ON kadscope_belly.provider (expires_hour);

-- Values, one a key.
CREATE TABLE kadscope_belly.value (
    key bytea NOT NULL PRIMARY KEY,  -- with its namespace: /pk/ or /ipns/
    value bytea NOT NULL,
    rank bytea,                      -- sequence number and validity, big-endian: the greater one is better; empty without either; NULL if no sequence number is known
    received bigint NOT NULL,
    expires bigint NOT NULL
);
CREATE INDEX value_by_expiry ON kadscope_belly.value (expires);

-- How many there are: the sum of all rows. Each process counts in one of them, so that they do not wait for each other.
CREATE TABLE kadscope_belly.tally (slot integer NOT NULL PRIMARY KEY, providers bigint NOT NULL, "values" bigint NOT NULL);
INSERT INTO kadscope_belly.tally SELECT slot, 0, 0 FROM generate_series(0, 15) AS slot;

-- Which process collects what has expired, until when.
CREATE TABLE kadscope_belly.lease (name text NOT NULL PRIMARY KEY, holder bytea NOT NULL, until timestamptz NOT NULL);
