-- What people decide about quarantined rows.

ALTER TABLE assay.quarantine ADD COLUMN close_reason text;
COMMENT ON COLUMN assay.quarantine.closed_by IS 'The load that brought a good version or by which the row was released; or the person who dropped the entry.';
COMMENT ON COLUMN assay.quarantine.close_reason IS 'What a person said who released or dropped the entry.';
