-- Who holds a table, and for how long.
SELECT format(
    'process %%s (%%s) since %%s s',
    a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'), round(extract(epoch FROM clock_timestamp() - a.xact_start))
)
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.relation = to_regclass(%s) AND l.granted AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start
LIMIT 3
