-- What people see of a run: how its activities fared, and a signal that something has changed.

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

alter table activity_executions add column suspended_at timestamptz;      -- began to wait for its bookmark
alter table workflow_instances add column journal_removed_at timestamptz; -- by retention: the instance stays, its journal is gone

create index workflow_instances_created on workflow_instances (created_at desc, id);
create index workflow_instances_journal_kept on workflow_instances (finished_at) where journal_removed_at is null;

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
