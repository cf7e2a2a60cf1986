-- The newest unfinished load of the same declaration and cursors: whether its extraction may be resumed,
-- and whether the gate ever blocked it.
SELECT
    load_id,
    status = 'open' AND clock_timestamp() - started_at < make_interval(secs => %s),
    status = 'blocked' OR work IS NOT NULL
FROM assay.loads
WHERE pipeline = %s
  AND fingerprint = %s
  AND cursors_before = %s
  AND full_refresh = %s
  AND status IN ('open', 'blocked')
  AND replay_of IS NULL
ORDER BY started_at DESC
LIMIT 1
