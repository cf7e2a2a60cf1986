-- Where the time of an attempt went.

ALTER TABLE assay.attempts ADD COLUMN timings jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN assay.attempts.timings IS 'Its steps by their start: step, subject (resource or table), started_s since the attempt began, took_s, and parts with the seconds that each took.';
