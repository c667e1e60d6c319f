-- Runs, the peers they heard of, and what is kept once over all runs. Read the views. The tables and views of the rows
-- themselves follow from their descriptions (docs/schema.md): for each kind a table, in which what is kept once is a number and
-- lists are arrays, a view of its rows, and a view of the elements of each list.
--
-- Text from peers may hold NUL, which PostgreSQL does not: it is written as U+E000 and 0, and U+E000 itself as U+E000 and 1.
-- `hash` is the first half of a SHA-256, so that values of any length have an index, and nobody can choose two that meet.

CREATE TABLE run (
    id           integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       text        NOT NULL UNIQUE,     -- 32 hexadecimal digits, as printed
    tool         tool        NOT NULL,
    network      text        NOT NULL,
    started_at   timestamptz NOT NULL,
    version      text        NOT NULL,            -- of kadscope
    seed         numeric     NOT NULL,            -- below 2^64
    vantage      text        NOT NULL,
    parameters   jsonb       NOT NULL,
    finished_at  timestamptz,                     -- NULL: under way, or interrupted
    state        run_state,                       -- how it ended; NULL as above
    summary      jsonb,
    -- Computed: written with every batch, in the same transaction, equal to what the rows below count to.
    peer_count   bigint      NOT NULL DEFAULT 0,
    row_count    bigint      NOT NULL DEFAULT 0,
    visit_count  bigint      NOT NULL DEFAULT 0,
    edge_count   bigint      NOT NULL DEFAULT 0,
    pruned_count bigint      NOT NULL DEFAULT 0,  -- visits that were there and were deleted for their age
    batch        bigint      NOT NULL DEFAULT 0   -- the last that was committed: one that is sent twice is taken once
);
CREATE INDEX run_by_start ON run (started_at);

CREATE TABLE peer (
    id       integer          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    peer_id  text COLLATE "C" NOT NULL,           -- base58, as printed
    CONSTRAINT peer_by_peer_id UNIQUE (peer_id)
);

CREATE TABLE run_peer (
    run     integer NOT NULL,
    number  integer NOT NULL,                     -- from 0, in the order in which peers were first heard of
    peer    integer NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE INDEX run_peer_by_peer ON run_peer (peer);

CREATE TABLE address (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       uuid    NOT NULL UNIQUE,
    multiaddr  text    NOT NULL,                  -- `0x` and hexadecimal digits where `raw` has the bytes
    raw        bytea                              -- the bytes where no text stands for exactly these; NULL elsewhere
);

CREATE TABLE agent (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash   uuid    NOT NULL UNIQUE,
    agent  text    NOT NULL
);

CREATE TABLE protocol_set (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       uuid    NOT NULL UNIQUE,
    protocols  text[]  NOT NULL
);

CREATE TABLE failure (
    id      integer       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash    uuid          NOT NULL UNIQUE,
    class   failure_class NOT NULL,
    phase   phase,                                -- NULL: the request for a prefix, of which the class says it all
    detail  text
);

CREATE VIEW run_view AS
SELECT
    run_id, tool, network, started_at, finished_at, coalesce(state::text, 'running or interrupted') AS state,
    peer_count, row_count, visit_count, edge_count, pruned_count, version, seed, vantage, parameters, summary
FROM run;
