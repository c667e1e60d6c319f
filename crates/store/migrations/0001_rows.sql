-- The tables and views of each kind of rows. This file is made from what `schema` says of them:
-- `KADSCOPE_WRITE=1 cargo test -p kadscope-store --lib layout` writes it anew.
--
-- Read the views: `docs/schema.md` documents their columns, `0001_runs.sql` how the tables keep what they show.

-- One visit to one peer, of a crawl or of a monitor.
CREATE TABLE visit (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    started_after_us INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    dial_us INTEGER,
    connect_us INTEGER,
    fates INTEGER REFERENCES fates,
    times BLOB,
    connected INTEGER,
    endpoint INTEGER REFERENCES endpoint,
    rtt_us INTEGER,
    rtt_source INTEGER REFERENCES name,
    connect_error INTEGER REFERENCES failure,
    description INTEGER REFERENCES description,
    identify_error INTEGER REFERENCES failure,
    sent_bytes INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    type INTEGER NOT NULL REFERENCES name,
    kind INTEGER NOT NULL REFERENCES name,
    crawl_us INTEGER,
    prefixes BLOB,
    further_answered INTEGER NOT NULL,
    further_failed INTEGER NOT NULL,
    open_buckets INTEGER NOT NULL,
    crawl_error INTEGER REFERENCES failure,
    request_rtt_us INTEGER,
    neighbor_count INTEGER,
    neighbors BLOB,
    connected_claims INTEGER NOT NULL
) STRICT;
CREATE INDEX visit_by_peer ON visit (peer, run, started_after_us);

CREATE VIEW visit_view AS
SELECT
    t.id AS visit,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'visit') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'visit') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    strftime('%Y-%m-%dT%H:%M:%S', (run.started_at_us + t.started_after_us) / 1000000, 'unixepoch') || printf('.%03dZ', (run.started_at_us + t.started_after_us) / 1000 % 1000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', (run.started_at_us + (t.started_after_us + t.took_us)) / 1000000, 'unixepoch') || printf('.%03dZ', (run.started_at_us + (t.started_after_us + t.took_us)) / 1000 % 1000) AS ended_at,
    t.dial_us AS dial_us,
    t.connect_us AS connect_us,
    (t.connected IS NOT NULL) AS reachable,
    t.connected AS connected,
    (SELECT name FROM name WHERE id = (SELECT transport FROM endpoint WHERE id = t.endpoint)) AS transport,
    (SELECT name FROM name WHERE id = (SELECT security FROM endpoint WHERE id = t.endpoint)) AS security,
    (SELECT name FROM name WHERE id = (SELECT certificate FROM endpoint WHERE id = t.endpoint)) AS certificate,
    (SELECT ip_version FROM endpoint WHERE id = t.endpoint) AS ip_version,
    (SELECT socket FROM endpoint WHERE id = t.endpoint) AS socket,
    t.rtt_us AS rtt_us,
    (SELECT name FROM name WHERE id = t.rtt_source) AS rtt_source,
    (SELECT phase FROM failure WHERE id = t.connect_error) AS connect_error_phase,
    (SELECT class FROM failure WHERE id = t.connect_error) AS connect_error_class,
    (SELECT detail FROM failure WHERE id = t.connect_error) AS connect_error_detail,
    (SELECT agent FROM agent WHERE id = (SELECT agent FROM description WHERE id = t.description)) AS agent,
    coalesce((SELECT protocols FROM protocol_set WHERE id = (SELECT protocols FROM description WHERE id = t.description)), '[]') AS protocols,
    (SELECT phase FROM failure WHERE id = t.identify_error) AS identify_error_phase,
    (SELECT class FROM failure WHERE id = t.identify_error) AS identify_error_class,
    (SELECT detail FROM failure WHERE id = t.identify_error) AS identify_error_detail,
    t.sent_bytes AS sent_bytes,
    t.received_bytes AS received_bytes,
    (SELECT name FROM name WHERE id = t.type) AS type,
    (SELECT name FROM name WHERE id = t.kind) AS kind,
    t.crawl_us AS crawl_us,
    t.further_answered AS further_answered,
    t.further_failed AS further_failed,
    t.open_buckets AS open_buckets,
    (SELECT phase FROM failure WHERE id = t.crawl_error) AS crawl_error_phase,
    (SELECT class FROM failure WHERE id = t.crawl_error) AS crawl_error_class,
    (SELECT detail FROM failure WHERE id = t.crawl_error) AS crawl_error_detail,
    t.request_rtt_us AS request_rtt_us,
    t.neighbor_count AS neighbor_count,
    t.connected_claims AS connected_claims
FROM visit AS t
JOIN run ON run.id = t.run;

CREATE VIEW visit_address_view AS
SELECT
    t.id AS visit,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.value ->> 0 AS position,
    listed.value ->> 1 AS place,
    (SELECT multiaddr FROM address_text WHERE id = listed.value ->> 2) AS multiaddr,
    CASE listed.value ->> 3 WHEN 0 THEN 'connected' WHEN 1 THEN 'not_tried' WHEN 2 THEN 'abandoned' WHEN 3 THEN 'skipped' WHEN 4 THEN 'failed' END AS outcome,
    iif(listed.value ->> 3 = 3, (SELECT name FROM name WHERE id = listed.value ->> 4), NULL) AS skip_reason,
    iif(listed.value ->> 3 = 4, (SELECT phase FROM failure WHERE id = listed.value ->> 4), NULL) AS phase,
    iif(listed.value ->> 3 = 4, (SELECT class FROM failure WHERE id = listed.value ->> 4), NULL) AS class,
    iif(listed.value ->> 3 = 4, (SELECT detail FROM failure WHERE id = listed.value ->> 4), NULL) AS detail,
    listed.value ->> 5 AS started_after_us,
    listed.value ->> 6 AS took_us
FROM visit AS t
JOIN fates ON fates.id = t.fates
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(fates.list, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    time_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM time_step JOIN byte ON byte.raw = substr(t.times, seen + 1, 1)
    ),
    time (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM time_step WHERE whole),
    fate (entry, value, code, cause) AS (
        SELECT n / 3, max(value) FILTER (WHERE n % 3 = 0), max(value) FILTER (WHERE n % 3 = 1), max(value) FILTER (WHERE n % 3 = 2) FROM number GROUP BY n / 3
    ),
    timed (gap, after, took) AS (
        SELECT sum(max(value) FILTER (WHERE n % 3 = 0) + 1) OVER (ORDER BY n / 3) - 1, max(value) FILTER (WHERE n % 3 = 1), max(value) FILTER (WHERE n % 3 = 2) FROM time GROUP BY n / 3
    ),
    address (entry, id, code, cause, position) AS (
        SELECT entry, sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY entry), code, cause, sum(code & 1 = 0) OVER (ORDER BY entry) - 1 FROM fate
    )
    SELECT json_group_array(json_array(
        position, iif(code & 1, place, NULL), id, code >> 1, cause, nullif(after, 0) - 1, nullif(took, 0) - 1))
    FROM (
        SELECT *, row_number() OVER (PARTITION BY position ORDER BY entry) - 2 AS place FROM address
        LEFT JOIN timed ON timed.gap = address.entry ORDER BY entry
    ))) AS listed;

