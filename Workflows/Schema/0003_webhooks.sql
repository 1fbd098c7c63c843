-- Deliveries are an outbox: inserted by the transaction that ends a run, sent by any worker, at least once, under one constant id.

-- Live signing secrets of an owner. More than one while a rotation lasts; each delivery is signed with all of them.
create table webhook_secrets (
  id          uuid primary key default gen_random_uuid(),
  owner_id    uuid not null references owners,
  secret      text not null,                   -- whsec_<base64>
  created_at  timestamptz not null default now(),
  expires_at  timestamptz
);
create index webhook_secrets_owner on webhook_secrets (owner_id);

create table webhook_deliveries (
  id               text primary key,           -- the webhook-id: msg_...
  owner_id         uuid not null references owners,
  request_id       uuid not null,
  run              int not null,
  url              text not null,
  body             text not null,              -- the signed bytes, the same at every attempt
  state            text not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'disabled')),
  attempts         int not null default 0,
  next_attempt_at  timestamptz default now(),
  owner            uuid,                       -- the process that is sending it
  fence            bigint not null default 0,
  last_status      int,
  last_error       text,
  created_at       timestamptz not null default now(),
  finished_at      timestamptz,
  unique (request_id, run, url)
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';

create table webhook_attempts (
  delivery_id  text not null references webhook_deliveries on delete cascade,
  attempt      int not null,
  started_at   timestamptz not null,
  duration_ms  int not null,
  status       int,
  error        text,                           -- our own code, never the receiver's words
  response     text,                           -- at most 1 KiB, for the owner's eyes
  primary key (delivery_id, attempt)
);

-- A receiver that answered 410 is sent nothing more until its owner enables it again.
create table webhook_disabled_endpoints (
  owner_id     uuid not null references owners,
  url          text not null,
  disabled_at  timestamptz not null default now(),
  primary key (owner_id, url)
);
