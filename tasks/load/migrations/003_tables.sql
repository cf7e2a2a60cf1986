-- What the tables look like that assay writes, and how they came to.

CREATE TABLE assay.tables (
    schema_name text NOT NULL,
    table_name  text NOT NULL,
    pipeline    text NOT NULL,
    disposition text NOT NULL,
    columns     jsonb NOT NULL,
    load_id     text NOT NULL REFERENCES assay.loads,
    PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE assay.tables IS 'The tables that assay writes: by which pipeline and how, and the columns that the latest load brought.';

CREATE TABLE assay.schema_changes (
    change_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id     text NOT NULL,
    attempt_no  integer NOT NULL,
    pipeline    text NOT NULL,
    schema_name text NOT NULL,
    table_name  text NOT NULL,
    kind        text NOT NULL,
    column_name text,
    type_before text,
    type_after  text,
    statement   text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (load_id, attempt_no) REFERENCES assay.attempts
);
COMMENT ON TABLE assay.schema_changes IS 'Every change of a table''s columns, with the statement that made it.';
CREATE INDEX schema_changes_by_load ON assay.schema_changes (load_id, attempt_no);

ALTER TABLE assay.table_loads ADD COLUMN deleted bigint NOT NULL DEFAULT 0;
ALTER TABLE assay.table_loads ADD COLUMN grown_bytes bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN assay.table_loads.grown_bytes IS 'By how much writing the rows made the table and its indexes larger on disk.';
