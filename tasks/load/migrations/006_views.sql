-- A release is no run of the pipeline: neither a failure before it nor one after it is its own.

ALTER TABLE assay.loads ADD COLUMN is_release boolean NOT NULL DEFAULT false;
UPDATE assay.loads SET is_release = true WHERE load_id ~ '-release-[0-9a-f]{8}$';
COMMENT ON COLUMN assay.loads.is_release IS 'Rows that a person released from quarantine, and nothing else.';

-- What a dashboard shows. Read these and not the tables behind them: they keep their columns.

CREATE VIEW assay.latest_attempts AS
SELECT DISTINCT ON (a.pipeline)
    a.pipeline, a.load_id, a.attempt_no, a.status, a.started_at, a.ended_at, a.error, a.run_url
FROM assay.attempts a
JOIN assay.loads l USING (load_id)
WHERE NOT l.is_release
ORDER BY a.pipeline, a.started_at DESC;
COMMENT ON VIEW assay.latest_attempts IS 'How the latest attempt of each pipeline ended, releases apart. One row a pipeline.';

CREATE VIEW assay.table_freshness AS
SELECT
    t.schema_name,
    t.table_name,
    t.pipeline,
    published.published_at,
    round(extract(epoch FROM clock_timestamp() - published.published_at) / 60, 1) AS minutes_since_published,
    changed.published_at AS changed_at,
    published.load_id
FROM assay.tables t
LEFT JOIN LATERAL (
    SELECT p.published_at, p.load_id
    FROM assay.publications p
    JOIN assay.table_loads l USING (load_id, attempt_no)
    WHERE p.pipeline = t.pipeline AND l.table_name = t.table_name
    ORDER BY p.published_at DESC
    LIMIT 1
) published ON true
LEFT JOIN LATERAL (
    SELECT p.published_at
    FROM assay.publications p
    JOIN assay.table_loads l USING (load_id, attempt_no)
    WHERE p.pipeline = t.pipeline AND l.table_name = t.table_name AND l.inserted + l.updated + l.deleted > 0
    ORDER BY p.published_at DESC
    LIMIT 1
) changed ON true;
COMMENT ON VIEW assay.table_freshness IS 'When each table was last published, and when a load last changed a row of it.';
CREATE INDEX publications_by_pipeline ON assay.publications (pipeline, published_at DESC);

CREATE VIEW assay.quality_history AS
SELECT
    v.pipeline,
    v.table_name,
    v.column_name,
    v.expectation,
    v.identity,
    v.severity,
    v.state,
    v.blocks,
    v.rows_seen,
    v.unexpected_count,
    round(100.0 * v.unexpected_count / nullif(v.rows_seen, 0), 4) AS unexpected_percent,
    a.started_at AS evaluated_at,
    v.load_id,
    v.attempt_no
FROM assay.validations v
JOIN assay.attempts a USING (load_id, attempt_no);
COMMENT ON VIEW assay.quality_history IS 'Each expectation in each attempt: follow one by pipeline, table_name and identity.';

CREATE VIEW assay.open_quarantine AS
SELECT
    q.pipeline,
    q.table_name,
    r.reason,
    count(*) AS rows,
    min(q.first_seen_at) AS first_seen_at,
    max(q.last_seen_at) AS last_seen_at
FROM assay.quarantine q
CROSS JOIN LATERAL unnest(q.reasons) r (reason)
WHERE q.closed_at IS NULL
GROUP BY q.pipeline, q.table_name, r.reason;
COMMENT ON VIEW assay.open_quarantine IS 'Rows that are kept out, by table and reason; a row with two reasons counts under each.';

CREATE VIEW assay.open_blocks AS
SELECT
    l.pipeline,
    l.load_id,
    blocked.first_at AS blocked_at,
    blocked.attempts,
    blocked.error
FROM assay.loads l
JOIN LATERAL (
    SELECT
        min(a.started_at) AS first_at,
        count(*) AS attempts,
        (array_agg(a.error ORDER BY a.started_at DESC))[1] AS error
    FROM assay.attempts a
    WHERE a.load_id = l.load_id AND a.status = 'blocked'
) blocked ON blocked.attempts > 0
WHERE l.status = 'blocked';
COMMENT ON VIEW assay.open_blocks IS 'Loads that wait for better data, or for `assay accept`.';
