"""Records out of pages: strictly typed by a schema, declared or learned, or rejected with path and reason."""
