-- Runs, and what their rows have in common. The kinds of rows themselves are in `0001_rows.sql`.
--
-- Units are in the names: `_us` microseconds, `_at_us` microseconds since 1970-01-01T00:00:00 UTC, `_bytes` bytes.
-- Read the views, which `docs/schema.md` documents; the tables are laid out to be small:
--   * what repeats (peers, addresses, agents, sets of protocols, failures, names) is kept once over all runs and referred to
--     by number;
--   * what repeats from one encounter with a peer to the next (the addresses and their fates, the other end, what the peer
--     says of itself) is a row of its own, named again as long as it is the same;
--   * peers have a number within their run, too, in the order in which they were first heard of;
--   * lists of numbers are blobs of varints. A varint is an unsigned LEB128: seven bits a byte, lowest first, the
--     eighth bit says that another byte follows. Zigzag: 0, -1, 1, -2, ... are kept as 0, 1, 2, 3, ...
-- `hash` is the first 48 bits of the SHA-256 of the value beside it, as a number: an index of a few bytes an entry
-- finds values of any length, and nobody can choose values that all meet in one entry.
--
-- In the tables of the kinds of rows:
--   peer, number       who the row is about: peer.id, and its number within the run
--   started_after_us   since run.started_at_us
--   connected          the position of the address that connected; NULL: no connection
--   times              of each address that was tried three varints: how many before it were not, since the last that was;
--                      microseconds from the start until it was tried, and how many it took, each with one more, 0: none
--   prefixes           a varint for each prefix: 0 not asked, 1 saved, 2 + 2 n answered with n peers, 3 + 2 n failed with
--                      name n; NULL: none was asked
--   neighbors          varints: numbers within the run, each less the one before (the first less 0)

CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    run_id          TEXT    NOT NULL UNIQUE,     -- 32 hexadecimal digits, as printed
    tool            TEXT    NOT NULL,            -- crawl, monitor, ...
    network         TEXT    NOT NULL,
    started_at_us   INTEGER NOT NULL,
    version         TEXT    NOT NULL,            -- of kadscope
    seed            TEXT    NOT NULL,            -- a decimal number below 2^64
    vantage         TEXT    NOT NULL,
    parameters      TEXT    NOT NULL,            -- JSON
    finished_at_us  INTEGER,                     -- NULL: under way, or interrupted
    state           TEXT,                        -- how it ended; NULL as above
    summary         TEXT,                        -- JSON
    -- Computed: written with every batch, in the same transaction, equal to what the rows of the run count to.
    peer_count      INTEGER NOT NULL DEFAULT 0,
    row_count       INTEGER NOT NULL DEFAULT 0,  -- of every kind
    visit_count     INTEGER NOT NULL DEFAULT 0,
    edge_count      INTEGER NOT NULL DEFAULT 0,
    pruned_count    INTEGER NOT NULL DEFAULT 0   -- visits that were there and were deleted for their age
) STRICT;
-- Which run a number stands for, without its JSON: hundreds of runs in one page.
CREATE INDEX run_in_short ON run (id, run_id, started_at_us);

