"""Load: staging, the publishing transaction and the ledger, in Postgres."""
