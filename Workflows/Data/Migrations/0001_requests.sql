-- Requests and their parts. The name csv_data_table, its first six columns and the first three states are fixed.
-- Locks are always taken in this order: request, instance, images.

create type status_enum as enum (
  'created', 'processing', 'completed', 'completed_with_errors', 'failed', 'cancelled');

create type image_state as enum ('waiting', 'offered', 'running', 'succeeded', 'failed');

create table owners (
  id          uuid primary key default gen_random_uuid(),
  name        text not null unique,
  created_at  timestamptz not null default now()
);

create table api_keys (
  id            uuid primary key default gen_random_uuid(),
  owner_id      uuid not null references owners,
  name          text not null,
  prefix        text not null unique,          -- the public part of the key: dk_<prefix>_<secret>
  hash          bytea not null,                -- SHA-256 of the whole key; 256 random bits need no slow hash
  scopes        text[] not null,
  created_at    timestamptz not null default now(),
  last_used_at  timestamptz,
  revoked_at    timestamptz
);

-- A user's Studio session. An API key is exchanged for it, so that the page never has to store the key itself.
create table studio_sessions (
  id_hash     bytea primary key,               -- SHA-256 of the cookie's value: 256 random bits need no slow hash
  owner_id    uuid not null references owners,
  key_prefix  text not null references api_keys (prefix) on delete cascade,  -- a revoked key ends its sessions
  scopes      text[] not null,                 -- the subset of the key's scopes that Studio uses
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null             -- extended while the session is used
);
create index studio_sessions_expired on studio_sessions (expires_at);
create index studio_sessions_key on studio_sessions (key_prefix);

-- Keys shared by all processes of an installation (the MAC key of image links). Generated once, never shown.
create table installation_secrets (
  name   text primary key,
  value  bytea not null
);

-- One row per process, renewed by a heartbeat. All claims of a process are freed when its row is deleted or goes stale.
create table processes (
  id            uuid primary key,
  kind          text not null,                 -- api | worker
  host          text not null,
  pid           int not null,
  started_at    timestamptz not null default now(),
  heartbeat_at  timestamptz not null default now()
);

-- An upload in progress. Its id becomes the request's id and the prefix of its objects, so that leftovers can be found.
create table uploads (
  id               uuid primary key,
  owner_id         uuid not null references owners,
  idempotency_key  text,
  process_id       uuid not null,
  created_at       timestamptz not null default now()
);
create unique index uploads_idempotency_key on uploads (owner_id, idempotency_key) where idempotency_key is not null;

-- Responses already sent for an idempotency key.
create table idempotency_keys (
  owner_id    uuid not null references owners,
  key         text not null,
  digest      bytea not null,                  -- of file bytes, webhook_url and workflow
  request_id  uuid not null,
  response    text not null,                   -- the body of the 202 response, repeated verbatim
  created_at  timestamptz not null default now(),
  primary key (owner_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- Four classes write it: UploadStore inserts it, RequestUpdates updates it while it runs and starts the next run, OutcomeStore updates
-- its counters and closes the fan-out, and RunFinalizer ends it.
create table csv_data_table (
  id                      uuid primary key default gen_random_uuid(),
  csv_path                text not null,
  status                  status_enum not null default 'created',
  no_of_products          int not null check (no_of_products > 0),
  no_of_images            int not null check (no_of_images > 0),
  processing_percentage   int not null default 0 check (processing_percentage between 0 and 100),

  owner_id                uuid not null references owners,
  file_name               text,
  csv_bytes               bigint not null,
  csv_sha256              bytea not null,
  dialect                 jsonb not null,      -- delimiter, encoding, BOM and column map, as detected by the reader
  workflow_definition_id  text not null,
  workflow_version_id     text not null,
  webhook_url             text,
  run                     int not null default 1 check (run > 0),
  revision                bigint not null default 1,
  images_succeeded        int not null default 0 check (images_succeeded >= 0),
  images_failed           int not null default 0 check (images_failed >= 0),
  bytes_in                bigint not null default 0,
  bytes_out               bigint not null default 0,
  fan_out_open            boolean not null default false,
  output_path             text,
  output_run              int,
  error_code              text,
  error_message           text,
  created_at              timestamptz not null default now(),
  started_at              timestamptz,
  finished_at             timestamptz,
  swept_at                timestamptz,         -- when unreferenced objects were deleted; due again after a later run ends
  updated_at              timestamptz not null default now(),

  check (images_succeeded + images_failed <= no_of_images),
  check ((processing_percentage = 100) = (status in ('completed', 'completed_with_errors'))),
  check ((finished_at is not null) = (status in ('completed', 'completed_with_errors', 'failed', 'cancelled'))),
  check (status <> 'completed' or images_succeeded = no_of_images)
);
create index csv_data_table_owner on csv_data_table (owner_id, created_at desc, id);
create index csv_data_table_unswept on csv_data_table (finished_at) where swept_at is null or swept_at < finished_at;
create index csv_data_table_processing on csv_data_table (id) where status = 'processing' and fan_out_open;

-- No foreign keys from products and images: they are written only by COPY while the request's instance is locked, and a trigger per
-- row would cost more than the load itself. Code that deletes a request must delete them in the same transaction.
create table products (
  request_id  uuid not null,
  row         int not null,                    -- 1-based number of the data record
  serial      text not null,                   -- verbatim: serials are text
  name        text not null,
  primary key (request_id, row)
);

create table images (
  id               bigint generated always as identity primary key,
  request_id       uuid not null,
  row              int not null,
  position         int not null,               -- 1-based place in the row's URL list
  url              text not null,

  state            image_state not null default 'waiting',
  run              int not null default 1,     -- the latest run that processes it
  not_before       timestamptz,                -- waiting: not claimable before
  offered_at       timestamptz,                -- offered: when it was pushed
  owner            uuid,                       -- running: the process
  fence            bigint not null default 0,  -- + 1 at every claim; an outcome with a different fence is ignored
  attempts         int not null default 0,     -- bodies started, not counting process crashes
  suspect            boolean not null default false,  -- its process crashed while running it: run it alone
  exclusive          boolean not null default false,  -- running, and nothing else runs in that process
  exclusive_crashes  int not null default 0,   -- crashes of its process while it ran alone
  revision         bigint not null default 0,  -- the request's revision when its outcome was recorded

  error_code       text,
  error_message    text,
  journal          jsonb,                      -- failed images only: what its body did

  original_key     text,
  original_type    text,
  original_bytes   bigint,
  original_width   int,
  original_height  int,
  original_sha256  bytea,
  output_key       text,
  output_type      text,
  output_bytes     bigint,
  output_width     int,
  output_height    int,
  output_sha256    bytea,
  finished_at      timestamptz,

  check ((state = 'running') = (owner is not null)),
  check ((state = 'failed') = (error_code is not null)),
  check (state <> 'succeeded' or output_key is not null),
  check ((state in ('succeeded', 'failed')) = (finished_at is not null))
);
create unique index images_place on images (request_id, row, position);
create index images_waiting on images (request_id, row, position) where state = 'waiting';
create index images_offered on images (request_id, offered_at) where state = 'offered';
create index images_running on images (owner) where state = 'running';
create index images_failed on images (request_id, row, position) where state = 'failed';
create index images_revision on images (request_id, revision) where revision > 0;
