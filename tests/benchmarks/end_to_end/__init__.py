"""From an API to Postgres, whole: assay beside its peers, on the same server and the same database."""
