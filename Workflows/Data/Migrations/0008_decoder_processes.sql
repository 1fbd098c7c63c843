-- Images are decoded in processes of their own, so a worker's death no longer makes the images in its hands suspects.
alter table images
  drop column suspect,
  drop column exclusive,
  drop column exclusive_crashes;
