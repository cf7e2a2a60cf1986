"""One file a pipeline, found by its presence."""