CREATE VIEW visit_listen_address_view AS
SELECT
    t.id AS visit,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM visit AS t
JOIN description ON description.id = t.description
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(description.listen_addrs, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

CREATE VIEW visit_prefix_view AS
SELECT
    t.id AS visit,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS prefix,
    CASE WHEN listed.value = 0 THEN 'not_asked' WHEN listed.value = 1 THEN 'saved' WHEN listed.value % 2 = 0 THEN 'answered' ELSE 'failed' END AS outcome,
    iif(listed.value >= 2 AND listed.value % 2 = 0, (listed.value - 2) / 2, NULL) AS peers,
    iif(listed.value >= 3 AND listed.value % 2 = 1, (SELECT name FROM name WHERE id = (listed.value - 3) / 2), NULL) AS class
FROM visit AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.prefixes, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole)
    SELECT json_group_array(value) FROM number)) AS listed;

CREATE VIEW visit_neighbor_view AS
SELECT
    t.id AS visit,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.value AS neighbor_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = listed.value) AS neighbor_peer_id
FROM visit AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.neighbors, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    peer (value) AS (SELECT sum(value) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM peer)) AS listed;

-- One address of a peer looked at.
CREATE TABLE ping (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    started_after_us INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    dial_us INTEGER,
    connect_us INTEGER,
    fates INTEGER REFERENCES fates,
    times BLOB,
    connected INTEGER,
    endpoint INTEGER REFERENCES endpoint,
    rtt_us INTEGER,
    rtt_source INTEGER REFERENCES name,
    connect_error INTEGER REFERENCES failure,
    description INTEGER REFERENCES description,
    identify_error INTEGER REFERENCES failure,
    sent_bytes INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    observed_addr INTEGER REFERENCES address,
    ping_us INTEGER,
    ping_error INTEGER REFERENCES failure,
    named INTEGER,
    request_error INTEGER REFERENCES failure
) STRICT;
CREATE INDEX ping_by_peer ON ping (peer, run, started_after_us);

