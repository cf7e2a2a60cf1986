-- The ledger: what was loaded, how each attempt ended, and what is kept out of the tables.

CREATE TABLE assay.loads (
    load_id        text PRIMARY KEY,
    pipeline       text NOT NULL,
    fingerprint    text NOT NULL,
    cursors_before jsonb NOT NULL,
    full_refresh   boolean NOT NULL,
    extraction     integer NOT NULL DEFAULT 1,
    work           text,
    status         text NOT NULL CHECK (status IN ('open', 'blocked', 'published', 'abandoned')),
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE assay.loads IS 'What is applied once. One row a load.';
COMMENT ON COLUMN assay.loads.work IS 'Folder of the files of a blocked load, for a person to accept.';
COMMENT ON COLUMN assay.loads.extraction IS 'Counts extractions afresh; an interrupted one is resumed and keeps its number.';
CREATE INDEX loads_unfinished ON assay.loads (pipeline) WHERE status IN ('open', 'blocked');

CREATE TABLE assay.attempts (
    load_id       text NOT NULL REFERENCES assay.loads,
    attempt_no    integer NOT NULL,
    pipeline      text NOT NULL,
    status        text NOT NULL CHECK (status IN
                      ('running', 'published', 'no new rows', 'blocked', 'failed', 'crashed')),
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at      timestamptz,
    error         text,
    run_url       text,
    report_tables jsonb NOT NULL DEFAULT '{}',
    accepted_by   text,
    accept_reason text,
    told_at     timestamptz,
    PRIMARY KEY (load_id, attempt_no)
);
COMMENT ON TABLE assay.attempts IS 'One row a run of a load; told_at: when pages, artifact and events were out.';
CREATE INDEX attempts_by_pipeline ON assay.attempts (pipeline, started_at DESC);

CREATE TABLE assay.publications (
    load_id      text PRIMARY KEY REFERENCES assay.loads,
    attempt_no   integer NOT NULL,
    pipeline     text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE assay.publications IS 'One row a load whose data is visible, written in the transaction that made it so.';

CREATE TABLE assay.cursors (
    pipeline text NOT NULL,
    resource text NOT NULL,
    value    text NOT NULL,
    load_id  text NOT NULL REFERENCES assay.loads,
    PRIMARY KEY (pipeline, resource)
);
COMMENT ON TABLE assay.cursors IS 'How far each incremental resource is published.';

CREATE TABLE assay.table_loads (
    load_id             text NOT NULL,
    attempt_no          integer NOT NULL,
    position            integer NOT NULL,
    table_name          text NOT NULL,
    verdict             text NOT NULL,
    received            bigint NOT NULL,
    rejected            bigint NOT NULL,
    superseded          bigint NOT NULL,
    quarantined         bigint NOT NULL,
    newly_quarantined   bigint NOT NULL,
    inserted            bigint NOT NULL,
    updated             bigint NOT NULL,
    unchanged           bigint NOT NULL,
    expectations        integer NOT NULL,
    expectations_passed integer NOT NULL,
    PRIMARY KEY (load_id, attempt_no, table_name),
    FOREIGN KEY (load_id, attempt_no) REFERENCES assay.attempts
);
COMMENT ON TABLE assay.table_loads IS 'Rows of each table in each finished attempt, from received to written.';

CREATE TABLE assay.validations (
    load_id          text NOT NULL,
    attempt_no       integer NOT NULL,
    position         integer NOT NULL,
    pipeline         text NOT NULL,
    table_name       text NOT NULL,
    suite            text NOT NULL,
    expectation      text NOT NULL,
    identity         text NOT NULL,
    column_name      text,
    severity         text NOT NULL,
    seen             text NOT NULL,
    state            text NOT NULL,
    blocks           boolean NOT NULL,
    alert            boolean NOT NULL,
    rows_seen        bigint NOT NULL,
    unexpected_count bigint NOT NULL,
    examples         jsonb NOT NULL,
    message          text,
    result           jsonb NOT NULL,
    PRIMARY KEY (load_id, attempt_no, position),
    FOREIGN KEY (load_id, attempt_no) REFERENCES assay.attempts
);
COMMENT ON TABLE assay.validations IS 'The history of quality: one row an expectation and finished attempt.';
CREATE INDEX validations_by_expectation ON assay.validations (pipeline, table_name, identity);

CREATE TABLE assay.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline      text NOT NULL,
    table_name    text NOT NULL,
    key           jsonb,
    row           jsonb NOT NULL,
    row_sha256    text NOT NULL,
    reasons       text[] NOT NULL,
    load_id       text NOT NULL REFERENCES assay.loads,
    last_load_id  text NOT NULL REFERENCES assay.loads,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at     timestamptz,
    closed_by     text
);
COMMENT ON TABLE assay.quarantine IS 'Rows kept out of the tables, with the reasons; closed when a good version was loaded.';
CREATE UNIQUE INDEX quarantine_open ON assay.quarantine (pipeline, table_name, row_sha256) WHERE closed_at IS NULL;
