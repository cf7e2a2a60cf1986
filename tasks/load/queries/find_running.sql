-- The load that a run of the pipeline is at, if it has opened one.
SELECT load_id, attempt_no, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
FROM assay.attempts
WHERE pipeline = %s AND status = 'running'
ORDER BY started_at DESC
LIMIT 1
