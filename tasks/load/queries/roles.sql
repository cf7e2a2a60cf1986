-- Run once in the target database, as its administrator; again after a target schema was added.

-- Three roles: {owner} has the ledger and makes its changes, {loader} runs pipelines, {reader} reads tables.
DO $$ BEGIN
    IF to_regrole({owner_name}) IS NULL THEN CREATE ROLE {owner} LOGIN; END IF;
    IF to_regrole({loader_name}) IS NULL THEN CREATE ROLE {loader} LOGIN; END IF;
    IF to_regrole({reader_name}) IS NULL THEN CREATE ROLE {reader} LOGIN; END IF;
END $$;
GRANT {owner}, {loader} TO CURRENT_USER;

-- The ledger: the loader writes to it and cannot change its shape.
CREATE SCHEMA IF NOT EXISTS assay AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA assay TO {loader};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA assay TO {loader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA assay
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {loader};

-- Staging is the loader's alone.
CREATE SCHEMA IF NOT EXISTS assay_staging AUTHORIZATION {owner};
GRANT USAGE, CREATE ON SCHEMA assay_staging TO {loader};
