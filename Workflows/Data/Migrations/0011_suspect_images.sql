-- JPEG files are transcoded in the worker itself. An image in hand at a worker's death may have been the cause, so it is decoded in a decoder.
alter table images add column suspect boolean not null default false;
