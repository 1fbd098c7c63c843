-- Definitions, instances and their bookmarks. Terms and version rules are Elsa's.

create table workflow_definitions (
  id             text primary key,             -- of this version
  definition_id  text not null,
  version        int not null check (version > 0),
  name           text not null,
  description    text,
  is_latest      boolean not null,
  is_published   boolean not null,
  -- Once published, a version never changes again, even after it is retracted: instances and their journals name it.
  was_published  boolean not null default false,
  document       text not null,                -- Elsa 3 JSON, kept as it came
  created_at     timestamptz not null default now(),
  -- What an editor must have seen to save over it. Content only: publishing leaves it as it is.
  revision       uuid not null default gen_random_uuid(),
  -- Who saved last, and the revisions that this editor went through without another one in between: a save of its own that
  -- crosses the answer to the one before is no conflict.
  editor            text,
  editor_revisions  uuid[] not null default '{}',
  unique (definition_id, version)
);
create unique index workflow_definitions_latest on workflow_definitions (definition_id) where is_latest;
create unique index workflow_definitions_published on workflow_definitions (definition_id) where is_published;

-- What instances run, by content: a draft may be tried and edited further, a retracted version may be edited in place, and neither
-- changes what has started. A text that many instances run is kept once.
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
  ready_at               timestamptz default now(),  -- claimable from then on; null while only a resumption can wake it
  owner                  uuid,                 -- the process that runs it
  fence                  bigint not null default 0,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  finished_at            timestamptz,
  journal_removed_at     timestamptz,          -- by retention: the instance stays, its journal is gone
  traceparent            text,                 -- W3C trace context of what started the run: its spans go on from there
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
  due_at       timestamptz,                    -- when it wakes by itself; null while only an event can wake it
  created_at   timestamptz not null default now()
);
create index bookmarks_instance on bookmarks (instance_id);
create index bookmarks_due on bookmarks (due_at) where due_at is not null;

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
  suspended_at   timestamptz,                  -- began to wait for its bookmark
  completed_at   timestamptz,
  unique (instance_id, sequence)
);

-- How many images passed each activity of a fan-out's body, and how many failed there. One row an activity, moved by the
-- transaction that records a batch of images: a row an image and activity would outweigh the images themselves.
-- No foreign key: the check would lock the instance's row, which comes before images in the lock order. Counts move only
-- while the run is processing, so nothing is written for an instance that has been deleted.
create table fan_out_counts (
  instance_id  uuid not null,
  node_id      text not null,
  completed    bigint not null default 0 check (completed >= 0),
  faulted      bigint not null default 0 check (faulted >= 0),
  retried      bigint not null default 0 check (retried >= 0),  -- bodies that stopped here to start again later
  first_at     timestamptz not null default now(),
  last_at      timestamptz not null default now(),
  primary key (instance_id, node_id)
);

-- Whoever watches a run is woken by every commit that changes it. Triggers, because everything that moves a revision or a
-- step has to say so, and a writer that forgot would be noticed by nobody. No payload: one commit then sends one
-- notification, however many rows it changed, and a watcher looks at what it watches.
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
