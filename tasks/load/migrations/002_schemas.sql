-- What was learned of the records of each resource: by it the next loads, and replays, decode strictly.

CREATE TABLE assay.schemas (
    pipeline   text NOT NULL,
    resource   text NOT NULL,
    version    integer NOT NULL,
    fields     json NOT NULL,
    load_id    text NOT NULL REFERENCES assay.loads,
    learned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (pipeline, resource, version)
);
COMMENT ON TABLE assay.schemas IS 'Learned schemas. A version is written when a load is published whose records had fields that were new.';
COMMENT ON COLUMN assay.schemas.fields IS 'Kinds by JSON key; json and not jsonb, which would not keep their order.';
