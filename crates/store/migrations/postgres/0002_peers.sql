-- One row for each peer of each run: what the last visit of it showed, which is what the peer counts as in the summary.
-- `error` is the name under which the summary counts an unreachable peer, and `turned_away` that under which it counts one
-- that is there and turned us away: at most one of them is set. `reachable` and all that a visit shows are NULL where there
-- was none.
CREATE VIEW peer_view AS
SELECT
    run.run_id, run.network, run_peer.number, peer.peer_id,
    (SELECT count(*) FROM visit AS every WHERE every.peer = run_peer.peer AND every.run = run.id) AS visits,
    visit.id AS visit, visit.reachable,
    CASE
        WHEN visit.id IS NULL OR visit.reachable OR visit.is_full THEN NULL
        WHEN connect_error.id IS NOT NULL THEN connect_error.class::text
        WHEN visit.addresses IS NULL THEN 'no_address'
        WHEN visit.only_reason IS NOT NULL THEN 'only_' || visit.only_reason
        ELSE 'no_dialable_address'
    END AS error,
    CASE WHEN visit.is_full THEN connect_error.class END AS turned_away,
    connect_error.phase AS error_phase,
    agent.agent, protocol_set.protocols, address.multiaddr AS address,
    visit.transport, visit.security, visit.ip_version, visit.rtt_us, cardinality(visit.neighbors) AS neighbor_count
FROM run
JOIN run_peer ON run_peer.run = run.id
JOIN peer ON peer.id = run_peer.peer
LEFT JOIN LATERAL (
    SELECT
        last.*,
        coalesce(failure.class = 'resource_limit'
            OR failure.class IN ('connection_closed', 'connection_reset') AND failure.phase = 'secure', false) AS is_full,
        -- The reason for which all of them were left out, if it is one.
        CASE WHEN last.address_reasons[1] = ALL (last.address_reasons) THEN last.address_reasons[1] END AS only_reason
    FROM visit AS last LEFT JOIN failure ON failure.id = last.connect_error
    WHERE last.peer = run_peer.peer AND last.run = run.id ORDER BY last.id DESC LIMIT 1
) AS visit ON true
LEFT JOIN failure AS connect_error ON connect_error.id = visit.connect_error
LEFT JOIN agent ON agent.id = visit.agent
LEFT JOIN protocol_set ON protocol_set.id = visit.protocols
LEFT JOIN address ON address.id = visit.addresses[visit.connected + 1];
