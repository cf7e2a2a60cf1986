-- An outcome alerts unless the same expectation ended in the same state when it was last evaluated;
-- rows in quarantine alert when some of them are new there.
INSERT INTO assay.validations
VALUES (
    %(load_id)s, %(attempt_no)s, %(position)s, %(pipeline)s, %(table)s, %(suite)s, %(expectation)s,
    %(identity)s, %(column)s, %(severity)s, %(seen)s, %(state)s, %(blocks)s,
    CASE
        WHEN %(state)s = 'quarantined' THEN coalesce((
            SELECT t.newly_quarantined > 0
            FROM assay.table_loads t
            WHERE t.load_id = %(load_id)s AND t.attempt_no = %(attempt_no)s AND t.table_name = %(table)s
        ), true)
        ELSE %(state)s IS DISTINCT FROM (
            SELECT v.state
            FROM assay.validations v JOIN assay.attempts a USING (load_id, attempt_no)
            WHERE v.pipeline = %(pipeline)s AND v.table_name = %(table)s AND v.identity = %(identity)s
            ORDER BY a.started_at DESC
            LIMIT 1
        )
    END,
    %(rows_seen)s, %(unexpected_count)s, %(examples)s, %(message)s, %(result)s
)
