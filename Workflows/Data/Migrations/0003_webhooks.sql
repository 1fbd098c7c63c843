-- Deliveries are an outbox: inserted by the transaction that ends a run, sent by any worker, at least once, always under the same id.

-- An owner's active signing secrets. More than one during a rotation; each delivery is signed with all of them.
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
  receiver         text not null,              -- host:port; concurrency is limited per receiver
  body             text not null,              -- the signed bytes, the same for every attempt
  state            text not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'disabled')),
  attempts         int not null default 0,
  schedule_from    int not null default 0,     -- attempts made before the latest replay, which restarts the schedule
  next_attempt_at  timestamptz default now(),
  owner            uuid,                       -- the process sending it
  fence            bigint not null default 0,
  last_status      int,
  last_error       text,
  traceparent      text,                       -- W3C trace context of the run: attempts belong to its trace
  created_at       timestamptz not null default now(),
  finished_at      timestamptz,
  unique (request_id, run, url),
  check ((state = 'pending') = (next_attempt_at is not null)),
  check ((state = 'pending') = (finished_at is null)),
  check (owner is null or state = 'pending')
);
-- Receiver comes first, so that a receiver with a long backlog costs a single step of the index scan.
create index webhook_deliveries_due on webhook_deliveries (receiver, next_attempt_at) where state = 'pending' and owner is null;
create index webhook_deliveries_next on webhook_deliveries (next_attempt_at) where state = 'pending' and owner is null;
create index webhook_deliveries_claimed on webhook_deliveries (owner) where owner is not null;
create index webhook_deliveries_endpoint on webhook_deliveries (owner_id, url) where state in ('pending', 'disabled');

create table webhook_attempts (
  delivery_id  text not null references webhook_deliveries on delete cascade,
  attempt      int not null,
  started_at   timestamptz not null,
  duration_ms  int not null,
  status       int,
  error        text,                           -- our own code, never text from the receiver
  response     text,                           -- at most 1 KiB, shown to the owner
  primary key (delivery_id, attempt)
);

-- A receiver that responded 410 gets no more webhooks until its owner enables it again.
create table webhook_disabled_endpoints (
  owner_id     uuid not null references owners,
  url          text not null,
  disabled_at  timestamptz not null default now(),
  primary key (owner_id, url)
);
