-- The register: who measures. Servers publish and look up, schedulers tell them when, and whoever holds a lease does what only one may
-- do at a time. Times are microseconds since 1970-01-01T00:00:00 UTC.

CREATE TABLE server (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    fleet              TEXT    NOT NULL,
    region             TEXT    NOT NULL,     -- as its operator calls it; empty if nobody says
    peer_id            TEXT    NOT NULL,     -- base58
    ip                 TEXT    NOT NULL,     -- where it is asked by HTTP
    port               INTEGER NOT NULL,
    peer_port          INTEGER,              -- NULL: it listens for no peers
    cpu                INTEGER NOT NULL,     -- units of a core's 1,024th, as containers count; 1 if nobody says
    memory             INTEGER NOT NULL,     -- MiB; 1 if nobody says
    strategy           TEXT,
    version            TEXT    NOT NULL,
    command            TEXT    NOT NULL,
    dependencies       TEXT    NOT NULL,     -- JSON
    entered_at_us      INTEGER NOT NULL,
    last_heartbeat_us  INTEGER,              -- NULL: none yet
    offline_since_us   INTEGER               -- NULL: nobody says that it is away
) STRICT;
CREATE INDEX server_by_fleet ON server (fleet, last_heartbeat_us);
CREATE INDEX server_by_peer ON server (peer_id);

CREATE TABLE scheduler (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    fleets         TEXT    NOT NULL,         -- a JSON array of names
    version        TEXT    NOT NULL,
    dependencies   TEXT    NOT NULL,         -- JSON
    entered_at_us  INTEGER NOT NULL
) STRICT;

-- A row stays when its lease is over: the number only grows, so whoever lost it is known by the smaller one.
CREATE TABLE lease (
    name      TEXT    NOT NULL PRIMARY KEY,
    holder    TEXT    NOT NULL,
    fence     INTEGER NOT NULL,
    until_us  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
