-- {key} goes through the table's own types, so that it is written just as a merge will look for it.
INSERT INTO assay.quarantine
    (pipeline, table_name, key, row, row_sha256, reasons, load_id, last_load_id)
SELECT %(pipeline)s, %(table)s, CASE WHEN %(key)s::jsonb IS NOT NULL THEN {key} END, %(row)s, %(sha256)s, %(reasons)s, %(load_id)s, %(load_id)s
FROM jsonb_populate_record(NULL::{target}, %(key)s::jsonb) typed
ON CONFLICT (pipeline, table_name, row_sha256) WHERE closed_at IS NULL
DO UPDATE SET
    last_load_id = EXCLUDED.last_load_id,
    last_seen_at = clock_timestamp(),
    reasons = EXCLUDED.reasons
