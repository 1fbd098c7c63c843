-- A person's sign-in to Studio: what an API key was exchanged for, so that the key itself never lies in the page.

create table studio_sessions (
  id_hash     bytea primary key,               -- SHA-256 of the cookie's value: 256 random bits need no slow hash
  owner_id    uuid not null references owners,
  key_prefix  text not null references api_keys (prefix) on delete cascade,  -- a revoked key ends its sessions
  scopes      text[] not null,                 -- of the key's scopes, those that Studio has a use for
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null             -- moves on while the session is used
);
create index studio_sessions_expired on studio_sessions (expires_at);
create index studio_sessions_key on studio_sessions (key_prefix);
