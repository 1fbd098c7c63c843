-- Waiting for a time, and instances that keep the text they started with.

-- When a bookmark wakes by itself; null while only an event can wake it.
alter table bookmarks add column due_at timestamptz;
create index bookmarks_due on bookmarks (due_at) where due_at is not null;

-- What instances run, by content: a draft may be tried and edited further, a retracted version may be edited in place, and neither
-- changes what has started. A text that many instances run is kept once.
create table workflow_documents (
  sha256    bytea primary key,
  document  text not null
);
alter table workflow_instances add column document_sha256 bytea references workflow_documents;

-- Instances from before are pinned to their version as it is now.
insert into workflow_documents (sha256, document)
select distinct on (sha256(convert_to(d.document, 'UTF8'))) sha256(convert_to(d.document, 'UTF8')), d.document
from workflow_definitions d
join workflow_instances i on i.definition_version_id = d.id;

update workflow_instances i
set document_sha256 = sha256(convert_to(d.document, 'UTF8'))
from workflow_definitions d
where d.id = i.definition_version_id;