CREATE VIEW ping_view AS
SELECT
    t.id AS ping,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'ping') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'ping') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    strftime('%Y-%m-%dT%H:%M:%S', (run.started_at_us + t.started_after_us) / 1000000, 'unixepoch') || printf('.%03dZ', (run.started_at_us + t.started_after_us) / 1000 % 1000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', (run.started_at_us + (t.started_after_us + t.took_us)) / 1000000, 'unixepoch') || printf('.%03dZ', (run.started_at_us + (t.started_after_us + t.took_us)) / 1000 % 1000) AS ended_at,
    t.dial_us AS dial_us,
    t.connect_us AS connect_us,
    (t.connected IS NOT NULL) AS reachable,
    t.connected AS connected,
    (SELECT name FROM name WHERE id = (SELECT transport FROM endpoint WHERE id = t.endpoint)) AS transport,
    (SELECT name FROM name WHERE id = (SELECT security FROM endpoint WHERE id = t.endpoint)) AS security,
    (SELECT name FROM name WHERE id = (SELECT certificate FROM endpoint WHERE id = t.endpoint)) AS certificate,
    (SELECT ip_version FROM endpoint WHERE id = t.endpoint) AS ip_version,
    (SELECT socket FROM endpoint WHERE id = t.endpoint) AS socket,
    t.rtt_us AS rtt_us,
    (SELECT name FROM name WHERE id = t.rtt_source) AS rtt_source,
    (SELECT phase FROM failure WHERE id = t.connect_error) AS connect_error_phase,
    (SELECT class FROM failure WHERE id = t.connect_error) AS connect_error_class,
    (SELECT detail FROM failure WHERE id = t.connect_error) AS connect_error_detail,
    (SELECT agent FROM agent WHERE id = (SELECT agent FROM description WHERE id = t.description)) AS agent,
    coalesce((SELECT protocols FROM protocol_set WHERE id = (SELECT protocols FROM description WHERE id = t.description)), '[]') AS protocols,
    (SELECT phase FROM failure WHERE id = t.identify_error) AS identify_error_phase,
    (SELECT class FROM failure WHERE id = t.identify_error) AS identify_error_class,
    (SELECT detail FROM failure WHERE id = t.identify_error) AS identify_error_detail,
    t.sent_bytes AS sent_bytes,
    t.received_bytes AS received_bytes,
    (SELECT multiaddr FROM address_text WHERE id = t.observed_addr) AS observed_addr,
    t.ping_us AS ping_us,
    (SELECT phase FROM failure WHERE id = t.ping_error) AS ping_error_phase,
    (SELECT class FROM failure WHERE id = t.ping_error) AS ping_error_class,
    (SELECT detail FROM failure WHERE id = t.ping_error) AS ping_error_detail,
    t.named AS named,
    (SELECT phase FROM failure WHERE id = t.request_error) AS request_error_phase,
    (SELECT class FROM failure WHERE id = t.request_error) AS request_error_class,
    (SELECT detail FROM failure WHERE id = t.request_error) AS request_error_detail
FROM ping AS t
JOIN run ON run.id = t.run;

CREATE VIEW ping_address_view AS
SELECT
    t.id AS ping,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.value ->> 0 AS position,
    listed.value ->> 1 AS place,
    (SELECT multiaddr FROM address_text WHERE id = listed.value ->> 2) AS multiaddr,
    CASE listed.value ->> 3 WHEN 0 THEN 'connected' WHEN 1 THEN 'not_tried' WHEN 2 THEN 'abandoned' WHEN 3 THEN 'skipped' WHEN 4 THEN 'failed' END AS outcome,
    iif(listed.value ->> 3 = 3, (SELECT name FROM name WHERE id = listed.value ->> 4), NULL) AS skip_reason,
    iif(listed.value ->> 3 = 4, (SELECT phase FROM failure WHERE id = listed.value ->> 4), NULL) AS phase,
    iif(listed.value ->> 3 = 4, (SELECT class FROM failure WHERE id = listed.value ->> 4), NULL) AS class,
    iif(listed.value ->> 3 = 4, (SELECT detail FROM failure WHERE id = listed.value ->> 4), NULL) AS detail,
    listed.value ->> 5 AS started_after_us,
    listed.value ->> 6 AS took_us
FROM ping AS t
JOIN fates ON fates.id = t.fates
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(fates.list, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    time_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM time_step JOIN byte ON byte.raw = substr(t.times, seen + 1, 1)
    ),
    time (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM time_step WHERE whole),
    fate (entry, value, code, cause) AS (
        SELECT n / 3, max(value) FILTER (WHERE n % 3 = 0), max(value) FILTER (WHERE n % 3 = 1), max(value) FILTER (WHERE n % 3 = 2) FROM number GROUP BY n / 3
    ),
    timed (gap, after, took) AS (
        SELECT sum(max(value) FILTER (WHERE n % 3 = 0) + 1) OVER (ORDER BY n / 3) - 1, max(value) FILTER (WHERE n % 3 = 1), max(value) FILTER (WHERE n % 3 = 2) FROM time GROUP BY n / 3
    ),
    address (entry, id, code, cause, position) AS (
        SELECT entry, sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY entry), code, cause, sum(code & 1 = 0) OVER (ORDER BY entry) - 1 FROM fate
    )
    SELECT json_group_array(json_array(
        position, iif(code & 1, place, NULL), id, code >> 1, cause, nullif(after, 0) - 1, nullif(took, 0) - 1))
    FROM (
        SELECT *, row_number() OVER (PARTITION BY position ORDER BY entry) - 2 AS place FROM address
        LEFT JOIN timed ON timed.gap = address.entry ORDER BY entry
    ))) AS listed;

CREATE VIEW ping_listen_address_view AS
SELECT
    t.id AS ping,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM ping AS t
JOIN description ON description.id = t.description
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(description.listen_addrs, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

-- One request of a lookup, whatever became of it.
CREATE TABLE lookup_request (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    kind INTEGER NOT NULL REFERENCES name,
    key BLOB NOT NULL,
    lookup_started_at_us INTEGER NOT NULL,
    heard_by INTEGER,
    heard_us INTEGER NOT NULL,
    hop INTEGER NOT NULL,
    common_prefix_len INTEGER NOT NULL,
    asked_us INTEGER NOT NULL,
    sent_us INTEGER,
    ended_us INTEGER,
    fate INTEGER NOT NULL REFERENCES name,
    failure INTEGER REFERENCES failure,
    closer INTEGER NOT NULL,
    closer_with_addresses INTEGER NOT NULL,
    providers INTEGER NOT NULL,
    providers_with_addresses INTEGER NOT NULL,
    has_value INTEGER NOT NULL
) STRICT;
CREATE INDEX lookup_request_by_peer ON lookup_request (peer, run);

CREATE VIEW lookup_request_view AS
SELECT
    t.id AS lookup_request,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'lookup_request') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'lookup_request') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    (SELECT name FROM name WHERE id = t.kind) AS kind,
    lower(hex(t.key)) AS key,
    strftime('%Y-%m-%dT%H:%M:%S', t.lookup_started_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.lookup_started_at_us / 1000 % 1000) AS lookup_started_at,
    t.heard_by AS heard_by_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.heard_by) AS heard_by_peer_id,
    t.heard_us AS heard_us,
    t.hop AS hop,
    t.common_prefix_len AS common_prefix_len,
    t.asked_us AS asked_us,
    t.sent_us AS sent_us,
    t.ended_us AS ended_us,
    (SELECT name FROM name WHERE id = t.fate) AS fate,
    (SELECT phase FROM failure WHERE id = t.failure) AS failure_phase,
    (SELECT class FROM failure WHERE id = t.failure) AS failure_class,
    (SELECT detail FROM failure WHERE id = t.failure) AS failure_detail,
    t.closer AS closer,
    t.closer_with_addresses AS closer_with_addresses,
    t.providers AS providers,
    t.providers_with_addresses AS providers_with_addresses,
    t.has_value AS has_value
FROM lookup_request AS t
JOIN run ON run.id = t.run;

-- One peer that was to hold a provider record.
CREATE TABLE record_holder (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    given_at_us INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    send_error INTEGER REFERENCES failure,
    has_record INTEGER,
    with_addresses INTEGER,
    read_error INTEGER REFERENCES failure
) STRICT;
CREATE INDEX record_holder_by_peer ON record_holder (peer, run);

