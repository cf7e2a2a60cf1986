-- The latest attempts, one line each, newest first.
SELECT
    a.pipeline,
    a.load_id,
    a.attempt_no,
    a.status,
    a.started_at,
    a.ended_at,
    a.error,
    coalesce(sum(t.received), 0)::bigint AS received,
    coalesce(sum(t.inserted), 0)::bigint AS inserted,
    coalesce(sum(t.updated), 0)::bigint AS updated,
    coalesce(sum(t.quarantined + t.rejected), 0)::bigint AS quarantined,
    coalesce(sum(t.expectations), 0)::bigint AS expectations,
    coalesce(sum(t.expectations_passed), 0)::bigint AS expectations_passed
FROM assay.attempts a
LEFT JOIN assay.table_loads t USING (load_id, attempt_no)
WHERE %(pipeline)s::text IS NULL OR a.pipeline = %(pipeline)s
GROUP BY a.load_id, a.attempt_no
ORDER BY a.started_at DESC
LIMIT %(limit)s
