-- What editing needs to know of a definition version besides its document.

alter table workflow_definitions
  add column description       text,
  -- Once published, a version never changes again, even after it is retracted: instances and their journals name it.
  add column was_published     boolean not null default false,
  -- What an editor must have seen to save over it. Content only: publishing leaves it as it is.
  add column revision          uuid not null default gen_random_uuid(),
  -- Who saved last, and the revisions that this editor went through without another one in between: a save of its own that
  -- crosses the answer to the one before is no conflict.
  add column editor            text,
  add column editor_revisions  uuid[] not null default '{}';

update workflow_definitions
set was_published = is_published,
    description = document::jsonb ->> 'description';
