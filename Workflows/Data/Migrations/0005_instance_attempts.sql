-- An instance that keeps failing, or keeps ending its process, must end at some point.
alter table workflow_instances add column attempts int not null default 0;
