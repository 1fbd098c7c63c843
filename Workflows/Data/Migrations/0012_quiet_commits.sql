-- A commit with a notification waits for the one before it until that is on disk, and wakes every listening session, whatever it listens to.
-- So only what somebody waits for is announced; viewers of an instance look for its changes themselves.
drop trigger csv_data_table_changed on csv_data_table;
drop trigger workflow_instances_changed on workflow_instances;
drop function announce_change();

-- Plans of prepared statements hold for every request. In a database of a few large requests, the statistics alone would have them read the
-- whole table for a small one.
alter table products alter column request_id set (n_distinct = -0.001);
alter table images alter column request_id set (n_distinct = -0.001);