CREATE VIEW record_holder_view AS
SELECT
    t.id AS record_holder,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'record_holder') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'record_holder') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    strftime('%Y-%m-%dT%H:%M:%S', t.given_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.given_at_us / 1000 % 1000) AS given_at,
    t.provider AS provider_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.provider) AS provider_peer_id,
    (SELECT phase FROM failure WHERE id = t.send_error) AS send_error_phase,
    (SELECT class FROM failure WHERE id = t.send_error) AS send_error_class,
    (SELECT detail FROM failure WHERE id = t.send_error) AS send_error_detail,
    t.has_record AS has_record,
    t.with_addresses AS with_addresses,
    (SELECT phase FROM failure WHERE id = t.read_error) AS read_error_phase,
    (SELECT class FROM failure WHERE id = t.read_error) AS read_error_class,
    (SELECT detail FROM failure WHERE id = t.read_error) AS read_error_detail
FROM record_holder AS t
JOIN run ON run.id = t.run;

-- In how many of the routing tables that a crawl read a peer stands, counted when the crawl ended.
CREATE TABLE in_degree (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    named INTEGER NOT NULL,
    tables INTEGER NOT NULL,
    heard_after INTEGER NOT NULL,
    given INTEGER NOT NULL
) STRICT;

CREATE VIEW in_degree_view AS
SELECT
    t.id AS in_degree,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'in_degree') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'in_degree') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.named AS named_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.named) AS named_peer_id,
    t.tables AS tables,
    t.heard_after AS heard_after,
    t.given AS given
FROM in_degree AS t
JOIN run ON run.id = t.run;

-- A step of the wall clock: times of the run are its start and a monotonic clock, and did not step.
CREATE TABLE clock_step (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    noticed_at_us INTEGER NOT NULL,
    expected_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    cause INTEGER NOT NULL REFERENCES name
) STRICT;

CREATE VIEW clock_step_view AS
SELECT
    t.id AS clock_step,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'clock_step') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'clock_step') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.noticed_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.noticed_at_us / 1000 % 1000) AS noticed_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.expected_us / 1000000, 'unixepoch') || printf('.%03dZ', t.expected_us / 1000 % 1000) AS expected,
    strftime('%Y-%m-%dT%H:%M:%S', t.wall_us / 1000000, 'unixepoch') || printf('.%03dZ', t.wall_us / 1000 % 1000) AS wall,
    (SELECT name FROM name WHERE id = t.cause) AS cause
FROM clock_step AS t
JOIN run ON run.id = t.run;

-- One attempt to have a server publish something or look something up, or a part of it that the server measured alone.
CREATE TABLE measurement (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    server INTEGER NOT NULL,
    fleet TEXT NOT NULL,
    region TEXT NOT NULL,
    version TEXT,
    scheduler INTEGER NOT NULL,
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    kind INTEGER NOT NULL REFERENCES name,
    publisher INTEGER,
    publisher_fleet TEXT,
    publisher_region TEXT,
    key BLOB NOT NULL,
    cid TEXT NOT NULL,
    strategy INTEGER REFERENCES name,
    policy INTEGER REFERENCES name,
    persistence INTEGER REFERENCES name,
    planned_at_us INTEGER NOT NULL,
    asked_at_us INTEGER,
    began_at_us INTEGER,
    step TEXT,
    step_number INTEGER NOT NULL,
    is_whole INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    more_than_us INTEGER,
    is_censored INTEGER NOT NULL,
    outcome INTEGER NOT NULL REFERENCES name,
    failure TEXT,
    table_size INTEGER,
    own_record INTEGER,
    left_over INTEGER,
    hops INTEGER,
    requests INTEGER,
    failed_requests INTEGER,
    wasted_requests INTEGER,
    dials INTEGER,
    failed_dials INTEGER,
    bytes_in INTEGER,
    bytes_out INTEGER,
    cpu_us INTEGER,
    searched_us INTEGER,
    holders INTEGER,
    holders_sent INTEGER,
    size_estimate INTEGER,
    culprit INTEGER,
    culprit_reason TEXT,
    culprit_us INTEGER,
    clock_offset_us INTEGER,
    clock_is_ahead INTEGER
) STRICT;
CREATE INDEX measurement_by_peer ON measurement (peer, run);

CREATE VIEW measurement_view AS
SELECT
    t.id AS measurement,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'measurement') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'measurement') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    t.server AS server,
    t.fleet AS fleet,
    t.region AS region,
    t.version AS version,
    t.scheduler AS scheduler,
    t.round AS round,
    t.position AS position,
    lower(hex(t.attempt)) AS attempt,
    (SELECT name FROM name WHERE id = t.kind) AS kind,
    t.publisher AS publisher_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.publisher) AS publisher_peer_id,
    t.publisher_fleet AS publisher_fleet,
    t.publisher_region AS publisher_region,
    lower(hex(t.key)) AS key,
    t.cid AS cid,
    (SELECT name FROM name WHERE id = t.strategy) AS strategy,
    (SELECT name FROM name WHERE id = t.policy) AS policy,
    (SELECT name FROM name WHERE id = t.persistence) AS persistence,
    strftime('%Y-%m-%dT%H:%M:%S', t.planned_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.planned_at_us / 1000 % 1000) AS planned_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.asked_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.asked_at_us / 1000 % 1000) AS asked_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    t.step AS step,
    t.step_number AS step_number,
    t.is_whole AS is_whole,
    t.took_us AS took_us,
    t.more_than_us AS more_than_us,
    t.is_censored AS is_censored,
    (SELECT name FROM name WHERE id = t.outcome) AS outcome,
    t.failure AS failure,
    t.table_size AS table_size,
    t.own_record AS own_record,
    t.left_over AS left_over,
    t.hops AS hops,
    t.requests AS requests,
    t.failed_requests AS failed_requests,
    t.wasted_requests AS wasted_requests,
    t.dials AS dials,
    t.failed_dials AS failed_dials,
    t.bytes_in AS bytes_in,
    t.bytes_out AS bytes_out,
    t.cpu_us AS cpu_us,
    t.searched_us AS searched_us,
    t.holders AS holders,
    t.holders_sent AS holders_sent,
    t.size_estimate AS size_estimate,
    t.culprit AS culprit_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.culprit) AS culprit_peer_id,
    t.culprit_reason AS culprit_reason,
    t.culprit_us AS culprit_us,
    t.clock_offset_us AS clock_offset_us,
    t.clock_is_ahead AS clock_is_ahead
