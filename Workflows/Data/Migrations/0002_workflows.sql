-- Definitions, instances and their bookmarks. Terms and versioning rules follow Elsa.

create table workflow_definitions (
  id             text primary key,             -- id of this version
  definition_id  text not null,
  version        int not null check (version > 0),
  name           text not null,
  description    text,
  is_latest      boolean not null,
  is_published   boolean not null,
  -- Once published, a version never changes again, even after it is retracted: instances and their journals refer to it.
  was_published  boolean not null default false,
  document       text not null,                -- Elsa 3 JSON, stored as received
  created_at     timestamptz not null default now(),
  -- An editor must have loaded this revision to overwrite the version. It covers only the content: publishing does not change it.
  revision       uuid not null default gen_random_uuid(),
  -- The editor that saved last, and its revisions since any other editor's save: if it saves again before it has received the
  -- response to its previous save, that is not a conflict.
  editor            text,
  editor_revisions  uuid[] not null default '{}',
  unique (definition_id, version)
);
create unique index workflow_definitions_latest on workflow_definitions (definition_id) where is_latest;
create unique index workflow_definitions_published on workflow_definitions (definition_id) where is_published;

-- The documents that instances run, stored by content hash: editing a draft or a retracted version does not affect instances that have
-- already started, and a document shared by many instances is stored once.
create table workflow_documents (
  sha256    bytea primary key,
  document  text not null
);

create table workflow_instances (
  id                     uuid primary key,
  request_id             uuid not null references csv_data_table,
  run                    int not null,
  definition_id          text not null,
  definition_version_id  text not null references workflow_definitions,
  version                int not null,
  document_sha256        bytea not null references workflow_documents,
  status                 text not null default 'Running' check (status in ('Running', 'Finished')),
  sub_status             text not null default 'Pending'
                           check (sub_status in ('Pending', 'Executing', 'Suspended', 'Finished', 'Cancelled', 'Faulted')),
  state                  jsonb not null,       -- the snapshot: what is scheduled, variables, incidents
  ready_at               timestamptz default now(),  -- claimable from this time; null if only a resumption can wake it
  owner                  uuid,                 -- the process running it
  fence                  bigint not null default 0,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  finished_at            timestamptz,
  journal_removed_at     timestamptz,          -- when retention removed the journal; the instance stays
  traceparent            text,                 -- W3C trace context of whatever started the run; its spans continue that trace
  unique (request_id, run),
  check ((status = 'Finished') = (sub_status in ('Finished', 'Cancelled', 'Faulted')))
);
create index workflow_instances_ready on workflow_instances (ready_at) where status = 'Running';
create index workflow_instances_created on workflow_instances (created_at desc, id);
create index workflow_instances_journal_kept on workflow_instances (finished_at) where journal_removed_at is null;

create table bookmarks (
  id           uuid primary key,
  instance_id  uuid not null references workflow_instances on delete cascade,
  activity_id  text not null,
  name         text not null,                  -- the activity's type
  payload      jsonb not null,
  due_at       timestamptz,                    -- when its timer fires; null if only an event can resume it
  created_at   timestamptz not null default now()
);
create index bookmarks_instance on bookmarks (instance_id);
create index bookmarks_due on bookmarks (due_at) where due_at is not null;

-- Events that resume bookmarks. Inserted by the process that sees the event, without touching the instance's row; consumed by the
-- process that runs the instance.
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
  suspended_at   timestamptz,                  -- when it started waiting for its bookmark
  completed_at   timestamptz,
  unique (instance_id, sequence)
);

-- How many images completed, failed or were retried at each activity of a fan-out's body. One row per activity, updated by the
-- transaction that records a batch of images: a row per image and activity would take more space than the images themselves.
-- No foreign key: the check would lock the instance's row, which comes before images in the lock order. Counts change only
-- while the run is processing, so nothing is written for a deleted instance.
create table fan_out_counts (
  instance_id  uuid not null,
  node_id      text not null,
  completed    bigint not null default 0 check (completed >= 0),
  faulted      bigint not null default 0 check (faulted >= 0),
  retried      bigint not null default 0 check (retried >= 0),  -- images that stopped here and will be retried
  first_at     timestamptz not null default now(),
  last_at      timestamptz not null default now(),
  primary key (instance_id, node_id)
);

-- Every commit that changes a run wakes the clients watching it. Triggers, because every change of a revision or step must send a
-- notification, and nobody would notice a writer that forgot to. No payload: a commit then sends a single notification, however
-- many rows it changed, and each watcher checks the run that it watches.
create function announce_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('darkroom_changes', '');
  return null;
end
$$;

create trigger csv_data_table_changed
  after update of revision on csv_data_table
  for each row when (new.revision <> old.revision)
  execute function announce_change();

create trigger workflow_instances_changed
  after update on workflow_instances
  for each row when (new.updated_at <> old.updated_at or new.sub_status <> old.sub_status)
  execute function announce_change();
