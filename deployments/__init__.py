"""What runs around the flows: work pool, alerts, and a local Postgres and API to try them on."""