-- The rows of each kind that were written at once: a run's rows of a kind are those of its batches.
CREATE TABLE batch (
    kind           INTEGER NOT NULL REFERENCES name,   -- the table
    first          INTEGER NOT NULL,                   -- the id of its first row there
    last           INTEGER NOT NULL,
    run            INTEGER NOT NULL REFERENCES run,
    created_at_us  INTEGER NOT NULL,                   -- by the clock of the run
    earliest_us    INTEGER,                            -- the start of its earliest encounter; NULL: it has none
    latest_us      INTEGER,
    PRIMARY KEY (kind, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_by_run ON batch (run, kind);

CREATE TABLE peer (
    id       INTEGER PRIMARY KEY,
    hash     INTEGER NOT NULL,
    peer_id  TEXT    NOT NULL                    -- base58, as printed
) STRICT;
CREATE INDEX peer_by_hash ON peer (hash);

CREATE TABLE run_peer (
    run     INTEGER NOT NULL REFERENCES run,
    number  INTEGER NOT NULL,                    -- from 0, in the order in which peers were first heard of
    peer    INTEGER NOT NULL REFERENCES peer,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE address (
    id         INTEGER PRIMARY KEY,
    hash       INTEGER NOT NULL,
    multiaddr  ANY     NOT NULL                  -- text; the bytes where no text stands for exactly these bytes, or
                                                 -- where they are no multiaddress
) STRICT;
CREATE INDEX address_by_hash ON address (hash);

CREATE TABLE agent (
    id     INTEGER PRIMARY KEY,
    hash   INTEGER NOT NULL,
    agent  TEXT    NOT NULL
) STRICT;
CREATE INDEX agent_by_hash ON agent (hash);

CREATE TABLE protocol_set (
    id         INTEGER PRIMARY KEY,
    hash       INTEGER NOT NULL,
    protocols  TEXT    NOT NULL                  -- a JSON array of names, in the order in which they were kept
) STRICT;
CREATE INDEX protocol_set_by_hash ON protocol_set (hash);

-- The closed names: tables, kinds of visits, transports, security, certificates, reasons, classes of failed requests.
CREATE TABLE name (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE failure (
    id      INTEGER PRIMARY KEY,
    class   TEXT    NOT NULL,
    phase   TEXT    NOT NULL,
    detail  TEXT
) STRICT;
CREATE INDEX failure_by_value ON failure (class, phase, detail);

-- Addresses that were known of a peer, and what came of each.
CREATE TABLE fates (
    id           INTEGER PRIMARY KEY,
    only_reason  INTEGER REFERENCES name,        -- computed: the reason for which all of them were left out; NULL: there are
                                                 -- several reasons, or not all were
    list         BLOB    NOT NULL                -- three varints for each: address.id less the one before, zigzag; twice the
                                                 -- outcome (0 connected, 1 not tried, 2 abandoned, 3 skipped, 4 failed), and
                                                 -- one more if the name before it led to it; the cause (of 3 a name.id, of
                                                 -- 4 a failure.id, else 0)
) STRICT;

-- The other end of a connection.
CREATE TABLE endpoint (
    id           INTEGER PRIMARY KEY,
    transport    INTEGER NOT NULL REFERENCES name,
    security     INTEGER NOT NULL REFERENCES name,
    certificate  INTEGER REFERENCES name,        -- NULL: no secure WebSocket
    ip_version   INTEGER NOT NULL,
    socket       TEXT    NOT NULL                -- 192.0.2.1:4001, [2001:db8::1]:4001
) STRICT;

-- What a peer says of itself.
CREATE TABLE description (
    id            INTEGER PRIMARY KEY,
    agent         INTEGER REFERENCES agent,
    protocols     INTEGER REFERENCES protocol_set,   -- NULL: none
    listen_addrs  BLOB                               -- varints: address.id less the one before, zigzag; NULL: none
) STRICT;

-- How often what nothing refers to any more was deleted: numbers of rows that a writer remembers hold as long as this does.
CREATE TABLE sweep (
    count   INTEGER NOT NULL,
    is_due  INTEGER NOT NULL                     -- 1: rows were deleted, and what only they referred to is not yet
) STRICT;
INSERT INTO sweep (count, is_due) VALUES (0, 0);

-- The 256 bytes, so that SQL can read varints.
CREATE TABLE byte (
    value  INTEGER PRIMARY KEY,
    raw    BLOB    NOT NULL UNIQUE
) STRICT;
INSERT INTO byte (value, raw)
WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 255)
SELECT n, unhex(printf('%02X', n)) FROM n;

CREATE VIEW run_view AS
SELECT
    run_id, tool, network,
    strftime('%Y-%m-%dT%H:%M:%S', started_at_us / 1000000, 'unixepoch')
        || printf('.%03dZ', started_at_us / 1000 % 1000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', finished_at_us / 1000000, 'unixepoch')
        || printf('.%03dZ', finished_at_us / 1000 % 1000) AS finished_at,
    coalesce(state, 'running or interrupted') AS state,
    peer_count, row_count, visit_count, edge_count, pruned_count, version, seed, vantage, parameters, summary
FROM run;

-- Every address as text: what is kept as bytes is `0x` and two digits for each. The views show addresses so.
CREATE VIEW address_text AS
SELECT id, iif(typeof(multiaddr) = 'blob', '0x' || lower(hex(multiaddr)), multiaddr) AS multiaddr FROM address;

-- One row for each peer of each run: what the last visit of it showed, which is what the peer counts as in the summary.
-- `error` is the name under which the summary counts an unreachable peer, and `turned_away` that under which it counts one
-- that is there and turned us away: at most one of them is set. `reachable` and all that a visit shows are NULL where there
-- was none.
CREATE VIEW peer_view AS
SELECT
    run.run_id, run.network, run_peer.number, peer.peer_id,
    (SELECT count(*) FROM visit AS every WHERE every.peer = run_peer.peer AND every.run = run.id) AS visits,
    visit.id AS visit,
    iif(visit.id IS NULL, NULL, visit.connected IS NOT NULL) AS reachable,
    CASE
        WHEN visit.id IS NULL OR visit.connected IS NOT NULL OR full.class IS NOT NULL THEN NULL
        WHEN connect_error.id IS NOT NULL THEN connect_error.class
        WHEN fates.id IS NULL THEN 'no_address'
        WHEN fates.only_reason IS NOT NULL THEN 'only_' || (SELECT name FROM name WHERE id = fates.only_reason)
        ELSE 'no_dialable_address'
    END AS error,
    full.class AS turned_away,
    connect_error.phase AS error_phase,
    (SELECT agent FROM agent WHERE id = description.agent) AS agent,
    (SELECT protocols FROM protocol_set WHERE id = description.protocols) AS protocols,
    (SELECT multiaddr FROM visit_address_view AS dialled
     WHERE dialled.visit = visit.id AND dialled.position = visit.connected AND dialled.place IS NULL) AS address,
    (SELECT name FROM name WHERE id = endpoint.transport) AS transport,
    (SELECT name FROM name WHERE id = endpoint.security) AS security,
    endpoint.ip_version, visit.rtt_us, visit.neighbor_count
FROM run
JOIN run_peer ON run_peer.run = run.id
JOIN peer ON peer.id = run_peer.peer
LEFT JOIN visit ON visit.id = (
    SELECT max(last.id) FROM visit AS last WHERE last.peer = run_peer.peer AND last.run = run.id)
LEFT JOIN fates ON fates.id = visit.fates
LEFT JOIN endpoint ON endpoint.id = visit.endpoint
LEFT JOIN description ON description.id = visit.description
LEFT JOIN failure AS connect_error ON connect_error.id = visit.connect_error
LEFT JOIN failure AS full ON full.id = visit.connect_error AND (
    full.class = 'resource_limit'
    OR full.class IN ('connection_closed', 'connection_reset') AND full.phase = 'secure');
