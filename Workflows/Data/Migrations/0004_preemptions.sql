-- Slow downloads give way to those of other owners, but only so often.
alter table images add column preemptions int not null default 0;