FROM measurement AS t
JOIN run ON run.id = t.run;

-- One request of an operation that was measured, whatever became of it.
CREATE TABLE measurement_request (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    purpose INTEGER NOT NULL REFERENCES name,
    began_at_us INTEGER NOT NULL,
    agent TEXT,
    heard_by INTEGER,
    hop INTEGER NOT NULL,
    common_prefix_len INTEGER NOT NULL,
    heard_us INTEGER NOT NULL,
    asked_us INTEGER NOT NULL,
    is_follow_up INTEGER NOT NULL,
    dial_began_us INTEGER,
    dial_ended_us INTEGER,
    transport INTEGER REFERENCES name,
    sent_us INTEGER,
    ended_us INTEGER,
    fate INTEGER NOT NULL REFERENCES name,
    failure INTEGER REFERENCES failure,
    closer INTEGER NOT NULL,
    providers INTEGER NOT NULL,
    is_critical INTEGER NOT NULL,
    read_back_us INTEGER,
    has_record INTEGER
) STRICT;
CREATE INDEX measurement_request_by_peer ON measurement_request (peer, run);

CREATE VIEW measurement_request_view AS
SELECT
    t.id AS measurement_request,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'measurement_request') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'measurement_request') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.attempt)) AS attempt,
    (SELECT name FROM name WHERE id = t.purpose) AS purpose,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    t.agent AS agent,
    t.heard_by AS heard_by_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.heard_by) AS heard_by_peer_id,
    t.hop AS hop,
    t.common_prefix_len AS common_prefix_len,
    t.heard_us AS heard_us,
    t.asked_us AS asked_us,
    t.is_follow_up AS is_follow_up,
    t.dial_began_us AS dial_began_us,
    t.dial_ended_us AS dial_ended_us,
    (SELECT name FROM name WHERE id = t.transport) AS transport,
    t.sent_us AS sent_us,
    t.ended_us AS ended_us,
    (SELECT name FROM name WHERE id = t.fate) AS fate,
    (SELECT phase FROM failure WHERE id = t.failure) AS failure_phase,
    (SELECT class FROM failure WHERE id = t.failure) AS failure_class,
    (SELECT detail FROM failure WHERE id = t.failure) AS failure_detail,
    t.closer AS closer,
    t.providers AS providers,
    t.is_critical AS is_critical,
    t.read_back_us AS read_back_us,
    t.has_record AS has_record
FROM measurement_request AS t
JOIN run ON run.id = t.run;

-- One key of a study of who keeps records: its publication.
CREATE TABLE hoard_key (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    arm_name TEXT NOT NULL,
    position INTEGER NOT NULL,
    strategy INTEGER REFERENCES name,
    persistence INTEGER REFERENCES name,
    k INTEGER NOT NULL,
    publisher_end INTEGER NOT NULL REFERENCES name,
    published_at_us INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    failure TEXT,
    holders INTEGER NOT NULL,
    sent INTEGER NOT NULL
) STRICT;
CREATE INDEX hoard_key_by_peer ON hoard_key (peer, run);

CREATE VIEW hoard_key_view AS
SELECT
    t.id AS hoard_key,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_key') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_key') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.arm_name AS arm_name,
    t.position AS position,
    (SELECT name FROM name WHERE id = t.strategy) AS strategy,
    (SELECT name FROM name WHERE id = t.persistence) AS persistence,
    t.k AS k,
    (SELECT name FROM name WHERE id = t.publisher_end) AS publisher_end,
    strftime('%Y-%m-%dT%H:%M:%S', t.published_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.published_at_us / 1000 % 1000) AS published_at,
    t.took_us AS took_us,
    t.failure AS failure,
    t.holders AS holders,
    t.sent AS sent
FROM hoard_key AS t
JOIN run ON run.id = t.run;

-- A publisher of a study that left.
CREATE TABLE hoard_publisher (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    arm INTEGER NOT NULL,
    closed_at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX hoard_publisher_by_peer ON hoard_publisher (peer, run);

CREATE VIEW hoard_publisher_view AS
SELECT
    t.id AS hoard_publisher,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_publisher') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_publisher') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    t.arm AS arm,
    strftime('%Y-%m-%dT%H:%M:%S', t.closed_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.closed_at_us / 1000 % 1000) AS closed_at
FROM hoard_publisher AS t
JOIN run ON run.id = t.run;

-- One peer that was to hold the record of a key.
CREATE TABLE hoard_holder (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    common_prefix_len INTEGER NOT NULL,
    agent TEXT,
    first_addresses BLOB,
    chosen_us INTEGER NOT NULL,
    sent_us INTEGER,
    send_error INTEGER REFERENCES failure
) STRICT;
CREATE INDEX hoard_holder_by_peer ON hoard_holder (peer, run);

CREATE VIEW hoard_holder_view AS
SELECT
    t.id AS hoard_holder,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_holder') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_holder') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.rank AS rank,
    t.common_prefix_len AS common_prefix_len,
    t.agent AS agent,
    t.chosen_us AS chosen_us,
    t.sent_us AS sent_us,
    (SELECT phase FROM failure WHERE id = t.send_error) AS send_error_phase,
    (SELECT class FROM failure WHERE id = t.send_error) AS send_error_class,
    (SELECT detail FROM failure WHERE id = t.send_error) AS send_error_detail
