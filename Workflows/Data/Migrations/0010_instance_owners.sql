-- Workers run the instances of owners in turn, so instances know whose they are. A trigger, because during a deployment processes of the
-- previous version still insert instances.
alter table workflow_instances add column owner_id uuid;

update workflow_instances i
set owner_id = r.owner_id
from csv_data_table r
where r.id = i.request_id;

create function set_instance_owner() returns trigger
language plpgsql as $$
begin
  select owner_id into new.owner_id from csv_data_table where id = new.request_id;
  return new;
end
$$;

create trigger workflow_instances_owner
  before insert on workflow_instances
  for each row execute function set_instance_owner();

alter table workflow_instances alter column owner_id set not null;
create index workflow_instances_due on workflow_instances (owner_id, ready_at) where status = 'Running' and ready_at is not null;
create index workflow_instances_claimed on workflow_instances (owner_id) where owner is not null;
