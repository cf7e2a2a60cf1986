"""Great Expectations suites (`suites/`, data) and the engine that runs them on Polars (`engine/`)."""