FROM hoard_holder AS t
JOIN run ON run.id = t.run;

CREATE VIEW hoard_holder_first_address_view AS
SELECT
    t.id AS hoard_holder,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM hoard_holder AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.first_addresses, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

-- What one round saw of one holder.
CREATE TABLE hoard_sight (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    round INTEGER NOT NULL,
    planned_us INTEGER NOT NULL,
    after_us INTEGER NOT NULL,
    whereabouts INTEGER NOT NULL REFERENCES name,
    first_dial_error INTEGER REFERENCES failure,
    first_dial_us INTEGER,
    current_dial_error INTEGER REFERENCES failure,
    current_dial_us INTEGER,
    current_addresses BLOB,
    transport INTEGER REFERENCES name,
    round_trip_us INTEGER,
    agent TEXT,
    answer INTEGER NOT NULL REFERENCES name,
    answer_error INTEGER REFERENCES failure,
    answer_us INTEGER,
    provider_addresses INTEGER NOT NULL,
    other_providers INTEGER NOT NULL,
    closer INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX hoard_sight_by_peer ON hoard_sight (peer, run);

CREATE VIEW hoard_sight_view AS
SELECT
    t.id AS hoard_sight,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_sight') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_sight') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.round AS round,
    t.planned_us AS planned_us,
    t.after_us AS after_us,
    (SELECT name FROM name WHERE id = t.whereabouts) AS whereabouts,
    (SELECT phase FROM failure WHERE id = t.first_dial_error) AS first_dial_error_phase,
    (SELECT class FROM failure WHERE id = t.first_dial_error) AS first_dial_error_class,
    (SELECT detail FROM failure WHERE id = t.first_dial_error) AS first_dial_error_detail,
    t.first_dial_us AS first_dial_us,
    (SELECT phase FROM failure WHERE id = t.current_dial_error) AS current_dial_error_phase,
    (SELECT class FROM failure WHERE id = t.current_dial_error) AS current_dial_error_class,
    (SELECT detail FROM failure WHERE id = t.current_dial_error) AS current_dial_error_detail,
    t.current_dial_us AS current_dial_us,
    (SELECT name FROM name WHERE id = t.transport) AS transport,
    t.round_trip_us AS round_trip_us,
    t.agent AS agent,
    (SELECT name FROM name WHERE id = t.answer) AS answer,
    (SELECT phase FROM failure WHERE id = t.answer_error) AS answer_error_phase,
    (SELECT class FROM failure WHERE id = t.answer_error) AS answer_error_class,
    (SELECT detail FROM failure WHERE id = t.answer_error) AS answer_error_detail,
    t.answer_us AS answer_us,
    t.provider_addresses AS provider_addresses,
    t.other_providers AS other_providers,
    t.closer AS closer,
    t.attempts AS attempts
FROM hoard_sight AS t
JOIN run ON run.id = t.run;

CREATE VIEW hoard_sight_current_address_view AS
SELECT
    t.id AS hoard_sight,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM hoard_sight AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.current_addresses, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

-- One round of one key, written when it is over.
CREATE TABLE hoard_round (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    round INTEGER NOT NULL,
    planned_at_us INTEGER NOT NULL,
    began_at_us INTEGER NOT NULL,
    ended_at_us INTEGER NOT NULL,
    rounds_in_flight INTEGER NOT NULL,
    requests_in_flight INTEGER NOT NULL,
    round_end INTEGER NOT NULL REFERENCES name,
    holders INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    keeping INTEGER NOT NULL,
    with_addresses INTEGER NOT NULL
) STRICT;

CREATE VIEW hoard_round_view AS
SELECT
    t.id AS hoard_round,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_round') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_round') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.round AS round,
    strftime('%Y-%m-%dT%H:%M:%S', t.planned_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.planned_at_us / 1000 % 1000) AS planned_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.ended_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.ended_at_us / 1000 % 1000) AS ended_at,
    t.rounds_in_flight AS rounds_in_flight,
    t.requests_in_flight AS requests_in_flight,
    (SELECT name FROM name WHERE id = t.round_end) AS round_end,
    t.holders AS holders,
    t.reached AS reached,
    t.keeping AS keeping,
    t.with_addresses AS with_addresses
FROM hoard_round AS t
JOIN run ON run.id = t.run;

-- One lookup of one round of a key.
CREATE TABLE hoard_walk (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    round INTEGER NOT NULL,
    lookup INTEGER NOT NULL REFERENCES name,
    began_at_us INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    ending INTEGER NOT NULL REFERENCES name,
    asked INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    contacted INTEGER NOT NULL,
    tree_depth INTEGER NOT NULL,
    hops_to_closest INTEGER,
    providers INTEGER NOT NULL,
    first_combo INTEGER NOT NULL,
    upgraded_combo INTEGER NOT NULL,
    closest_peer_count INTEGER,
    closest_peers BLOB
) STRICT;

CREATE VIEW hoard_walk_view AS
SELECT
    t.id AS hoard_walk,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_walk') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_walk') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.round AS round,
    (SELECT name FROM name WHERE id = t.lookup) AS lookup,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    t.took_us AS took_us,
    (SELECT name FROM name WHERE id = t.ending) AS ending,
    t.asked AS asked,
    t.answered AS answered,
    t.failed AS failed,
    t.contacted AS contacted,
    t.tree_depth AS tree_depth,
    t.hops_to_closest AS hops_to_closest,
    t.providers AS providers,
    t.first_combo AS first_combo,
    t.upgraded_combo AS upgraded_combo,
    t.closest_peer_count AS closest_peer_count
FROM hoard_walk AS t
JOIN run ON run.id = t.run;

