-- The register of who measures, in a schema of its own: servers publish and look up, schedulers tell them when, and whoever holds a
-- lease does what only one may do at a time. Where Parsec's tables are used, servers and schedulers stand in those.
CREATE SCHEMA IF NOT EXISTS kadscope_register;

CREATE TABLE kadscope_register.layout (version integer NOT NULL, made_at timestamptz NOT NULL DEFAULT now());
INSERT INTO kadscope_register.layout (version) VALUES (1);

CREATE TABLE kadscope_register.server (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fleet          text NOT NULL,
    region         text NOT NULL,         -- as its operator calls it; empty if nobody says
    peer_id        text NOT NULL,         -- base58
    ip             inet NOT NULL,         -- where it is asked by HTTP
    port           integer NOT NULL,
    peer_port      integer,               -- NULL: it listens for no peers
    cpu            bigint NOT NULL,       -- 1,024ths of a core, as containers count; 1 if nobody says
    memory         bigint NOT NULL,       -- MiB; 1 if nobody says
    strategy       text,
    version        text NOT NULL,
    command        text NOT NULL,
    dependencies   jsonb NOT NULL,
    entered_at     timestamptz NOT NULL,
    last_heartbeat timestamptz,           -- NULL: none yet
    offline_since  timestamptz            -- NULL: nobody says that it is away
);
CREATE INDEX server_by_fleet ON kadscope_register.server (fleet, last_heartbeat);
CREATE INDEX server_by_peer ON kadscope_register.server (peer_id);

CREATE TABLE kadscope_register.scheduler (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fleets       text[] NOT NULL,
    version      text NOT NULL,
    dependencies jsonb NOT NULL,
    entered_at   timestamptz NOT NULL
);

-- A row stays when its lease is over: the number only grows, so whoever lost it is known by the smaller one.
CREATE TABLE kadscope_register.lease (
    name   text NOT NULL PRIMARY KEY,
    holder text NOT NULL,
    fence  bigint NOT NULL,
    until  timestamptz NOT NULL
);

-- Processes that write measurements into Parsec's tables, which have no key by which a row that is written twice would be known: the
-- number of the last batch of each is changed in the batch's own transaction, so that one that is sent again is taken once.
CREATE TABLE kadscope_register.keeper (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    keeper_id uuid NOT NULL UNIQUE,
    batch     bigint NOT NULL DEFAULT 0
);
