-- Parsec's tables as its sixth migration leaves them: Go's programs take a database with these for one that they made. Nothing of
-- ours may be added here.
CREATE TABLE IF NOT EXISTS public.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);

-- Of its first years, and empty since.
CREATE TABLE public.runs (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dependencies jsonb NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz CHECK (finished_at > started_at),
    updated_at   timestamptz NOT NULL CHECK (updated_at >= created_at),
    created_at   timestamptz NOT NULL
);
CREATE TABLE public.nodes (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    peer_id       text NOT NULL,
    run_id        integer NOT NULL CONSTRAINT fk_nodes_run_id REFERENCES public.runs (id) ON DELETE SET NULL,
    region        text NOT NULL,
    instance_type text NOT NULL,
    dependencies  jsonb NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE TABLE public.provides (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id    integer NOT NULL CONSTRAINT fk_provides_node REFERENCES public.nodes (id),
    rt_size    integer NOT NULL,
    duration   double precision NOT NULL,
    cid        text NOT NULL,
    error      text,
    created_at timestamptz NOT NULL
);
CREATE INDEX idx_provides_created_at ON public.provides (created_at);
CREATE TABLE public.retrievals (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id    integer NOT NULL CONSTRAINT fk_retrievals_node REFERENCES public.nodes (id),
    rt_size    integer NOT NULL,
    duration   double precision NOT NULL,
    cid        text NOT NULL,
    error      text,
    created_at timestamptz NOT NULL
);
CREATE INDEX idx_retrievals_created_at ON public.retrievals (created_at);

CREATE TABLE public.schedulers_ecs (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fleets       text[] NOT NULL,
    dependencies jsonb NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE TABLE public.nodes_ecs (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cpu            integer NOT NULL,
    memory         integer NOT NULL,
    peer_id        text NOT NULL,
    region         text NOT NULL,
    cmd            text NOT NULL,
    fleet          text NOT NULL,
    dependencies   jsonb NOT NULL,
    ip_address     inet NOT NULL,
    server_port    smallint NOT NULL,
    peer_port      smallint NOT NULL,
    last_heartbeat timestamptz,
    offline_since  timestamptz,
    created_at     timestamptz NOT NULL
);
CREATE TABLE public.provides_ecs (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheduler_id integer NOT NULL
        CONSTRAINT fk_provides_ecs_scheduler_id REFERENCES public.schedulers_ecs (id) ON DELETE CASCADE,
    node_id      integer NOT NULL CONSTRAINT fk_provides_ecs_node_id REFERENCES public.nodes_ecs (id) ON DELETE CASCADE,
    rt_size      integer NOT NULL,
    duration     double precision NOT NULL,
    cid          text NOT NULL,
    error        text,
    created_at   timestamptz NOT NULL,
    step         text NOT NULL
);
CREATE INDEX idx_provides_ecs_created_at ON public.provides_ecs (created_at);
CREATE TABLE public.retrievals_ecs (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheduler_id integer NOT NULL
        CONSTRAINT fk_retrievals_ecs_scheduler_id REFERENCES public.schedulers_ecs (id) ON DELETE CASCADE,
    node_id      integer NOT NULL CONSTRAINT fk_retrievals_ecs_node_id REFERENCES public.nodes_ecs (id) ON DELETE CASCADE,
    rt_size      integer NOT NULL,
    duration     double precision NOT NULL,
    cid          text NOT NULL,
    error        text,
    created_at   timestamptz NOT NULL
);
CREATE INDEX idx_retrievals_ecs_created_at ON public.retrievals_ecs (created_at);

INSERT INTO public.schema_migrations (version, dirty) VALUES (6, false);
