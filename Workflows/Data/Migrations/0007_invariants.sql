-- What must hold of every row, whatever races or crashes happen: a bug that would break it fails here, before anyone can see the result.

alter table csv_data_table
  add constraint csv_data_table_counts check (bytes_in >= 0 and bytes_out >= 0 and revision > 0),
  -- An output CSV belongs to a run that has begun, and is always named together with it.
  add constraint csv_data_table_output check (
    (output_path is null) = (output_run is null) and (output_run is null or output_run between 1 and run)),
  -- Images are claimable only while the request is processed.
  add constraint csv_data_table_fan_out check (not fan_out_open or status = 'processing'),
  add constraint csv_data_table_errors check (status <> 'completed_with_errors' or images_succeeded < no_of_images);

-- Not valid: rows are checked when they are written, without reading millions of earlier ones under an exclusive lock.
alter table images
  add constraint images_counts check (
    row > 0 and position > 0 and run > 0 and fence >= 0 and attempts >= 0 and preemptions >= 0) not valid,
  -- A claim has a fence and at least one attempt.
  add constraint images_claim check (state <> 'running' or (fence > 0 and attempts > 0)) not valid,
  add constraint images_offer check (state <> 'offered' or offered_at is not null) not valid,
  -- Nothing that has an outcome waits for a later moment; its revision tells readers when they saw it.
  add constraint images_outcome check (
    case state
      when 'succeeded' then revision > 0 and not_before is null and output_sha256 is not null and output_bytes >= 0
      when 'failed' then revision > 0 and not_before is null and output_key is null
      else true
    end) not valid;

alter table workflow_instances
  add constraint workflow_instances_counts check (run > 0 and fence >= 0 and attempts >= 0),
  add constraint workflow_instances_claim check (owner is null or (fence > 0 and status = 'Running')),
  add constraint workflow_instances_end check (
    (status = 'Finished') = (finished_at is not null) and (status = 'Running' or ready_at is null));

alter table webhook_deliveries
  add constraint webhook_deliveries_counts check (run > 0 and fence >= 0 and attempts >= 0 and schedule_from between 0 and attempts),
  add constraint webhook_deliveries_claim check (owner is null or fence > 0);