CREATE VIEW hoard_walk_closest_peer_view AS
SELECT
    t.id AS hoard_walk,
    listed.value AS closest_peer_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = listed.value) AS closest_peer_peer_id
FROM hoard_walk AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.closest_peers, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    peer (value) AS (SELECT sum(value) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM peer)) AS listed;

-- One provider in one answer of a lookup of a study.
CREATE TABLE hoard_provider (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    round INTEGER NOT NULL,
    lookup INTEGER NOT NULL REFERENCES name,
    responder INTEGER NOT NULL,
    answered_us INTEGER NOT NULL,
    addresses INTEGER NOT NULL,
    listed_addresses BLOB
) STRICT;
CREATE INDEX hoard_provider_by_peer ON hoard_provider (peer, run);

CREATE VIEW hoard_provider_view AS
SELECT
    t.id AS hoard_provider,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_provider') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_provider') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.round AS round,
    (SELECT name FROM name WHERE id = t.lookup) AS lookup,
    t.responder AS responder_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = t.responder) AS responder_peer_id,
    t.answered_us AS answered_us,
    t.addresses AS addresses
FROM hoard_provider AS t
JOIN run ON run.id = t.run;

CREATE VIEW hoard_provider_listed_address_view AS
SELECT
    t.id AS hoard_provider,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM hoard_provider AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.listed_addresses, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

-- One provider of a key that a round of a study dialled.
CREATE TABLE hoard_dial (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    key BLOB NOT NULL,
    arm INTEGER NOT NULL,
    round INTEGER NOT NULL,
    after_us INTEGER NOT NULL,
    origin INTEGER REFERENCES name,
    addresses BLOB,
    verdict INTEGER NOT NULL REFERENCES name,
    error TEXT
) STRICT;
CREATE INDEX hoard_dial_by_peer ON hoard_dial (peer, run);

CREATE VIEW hoard_dial_view AS
SELECT
    t.id AS hoard_dial,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_dial') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'hoard_dial') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    lower(hex(t.key)) AS key,
    t.arm AS arm,
    t.round AS round,
    t.after_us AS after_us,
    (SELECT name FROM name WHERE id = t.origin) AS origin,
    (SELECT name FROM name WHERE id = t.verdict) AS verdict,
    t.error AS error
FROM hoard_dial AS t
JOIN run ON run.id = t.run;

CREATE VIEW hoard_dial_address_view AS
SELECT
    t.id AS hoard_dial,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    listed.key AS position,
    (SELECT multiaddr FROM address_text WHERE id = listed.value) AS multiaddr
FROM hoard_dial AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.addresses, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    id (value) AS (SELECT sum(iif(value & 1, -(value >> 1) - 1, value >> 1)) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM id)) AS listed;

-- A session of a peer, computed from visits and gaps: one row when it begins, one when it is over, of which the last counts.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    criterion INTEGER NOT NULL REFERENCES name,
    state INTEGER NOT NULL REFERENCES name,
    began_after_us INTEGER,
    first_successful_dial_us INTEGER NOT NULL,
    began_by_us INTEGER NOT NULL,
    last_successful_dial_us INTEGER NOT NULL,
    first_failed_dial_us INTEGER,
    ended_by_us INTEGER,
    next_dial_attempt_us INTEGER,
    min_us INTEGER NOT NULL,
    max_us INTEGER,
    successful_dials INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    recoveries INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    unwatched_us INTEGER NOT NULL,
    end_reason INTEGER REFERENCES name,
    failure INTEGER REFERENCES failure
) STRICT;
CREATE INDEX session_by_peer ON session (peer, run);

CREATE VIEW session_view AS
SELECT
    t.id AS session,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'session') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'session') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    (SELECT name FROM name WHERE id = t.criterion) AS criterion,
    (SELECT name FROM name WHERE id = t.state) AS state,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_after_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_after_us / 1000 % 1000) AS began_after,
    strftime('%Y-%m-%dT%H:%M:%S', t.first_successful_dial_us / 1000000, 'unixepoch') || printf('.%03dZ', t.first_successful_dial_us / 1000 % 1000) AS first_successful_dial,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_by_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_by_us / 1000 % 1000) AS began_by,
    strftime('%Y-%m-%dT%H:%M:%S', t.last_successful_dial_us / 1000000, 'unixepoch') || printf('.%03dZ', t.last_successful_dial_us / 1000 % 1000) AS last_successful_dial,
    strftime('%Y-%m-%dT%H:%M:%S', t.first_failed_dial_us / 1000000, 'unixepoch') || printf('.%03dZ', t.first_failed_dial_us / 1000 % 1000) AS first_failed_dial,
    strftime('%Y-%m-%dT%H:%M:%S', t.ended_by_us / 1000000, 'unixepoch') || printf('.%03dZ', t.ended_by_us / 1000 % 1000) AS ended_by,
    strftime('%Y-%m-%dT%H:%M:%S', t.next_dial_attempt_us / 1000000, 'unixepoch') || printf('.%03dZ', t.next_dial_attempt_us / 1000 % 1000) AS next_dial_attempt,
    t.min_us AS min_us,
    t.max_us AS max_us,
    t.successful_dials AS successful_dials,
    t.failures AS failures,
    t.recoveries AS recoveries,
    t.gaps AS gaps,
    t.unwatched_us AS unwatched_us,
    (SELECT name FROM name WHERE id = t.end_reason) AS end_reason,
    (SELECT phase FROM failure WHERE id = t.failure) AS failure_phase,
    (SELECT class FROM failure WHERE id = t.failure) AS failure_class,
    (SELECT detail FROM failure WHERE id = t.failure) AS failure_detail
FROM session AS t
JOIN run ON run.id = t.run;

-- What the looks of one day in UTC say of a peer, computed; rows of the same day add up. The rest of the day is unknown.
CREATE TABLE peer_day (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    peer INTEGER NOT NULL REFERENCES peer,
    number INTEGER NOT NULL,
    day_us INTEGER NOT NULL,
    up_us INTEGER NOT NULL,
    down_us INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL
) STRICT;
CREATE INDEX peer_day_by_peer ON peer_day (peer, run);

