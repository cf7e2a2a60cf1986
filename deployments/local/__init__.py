"""A demo API and an embedded Postgres, for a machine that has neither."""
