-- Definitions, instances and their bookmarks. Terms and version rules are Elsa's.

create table workflow_definitions (
  id             text primary key,             -- of this version
  definition_id  text not null,
  version        int not null check (version > 0),
  name           text not null,
  is_latest      boolean not null,
  is_published   boolean not null,
  document       text not null,                -- Elsa 3 JSON, kept as it came
  created_at     timestamptz not null default now(),
  unique (definition_id, version)
);
create unique index workflow_definitions_latest on workflow_definitions (definition_id) where is_latest;
create unique index workflow_definitions_published on workflow_definitions (definition_id) where is_published;

create table workflow_instances (
  id                     uuid primary key,
  request_id             uuid not null references csv_data_table,
  run                    int not null,
  definition_id          text not null,
  definition_version_id  text not null references workflow_definitions,
  version                int not null,
  status                 text not null default 'Running' check (status in ('Running', 'Finished')),
  sub_status             text not null default 'Pending'
                           check (sub_status in ('Pending', 'Executing', 'Suspended', 'Finished', 'Cancelled', 'Faulted')),
  state                  jsonb not null,       -- the snapshot: what is scheduled, variables, incidents
  ready_at               timestamptz default now(),  -- claimable from then on; null while only a resumption can wake it
  owner                  uuid,                 -- the process that runs it
  fence                  bigint not null default 0,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  finished_at            timestamptz,
  unique (request_id, run),
  check ((status = 'Finished') = (sub_status in ('Finished', 'Cancelled', 'Faulted')))
);
create index workflow_instances_ready on workflow_instances (ready_at) where status = 'Running';

create table bookmarks (
  id           uuid primary key,
  instance_id  uuid not null references workflow_instances on delete cascade,
  activity_id  text not null,
  name         text not null,                  -- the activity's type
  payload      jsonb not null,
  created_at   timestamptz not null default now()
);
create index bookmarks_instance on bookmarks (instance_id);

-- What woke a bookmark. Written by whoever saw the event, without touching the instance's row; taken by whoever runs the instance.
create table resumptions (
  bookmark_id  uuid primary key references bookmarks on delete cascade,
  instance_id  uuid not null,
  input        jsonb not null,
  created_at   timestamptz not null default now()
);
create index resumptions_instance on resumptions (instance_id);

create table activity_executions (
  id             uuid primary key,
  instance_id    uuid not null references workflow_instances on delete cascade,
  sequence       bigint not null,
  activity_id    text not null,
  node_id        text not null,
  activity_type  text not null,
  activity_name  text not null,
  status         text not null check (status in ('Running', 'Completed', 'Canceled', 'Faulted')),
  outcomes       text[] not null default '{}',
  inputs         jsonb,
  outputs        jsonb,
  error          jsonb,
  started_at     timestamptz not null,
  completed_at   timestamptz,
  unique (instance_id, sequence)
);