CREATE VIEW peer_day_view AS
SELECT
    t.id AS peer_day,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'peer_day') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'peer_day') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    t.number AS number,
    (SELECT peer_id FROM peer WHERE id = t.peer) AS peer_id,
    strftime('%Y-%m-%dT%H:%M:%S', t.day_us / 1000000, 'unixepoch') || printf('.%03dZ', t.day_us / 1000 % 1000) AS day,
    t.up_us AS up_us,
    t.down_us AS down_us,
    t.looks AS looks,
    t.begun AS begun,
    t.ended AS ended
FROM peer_day AS t
JOIN run ON run.id = t.run;

-- A time in which a monitor saw nothing, for a reason of its own: nobody was down because of it.
CREATE TABLE observer_gap (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    cause INTEGER NOT NULL REFERENCES name,
    began_at_us INTEGER NOT NULL,
    ended_at_us INTEGER NOT NULL
) STRICT;

CREATE VIEW observer_gap_view AS
SELECT
    t.id AS observer_gap,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'observer_gap') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'observer_gap') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    (SELECT name FROM name WHERE id = t.cause) AS cause,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    strftime('%Y-%m-%dT%H:%M:%S', t.ended_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.ended_at_us / 1000 % 1000) AS ended_at
FROM observer_gap AS t
JOIN run ON run.id = t.run;

-- Where an address is, by the sources that the run names.
CREATE TABLE address_place (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    address INTEGER NOT NULL REFERENCES address,
    kind INTEGER NOT NULL REFERENCES name,
    ip TEXT,
    name_error INTEGER REFERENCES failure,
    continent TEXT,
    country TEXT,
    city TEXT,
    asn INTEGER,
    organisation TEXT,
    cloud TEXT,
    cloud_by INTEGER REFERENCES name
) STRICT;

CREATE VIEW address_place_view AS
SELECT
    t.id AS address_place,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'address_place') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'address_place') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    (SELECT multiaddr FROM address_text WHERE id = t.address) AS address,
    (SELECT name FROM name WHERE id = t.kind) AS kind,
    t.ip AS ip,
    (SELECT phase FROM failure WHERE id = t.name_error) AS name_error_phase,
    (SELECT class FROM failure WHERE id = t.name_error) AS name_error_class,
    (SELECT detail FROM failure WHERE id = t.name_error) AS name_error_detail,
    t.continent AS continent,
    t.country AS country,
    t.city AS city,
    t.asn AS asn,
    t.organisation AS organisation,
    t.cloud AS cloud,
    (SELECT name FROM name WHERE id = t.cloud_by) AS cloud_by
FROM address_place AS t
JOIN run ON run.id = t.run;

-- One walk of a random-walk crawl: a lookup of a key at random, whose nearest peers are visited.
CREATE TABLE crawl_walk (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    key BLOB NOT NULL,
    began_at_us INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    ending INTEGER NOT NULL REFERENCES name,
    asked INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    dialled INTEGER NOT NULL,
    nearest_peer_count INTEGER,
    nearest_peers BLOB,
    closest_peer_count INTEGER,
    closest_peers BLOB
) STRICT;

CREATE VIEW crawl_walk_view AS
SELECT
    t.id AS crawl_walk,
    (SELECT run_id FROM run WHERE id = t.run) AS run_id,
    strftime('%Y-%m-%dT%H:%M:%S', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'crawl_walk') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000000, 'unixepoch') || printf('.%03dZ', (SELECT created_at_us FROM batch WHERE kind = (SELECT id FROM name WHERE name = 'crawl_walk') AND first <= t.id ORDER BY first DESC LIMIT 1) / 1000 % 1000) AS created_at,
    lower(hex(t.key)) AS key,
    strftime('%Y-%m-%dT%H:%M:%S', t.began_at_us / 1000000, 'unixepoch') || printf('.%03dZ', t.began_at_us / 1000 % 1000) AS began_at,
    t.took_us AS took_us,
    (SELECT name FROM name WHERE id = t.ending) AS ending,
    t.asked AS asked,
    t.answered AS answered,
    t.dialled AS dialled,
    t.nearest_peer_count AS nearest_peer_count,
    t.closest_peer_count AS closest_peer_count
FROM crawl_walk AS t
JOIN run ON run.id = t.run;

CREATE VIEW crawl_walk_nearest_peer_view AS
SELECT
    t.id AS crawl_walk,
    listed.value AS nearest_peer_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = listed.value) AS nearest_peer_peer_id
FROM crawl_walk AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.nearest_peers, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    peer (value) AS (SELECT sum(value) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM peer)) AS listed;

CREATE VIEW crawl_walk_closest_peer_view AS
SELECT
    t.id AS crawl_walk,
    listed.value AS closest_peer_number,
    (SELECT peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer WHERE run_peer.run = t.run AND run_peer.number = listed.value) AS closest_peer_peer_id
FROM crawl_walk AS t
JOIN json_each((WITH RECURSIVE
    number_step (seen, part, shift, value, whole) AS (
        SELECT 0, 0, 0, 0, 0
        UNION ALL
        SELECT
            seen + 1,
            iif(byte.value < 128, 0, part + ((byte.value & 127) << shift)),
            iif(byte.value < 128, 0, shift + 7),
            part + ((byte.value & 127) << shift),
            byte.value < 128
        FROM number_step JOIN byte ON byte.raw = substr(t.closest_peers, seen + 1, 1)
    ),
    number (n, value) AS (SELECT row_number() OVER (ORDER BY seen) - 1, value FROM number_step WHERE whole),
    peer (value) AS (SELECT sum(value) OVER (ORDER BY n) FROM number)
    SELECT json_group_array(value) FROM peer)) AS listed;
