-- The next instance of an owner is the first entry of a range of this index, whatever the planner takes the table to hold: nearly all instances
-- may be ready at one time, and none at the next.
create index workflow_instances_free on workflow_instances (owner_id, ready_at)
  where status = 'Running' and owner is null and ready_at is not null;

-- For the time of the next timer alone. The last condition, which always holds, keeps the planner from reading it for an owner's instances,
-- which it would look for among those of all owners.
create index workflow_instances_timers on workflow_instances (ready_at)
  where status = 'Running' and owner is null and ready_at > '-infinity';

drop index workflow_instances_due;
drop index workflow_instances_ready;
