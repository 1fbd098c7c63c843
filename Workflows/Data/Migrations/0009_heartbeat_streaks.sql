-- An old heartbeat shows that its process is dead only if the database could be reached meanwhile. A process that has beaten without a
-- gap since some moment proves that.
alter table processes add column beating_since timestamptz not null default now();
