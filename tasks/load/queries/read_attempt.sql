-- One attempt, with what blocked it, and how the finished attempt before it ended. A release comes after
-- nothing, and nothing comes after it: it neither mends a run that failed nor hides it.
SELECT
    a.*,
    (
        SELECT array_agg(format('%%s %%s', v.table_name, v.identity) ORDER BY v.table_name, v.identity)
        FROM assay.validations v
        WHERE v.load_id = a.load_id AND v.attempt_no = a.attempt_no AND v.blocks
    ) AS blockers,
    previous.status AS previous_status,
    (
        SELECT array_agg(format('%%s %%s', v.table_name, v.identity) ORDER BY v.table_name, v.identity)
        FROM assay.validations v
        WHERE v.load_id = previous.load_id AND v.attempt_no = previous.attempt_no AND v.blocks
    ) AS previous_blockers
FROM assay.attempts a
LEFT JOIN LATERAL (
    SELECT p.load_id, p.attempt_no, p.status
    FROM assay.attempts p JOIN assay.loads l USING (load_id)
    WHERE p.pipeline = a.pipeline
      AND NOT l.is_release
      AND NOT (SELECT own.is_release FROM assay.loads own WHERE own.load_id = a.load_id)
      AND p.started_at < a.started_at
      AND p.status IN ('published', 'no new rows', 'blocked', 'failed')
    ORDER BY p.started_at DESC
    LIMIT 1
) previous ON true
WHERE a.load_id = %s AND a.attempt_no = %s
