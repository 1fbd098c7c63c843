-- webhook_secrets.secret and installation_secrets.value are encrypted from now on. SQL cannot do that, so the services encrypt the rows
-- of earlier versions when they start. This is the ring of keys that encrypt them: ASP.NET Data Protection adds a key every 90 days and
-- keeps the old ones for what they have encrypted.
create table data_protection_keys (
  name        text primary key,
  xml         text,                            -- the key in plain text, if Secrets:Key is not set
  sealed      bytea,                           -- the key, encrypted with Secrets:Key
  created_at  timestamptz not null default now(),
  check (num_nonnulls(xml, sealed) = 1)
);
