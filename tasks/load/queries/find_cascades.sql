-- Foreign keys that would change rows of other tables when rows of this one are deleted.
SELECT
    c.conname,
    c.conrelid::regclass::text,
    c.confdeltype::text,
    (SELECT array_agg(a.attname::text ORDER BY k.n)
     FROM unnest(c.conkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
    (SELECT array_agg(a.attname::text ORDER BY k.n)
     FROM unnest(c.confkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
FROM pg_constraint c
WHERE c.contype = 'f' AND c.confrelid = to_regclass(%s) AND c.confdeltype IN ('c', 'n', 'd')
  AND c.conparentid = 0
