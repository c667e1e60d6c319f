-- Crawls, the peers they heard of, and what each visit to a peer showed.
--
-- Units are in the names: `_us` microseconds, `_at_us` microseconds since 1970-01-01T00:00:00 UTC, `_bytes` bytes.
-- Read the views; the tables are laid out to be small:
--   * what repeats (addresses, agents, sets of protocols, failures, names) is kept once and referred to by number;
--   * peers have a number within their crawl, in the order in which they were first heard of;
--   * lists of numbers are blobs of varints. A varint is an unsigned LEB128: seven bits a byte, lowest first, the
--     eighth bit says that another byte follows.
-- `hash` is the first 48 bits of the SHA-256 of the value beside it, as a number: an index of a few bytes an entry
-- finds values of any length, and nobody can choose values that all meet in one entry.

CREATE TABLE crawl (
    id              INTEGER PRIMARY KEY,
    crawl_id        TEXT    NOT NULL UNIQUE,     -- 32 hexadecimal digits, as printed
    network         TEXT    NOT NULL,
    started_at_us   INTEGER NOT NULL,
    version         TEXT    NOT NULL,            -- of kadscope
    seed            TEXT    NOT NULL,            -- a decimal number below 2^64
    vantage         TEXT    NOT NULL,
    parameters      TEXT    NOT NULL,            -- JSON
    finished_at_us  INTEGER,                     -- NULL: under way, or interrupted
    state           TEXT,                        -- how it ended; NULL as above
    summary         TEXT,                        -- JSON
    -- Computed: written with every batch, in the same transaction, equal to what the rows below count to.
    peer_count      INTEGER NOT NULL DEFAULT 0,
    visit_count     INTEGER NOT NULL DEFAULT 0,
    edge_count      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE peer (
    id       INTEGER PRIMARY KEY,
    hash     INTEGER NOT NULL,
    peer_id  TEXT    NOT NULL                    -- base58, as printed
) STRICT;
CREATE INDEX peer_by_hash ON peer (hash);

CREATE TABLE crawl_peer (
    crawl   INTEGER NOT NULL REFERENCES crawl,
    number  INTEGER NOT NULL,                    -- from 0, in the order in which peers were first heard of
    peer    INTEGER NOT NULL REFERENCES peer,
    PRIMARY KEY (crawl, number)
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

-- The closed names: kinds of visits, transports, security, certificates, outcomes, reasons, classes of failed requests.
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

CREATE TABLE visit (
    id                INTEGER PRIMARY KEY,
    crawl             INTEGER NOT NULL REFERENCES crawl,
    peer              INTEGER NOT NULL,          -- crawl_peer.number
    kind              INTEGER NOT NULL REFERENCES name,
    started_after_us  INTEGER NOT NULL,          -- since crawl.started_at_us
    took_us           INTEGER NOT NULL,
    dial_us           INTEGER,
    connect_us        INTEGER,
    crawl_us          INTEGER,
    connected         INTEGER,                   -- address_visit.position; NULL: no connection
    transport         INTEGER REFERENCES name,
    security          INTEGER REFERENCES name,
    certificate       INTEGER REFERENCES name,   -- NULL: no secure WebSocket
    ip_version        INTEGER,
    socket            TEXT,                      -- the other end: 192.0.2.1:4001, [2001:db8::1]:4001
    rtt_us            INTEGER,
    rtt_source        INTEGER REFERENCES name,
    connect_error     INTEGER REFERENCES failure,
    agent             INTEGER REFERENCES agent,
    protocols         INTEGER REFERENCES protocol_set,   -- NULL: none
    listen_addrs      BLOB,                      -- varints: address.id less the one before (the first less 0), zigzag:
                                                 -- 0, -1, 1, -2, ... are kept as 0, 1, 2, 3, ...; NULL: none
    identify_error    INTEGER REFERENCES failure,
    prefixes          BLOB,                      -- a varint for each prefix: 0 not asked, 1 saved, 2 + 2 n answered
                                                 -- with n peers, 3 + 2 n failed with name n; NULL: none was asked
    further_answered  INTEGER NOT NULL,          -- requests beyond one for each prefix, by what came of them
    further_failed    INTEGER NOT NULL,
    open_buckets      INTEGER NOT NULL,          -- those that may hold more than was read: bit c for prefix length c
    crawl_error       INTEGER REFERENCES failure,
    request_rtt_us    INTEGER,
    connected_claims  INTEGER NOT NULL,          -- peers that said they are connected to this one
    sent_bytes        INTEGER NOT NULL,
    received_bytes    INTEGER NOT NULL,
    neighbor_count    INTEGER,                   -- NULL: neighbors were not kept
    neighbors         BLOB                       -- varints: crawl_peer.number less the one before (the first less 0)
) STRICT;
CREATE INDEX visit_by_crawl ON visit (crawl);
CREATE INDEX visit_by_peer ON visit (crawl, peer);

CREATE TABLE address_visit (
    visit             INTEGER NOT NULL REFERENCES visit,
    position          INTEGER NOT NULL,          -- from 0
    address           INTEGER NOT NULL REFERENCES address,
    outcome           INTEGER NOT NULL REFERENCES name,
    skip_reason       INTEGER REFERENCES name,
    failure           INTEGER REFERENCES failure,
    started_after_us  INTEGER,
    took_us           INTEGER,
    PRIMARY KEY (visit, position)
) STRICT, WITHOUT ROWID;

-- Where the names among the addresses led to.
CREATE TABLE resolved_visit (
    visit             INTEGER NOT NULL REFERENCES visit,
    position          INTEGER NOT NULL,          -- address_visit.position: the address with the name
    place             INTEGER NOT NULL,          -- from 0
    address           INTEGER NOT NULL REFERENCES address,
    outcome           INTEGER NOT NULL REFERENCES name,
    skip_reason       INTEGER REFERENCES name,
    failure           INTEGER REFERENCES failure,
    started_after_us  INTEGER,                   -- since the name was tried
    took_us           INTEGER,
    PRIMARY KEY (visit, position, place)
) STRICT, WITHOUT ROWID;

-- The 256 bytes, so that SQL can read varints.
CREATE TABLE byte (
    value  INTEGER PRIMARY KEY,
    raw    BLOB    NOT NULL UNIQUE
) STRICT;
INSERT INTO byte (value, raw)
WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 255)
SELECT n, unhex(printf('%02X', n)) FROM n;

CREATE VIEW crawl_view AS
SELECT
    crawl_id, network,
    strftime('%Y-%m-%dT%H:%M:%S', started_at_us / 1000000, 'unixepoch')
        || printf('.%03dZ', started_at_us / 1000 % 1000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', finished_at_us / 1000000, 'unixepoch')
        || printf('.%03dZ', finished_at_us / 1000 % 1000) AS finished_at,
    coalesce(state, 'running or interrupted') AS state,
    peer_count, visit_count, edge_count, version, seed, vantage, parameters, summary
FROM crawl;

CREATE VIEW visit_view AS
SELECT
    visit.id AS visit, crawl.crawl_id, crawl_peer.number, peer.peer_id, kind.name AS kind,
    strftime('%Y-%m-%dT%H:%M:%S', (started_at_us + started_after_us) / 1000000, 'unixepoch')
        || printf('.%03dZ', (started_at_us + started_after_us) / 1000 % 1000) AS started_at,
    took_us, dial_us, connect_us, crawl_us,
    visit.connected IS NOT NULL AS reachable,
    transport.name AS transport, security.name AS security, certificate.name AS certificate, ip_version, socket, rtt_us,
    rtt_source.name AS rtt_source,
    connect_error.phase AS connect_error_phase, connect_error.class AS connect_error_class,
    connect_error.detail AS connect_error_detail,
    agent.agent, protocol_set.protocols,
    identify_error.phase AS identify_error_phase, identify_error.class AS identify_error_class,
    identify_error.detail AS identify_error_detail,
    crawl_error.phase AS crawl_error_phase, crawl_error.class AS crawl_error_class,
    crawl_error.detail AS crawl_error_detail,
    further_answered, further_failed, open_buckets, open_buckets <> 0 AS may_be_longer,
    request_rtt_us, connected_claims, sent_bytes, received_bytes, neighbor_count
FROM visit
JOIN crawl ON crawl.id = visit.crawl
LEFT JOIN crawl_peer ON crawl_peer.crawl = visit.crawl AND crawl_peer.number = visit.peer
LEFT JOIN peer ON peer.id = crawl_peer.peer
JOIN name AS kind ON kind.id = visit.kind
LEFT JOIN name AS transport ON transport.id = visit.transport
LEFT JOIN name AS security ON security.id = visit.security
LEFT JOIN name AS certificate ON certificate.id = visit.certificate
LEFT JOIN name AS rtt_source ON rtt_source.id = visit.rtt_source
LEFT JOIN failure AS connect_error ON connect_error.id = visit.connect_error
LEFT JOIN failure AS identify_error ON identify_error.id = visit.identify_error
LEFT JOIN failure AS crawl_error ON crawl_error.id = visit.crawl_error
LEFT JOIN agent ON agent.id = visit.agent
LEFT JOIN protocol_set ON protocol_set.id = visit.protocols;

-- Every address as text: what is kept as bytes is `0x` and two digits for each. The views below show addresses so.
CREATE VIEW address_text AS
SELECT id, iif(typeof(multiaddr) = 'blob', '0x' || lower(hex(multiaddr)), multiaddr) AS multiaddr FROM address;

CREATE VIEW address_view AS
SELECT
    visit, position, address.multiaddr, outcome.name AS outcome, skip_reason.name AS skip_reason,
    failure.phase, failure.class, failure.detail, started_after_us, took_us
FROM address_visit
JOIN address_text AS address ON address.id = address_visit.address
JOIN name AS outcome ON outcome.id = address_visit.outcome
LEFT JOIN name AS skip_reason ON skip_reason.id = address_visit.skip_reason
LEFT JOIN failure ON failure.id = address_visit.failure;

CREATE VIEW resolved_view AS
SELECT
    visit, position, place, address.multiaddr, outcome.name AS outcome, skip_reason.name AS skip_reason,
    failure.phase, failure.class, failure.detail, started_after_us, took_us
FROM resolved_visit
JOIN address_text AS address ON address.id = resolved_visit.address
JOIN name AS outcome ON outcome.id = resolved_visit.outcome
LEFT JOIN name AS skip_reason ON skip_reason.id = resolved_visit.skip_reason
LEFT JOIN failure ON failure.id = resolved_visit.failure;

-- One row for each peer of each crawl: what the last visit of it showed, which is what the peer counts as in the summary.
-- `error` is the name under which the summary counts an unreachable peer, and `turned_away` that under which it counts one
-- that is there and turned us away: at most one of them is set. `reachable` and all that a visit shows are NULL where there
-- was none.
CREATE VIEW peer_view AS
SELECT
    crawl.crawl_id, crawl.network, crawl_peer.number, peer.peer_id,
    (SELECT count(*) FROM visit AS every WHERE every.crawl = crawl.id AND every.peer = crawl_peer.number) AS visits,
    visit.id AS visit,
    iif(visit.id IS NULL, NULL, visit.connected IS NOT NULL) AS reachable,
    CASE
        WHEN visit.id IS NULL OR visit.connected IS NOT NULL OR full.class IS NOT NULL THEN NULL
        WHEN connect_error.id IS NOT NULL THEN connect_error.class
        ELSE (
            SELECT CASE
                WHEN count(*) = 0 THEN 'no_address'
                WHEN count(reason.id) = count(*) AND min(reason.id) = max(reason.id) THEN 'only_' || min(reason.name)
                ELSE 'no_dialable_address' END
            FROM address_visit LEFT JOIN name AS reason ON reason.id = address_visit.skip_reason
            WHERE address_visit.visit = visit.id)
    END AS error,
    full.class AS turned_away,
    connect_error.phase AS error_phase,
    agent.agent, protocol_set.protocols,
    address.multiaddr AS address, transport.name AS transport, security.name AS security,
    visit.ip_version, visit.rtt_us, visit.neighbor_count
FROM crawl
JOIN crawl_peer ON crawl_peer.crawl = crawl.id
JOIN peer ON peer.id = crawl_peer.peer
LEFT JOIN visit ON visit.id = (
    SELECT max(last.id) FROM visit AS last WHERE last.crawl = crawl.id AND last.peer = crawl_peer.number)
LEFT JOIN failure AS connect_error ON connect_error.id = visit.connect_error
LEFT JOIN failure AS full ON full.id = visit.connect_error AND (
    full.class = 'resource_limit'
    OR full.class IN ('connection_closed', 'connection_reset') AND full.phase = 'secure')
LEFT JOIN agent ON agent.id = visit.agent
LEFT JOIN protocol_set ON protocol_set.id = visit.protocols
LEFT JOIN address_visit AS connected ON connected.visit = visit.id AND connected.position = visit.connected
LEFT JOIN address_text AS address ON address.id = connected.address
LEFT JOIN name AS transport ON transport.id = visit.transport
LEFT JOIN name AS security ON security.id = visit.security;

-- The views below read blobs byte by byte, those of the visits that are asked for: fit for a look, slow for millions.
-- `seen` counts the bytes read, `part` and `shift` hold the varint that is not complete, `whole` says that `value` has just
-- become complete.
CREATE VIEW neighbor_view AS
SELECT
    visit.id AS visit, crawl.crawl_id, visit.peer AS number, peer.peer_id,
    listed.value AS neighbor_number, neighbor.peer_id AS neighbor_peer_id
FROM visit
JOIN crawl ON crawl.id = visit.crawl
JOIN json_each((
    WITH RECURSIVE step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            iif(byte.value < 128, step.value + part + (byte.value << shift), step.value),
            byte.value < 128
        FROM step
        JOIN byte ON byte.raw = substr(visit.neighbors, step.seen + 1, 1)
    )
    SELECT json_group_array(value) FROM step WHERE whole)) AS listed
LEFT JOIN crawl_peer ON crawl_peer.crawl = visit.crawl AND crawl_peer.number = visit.peer
LEFT JOIN peer ON peer.id = crawl_peer.peer
LEFT JOIN crawl_peer AS neighbor_number
    ON neighbor_number.crawl = visit.crawl AND neighbor_number.number = listed.value
LEFT JOIN peer AS neighbor ON neighbor.id = neighbor_number.peer;

CREATE VIEW prefix_view AS
SELECT
    visit.id AS visit, listed.key AS prefix,
    CASE WHEN listed.value = 0 THEN 'not_asked' WHEN listed.value = 1 THEN 'saved'
         WHEN listed.value % 2 = 0 THEN 'answered' ELSE 'failed' END AS outcome,
    iif(listed.value >= 2 AND listed.value % 2 = 0, (listed.value - 2) / 2, NULL) AS peers,
    name.name AS class
FROM visit
JOIN json_each((
    WITH RECURSIVE step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + (byte.value << shift),
            byte.value < 128
        FROM step
        JOIN byte ON byte.raw = substr(visit.prefixes, step.seen + 1, 1)
    )
    SELECT json_group_array(value) FROM step WHERE whole)) AS listed
LEFT JOIN name ON listed.value >= 3 AND listed.value % 2 = 1 AND name.id = (listed.value - 3) / 2;

CREATE VIEW listen_address_view AS
SELECT visit.id AS visit, listed.key AS position, address.multiaddr
FROM visit
JOIN json_each((
    WITH RECURSIVE step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            iif(byte.value >= 128, step.value, step.value + iif(
                iif(shift = 0, byte.value, part) & 1,
                -((part + (byte.value << shift)) >> 1) - 1,
                (part + (byte.value << shift)) >> 1)),
            byte.value < 128
        FROM step
        JOIN byte ON byte.raw = substr(visit.listen_addrs, step.seen + 1, 1)
    )
    SELECT json_group_array(value) FROM step WHERE whole)) AS listed
JOIN address_text AS address ON address.id = listed.value;
