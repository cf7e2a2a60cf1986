"""Extract: an API's pages into the landing zone, and from there into typed Parquet."""
